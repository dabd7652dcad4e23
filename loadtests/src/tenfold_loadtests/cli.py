"""The command `tenfold-load`."""

import enum
import os
import pathlib
import signal
import sys
from typing import Annotated

import pydantic
import rich.console
import rich.progress
import typer

from tenfold_loadtests import (
    faults,
    gate,
    generator,
    hosts,
    inside,
    observed,
    reports,
    shapes,
    suites,
    targets,
    verdict,
)

_EXIT_CODES = {
    verdict.Outcome.HELD: 0,
    verdict.Outcome.MISSED: 1,
    verdict.Outcome.NOT_JUDGED: 3,
}
_NOT_STARTED = 2
_NO_VERDICT = 3

# The addresses of the embedded cluster's entrances on its first node.
_DEFAULT_HOST = "http://10.99.0.11:30080"
_DEFAULT_PROMETHEUS = "http://10.99.0.11:30090"
_EMBEDDED_KUBECONFIG = "/var/lib/tenfold/admin.kubeconfig"
_DEFAULT_OUT = pathlib.Path("out/load")
_ACCEPTED = "accepted"
# What the simulated marketplaces sign with, as infra/components/simulator.py says.
_WEBHOOK_SECRETS = '{"trendyol": "simulated-trendyol", "n11": "simulated-n11"}'

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
_console = rich.console.Console()
_errors = rich.console.Console(stderr=True)
_secrets: pydantic.TypeAdapter[dict[str, str]] = pydantic.TypeAdapter(dict[str, str])

SuiteName = enum.StrEnum(  # type: ignore[misc]
    "SuiteName", {name: name for name in (*suites.SUITES, "replay")}
)
_NOT_STARTED_BY = (
    shapes.ShapeError,
    hosts.HostError,
    inside.InsideError,
    observed.ObservedError,
    pydantic.ValidationError,
)
_Out = Annotated[pathlib.Path, typer.Option(help="Folder of the reports.")]


@app.callback()
def _gate() -> None:
    """Load gates for the platform."""


@app.command()
def run(
    suite: Annotated[SuiteName, typer.Option(help="What to send and which targets to hold.")],
    host: Annotated[
        str, typer.Option(envvar="TENFOLD_GATEWAY_URL", help="URL of the gateway.")
    ] = _DEFAULT_HOST,
    prometheus: Annotated[
        str, typer.Option(envvar="TENFOLD_PROMETHEUS_URL", help="URL of Prometheus.")
    ] = _DEFAULT_PROMETHEUS,
    duration: Annotated[
        float | None, typer.Option(min=1, help="Seconds to measure, instead of the suite's.")
    ] = None,
    ramp: Annotated[
        float | None, typer.Option(min=0.5, help="Seconds of ramp, instead of the suite's.")
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(min=1, help="Highest requests a second, instead of the suite's."),
    ] = None,
    trace: Annotated[
        pathlib.Path | None, typer.Option(help="CSV whose last column `replay` follows.")
    ] = None,
    fault: Annotated[
        suites.Fault | None,
        typer.Option(help="Break this after a third of the time; judge what still holds."),
    ] = None,
    namespace: Annotated[str, typer.Option(help="The tenant's namespace.")] = "marketplace",
    simulator: Annotated[
        str | None,
        typer.Option(help="URL of the simulated marketplaces, where there is no cluster."),
    ] = None,
    webhook_secrets: Annotated[
        str,
        typer.Option(envvar="TENFOLD_WEBHOOK_SECRETS", help="What webhooks are signed with."),
    ] = _WEBHOOK_SECRETS,
    processes: Annotated[int, typer.Option(min=1, help="Locust workers; one a core.")] = 1,
    allow_remote: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Why load may leave this machine; kept in the report."),
    ] = None,
    out: _Out = _DEFAULT_OUT,
) -> None:
    """Send a suite's load and judge it.

    Exit codes: 0 all targets held; 1 a target missed; 2 not started (wrong usage, host not
    allowed, something unreachable); 3 no verdict, because the generator was the bottleneck or
    broke, or because a figure could not be had.
    """
    try:
        chosen = _chosen(str(suite), trace, duration, ramp, rate, fault)
        _check_host(host, allow_remote)
        place = inside.Here(simulator) if simulator else inside.Cluster(_kubeconfig(), namespace)
        wanted = gate.Run(
            suite=chosen,
            host=host,
            remote_reason=allow_remote,
            place=place,
            prometheus=_prometheus(prometheus, chosen),
            breaker=_breaker(fault, place, chosen),
            webhook_secrets=_secrets.validate_json(webhook_secrets),
            processes=processes,
        )
        inside.tokens(place, seconds=0)
    except _NOT_STARTED_BY as error:
        _errors.print(str(error), style="bold red", markup=False)
        raise typer.Exit(_NOT_STARTED) from error
    out.mkdir(parents=True, exist_ok=True)
    reports.remove(chosen, out)
    try:
        report = _shown_while_running(wanted, (out / f"{chosen.name}.log").resolve())
    except (generator.GeneratorError, inside.InsideError, observed.ObservedError) as error:
        _errors.print(f"No verdict: {error}", style="bold yellow")
        raise typer.Exit(_NO_VERDICT) from error
    accepted = reports.read(chosen.name, out / _ACCEPTED)
    _show(report, accepted, reports.write(report, accepted, out))
    raise typer.Exit(_EXIT_CODES[report.outcome])


