"""One run from its load to its report."""

import contextlib
import dataclasses
import datetime
import pathlib
import secrets
import tempfile
from collections.abc import Callable, Mapping

from tenfold_loadtests import (
    accounts,
    faults,
    generator,
    inside,
    measurement,
    observed,
    reports,
    suites,
    targets,
    verdict,
)
from tenfold_loadtests import plan as planning


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """What is sent where, and who is asked about it."""

    suite: suites.Suite
    host: str
    # Why load may leave this machine.
    remote_reason: str | None
    place: inside.Place
    prometheus: observed.Prometheus | None
    breaker: faults.Breaker | None
    webhook_secrets: dict[str, str]
    processes: int


def run(wanted: Run, log: pathlib.Path, on_progress: Callable[[float], None]) -> reports.Report:
    """Send the load, count, ask and judge.

    Raises GeneratorError, InsideError or ObservedError where there can be no verdict.
    """
    started_at = datetime.datetime.now(datetime.UTC)
    with tempfile.TemporaryDirectory(prefix="tenfold-load-") as folder:
        plan = planning.Plan(
            run=secrets.token_hex(4),
            folder=pathlib.Path(folder),
            shape=wanted.suite.shape,
            products=wanted.suite.products,
            tokens=inside.tokens(wanted.place, wanted.suite.shape.seconds),
            webhook_secrets=wanted.webhook_secrets,
        )
        measured = _generate(wanted, plan, log, on_progress)
        others = _others(wanted, plan, measured)
    judged = verdict.judge(wanted.suite, measured, others)
    graphs = wanted.prometheus.graphs(*_span(measured)) if wanted.prometheus else ()
    return reports.Report(
        suite=wanted.suite,
        host=wanted.host,
        remote_reason=wanted.remote_reason,
        started_at=started_at,
        processes=wanted.processes,
        broken=tuple(wanted.breaker.done) if wanted.breaker else (),
        judgements=judged.judgements,
        generator_saturated=judged.generator_saturated,
        outcome=judged.outcome,
        measured=measured,
        graphs=graphs,
    )


def _generate(
    wanted: Run, plan: planning.Plan, log: pathlib.Path, on_progress: Callable[[float], None]
) -> measurement.Measurement:
    breaker = wanted.breaker

    def watched(seconds: float) -> None:
        on_progress(seconds)
        if breaker is not None:
            breaker.look(seconds)

    with contextlib.ExitStack() as stack:
        if breaker is not None:
            stack.callback(breaker.mend)
        return generator.run(plan, wanted.host, wanted.processes, log, watched)


def _others(
    wanted: Run, plan: planning.Plan, measured: measurement.Measurement
) -> Mapping[str, float | None]:
    """Return the figures of the suite that were not generated, by target."""
    kinds = {type(target.measured_by) for target in wanted.suite.targets}
    counted = accounts.settle(plan, wanted.place) if targets.Counted in kinds else {}
    found: dict[str, float | None] = {}
    for target in wanted.suite.targets:
        match target.measured_by:
            case targets.Counted(count=count):
                found[target.name] = counted[count]
            case targets.Observed(query=query) if wanted.prometheus:
                found[target.name] = wanted.prometheus.figure(query, measured.began, measured.ended)
    return found


def _span(measured: measurement.Measurement) -> tuple[float, float]:
    """Return the whole run's time, the ramp included."""
    return measured.course[0].at, measured.course[-1].at