@app.command()
def accept(
    suite: Annotated[str, typer.Argument(help="The suite as the reports name it.")],
    out: _Out = _DEFAULT_OUT,
) -> None:
    """Make the last run of a suite the one that later runs are compared with.

    Exit codes: 0 accepted; 2 there is no such run, or it did not hold every target.
    """
    report = reports.read(suite, out)
    if report is None or report.outcome is not verdict.Outcome.HELD:
        _errors.print(
            f"{out}/{suite}.json is no run that held every target: run `tenfold-load run` first.",
            style="bold red",
        )
        raise typer.Exit(_NOT_STARTED)
    path = reports.accept(report, out / _ACCEPTED)
    _console.print(f"Later runs are compared with {path}.", markup=False)


def _chosen(
    name: str,
    trace: pathlib.Path | None,
    duration: float | None,
    ramp: float | None,
    rate: float | None,
    fault: suites.Fault | None,
) -> suites.Suite:
    if (trace is None) == (name == "replay"):
        raise shapes.ShapeError("--trace FILE goes with --suite replay, and only with it.")
    suite = suites.SUITES[name] if trace is None else suites.replayed(trace)
    suite = suites.lasting(suite, duration, ramp)
    if rate is not None:
        suite = suite.scaled(rate)
    return suite if fault is None else suite.under(fault)


def _check_host(host: str, allow_remote: str | None) -> None:
    if not (allow_remote and allow_remote.strip()):
        hosts.check_allowed(host)
    hosts.check_answers(host)


def _kubeconfig() -> pathlib.Path:
    return pathlib.Path(os.environ.get("KUBECONFIG") or _EMBEDDED_KUBECONFIG)


def _prometheus(url: str, suite: suites.Suite) -> observed.Prometheus | None:
    """Return Prometheus; without one there are no plots of the services, and none of their targets.

    Raises ObservedError where a target needs it.
    """
    found = observed.Prometheus(url)
    try:
        found.check()
    except observed.ObservedError:
        if any(isinstance(target.measured_by, targets.Observed) for target in suite.targets):
            raise
        return None
    return found


def _breaker(
    fault: suites.Fault | None, place: inside.Place, suite: suites.Suite
) -> faults.Breaker | None:
    if fault is None:
        return None
    if not isinstance(place, inside.Cluster):
        raise inside.InsideError("--fault needs a cluster: leave --simulator out.")
    start = suite.shape.measured_from
    return faults.Breaker(fault, place, start + (suite.shape.seconds - start) / 3)


def _shown_while_running(wanted: gate.Run, log: pathlib.Path) -> reports.Report:
    shape = wanted.suite.shape
    _console.print(
        f"Up to {shape.peak:.0f} requests/s for {shape.seconds - shape.measured_from:g} s after"
        f" {shape.measured_from:g} s of ramp, from {wanted.processes} worker(s), to {wanted.host}"
    )
    columns = (
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.TimeElapsedColumn(),
    )
    with rich.progress.Progress(*columns, console=_console, transient=True) as progress:
        task = progress.add_task(
            wanted.suite.name, total=shape.seconds + generator.OVERHEAD_SECONDS
        )
        return gate.run(wanted, log, lambda seconds: progress.update(task, completed=seconds))


def _show(
    report: reports.Report, accepted: reports.Report | None, files: tuple[pathlib.Path, ...]
) -> None:
    _console.print(reports.as_table(report, accepted))
    for line in reports.explanations(report):
        _console.print(line, markup=False)
    match report.outcome:
        case verdict.Outcome.HELD:
            _console.print("Passed: every target was held.", style="green")
        case verdict.Outcome.MISSED:
            _console.print("Failed: a target was missed.", style="bold red")
        case verdict.Outcome.NOT_JUDGED if report.generator_saturated:
            _console.print(
                "Rejected: the generator was the bottleneck, so the service was not judged."
                " Give it more workers (--processes), a machine of its own, or a lower --rate.",
                style="bold yellow",
            )
        case verdict.Outcome.NOT_JUDGED:
            _console.print("Rejected: not every target could be judged.", style="bold yellow")
    _console.print("Reports: " + ", ".join(map(str, files)), markup=False)


def main() -> None:
    """Run the command (console script `tenfold-load`)."""
    # A cancelled CI job has to take its load along: end by unwinding, as on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    app()
