"""The command `tenfold-load`."""

import datetime
import enum
import pathlib
import signal
import sys
from typing import Annotated

import rich.console
import rich.progress
import typer

from tenfold_loadtests import generator, hosts, measurement, reports, targets, verdict

_EXIT_CODES = {
    verdict.Outcome.HELD: 0,
    verdict.Outcome.MISSED: 1,
    verdict.Outcome.NOT_JUDGED: 3,
}
_NOT_STARTED = 2
_NO_VERDICT = 3

# The address of the embedded cluster's gateway on its first node.
_DEFAULT_HOST = "http://10.99.0.11:30080"

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
_console = rich.console.Console()
_errors = rich.console.Console(stderr=True)

SuiteName = enum.StrEnum("SuiteName", {name: name for name in targets.SUITES})  # type: ignore[misc]


@app.callback()
def _gate() -> None:
    """Load gates for the platform."""


@app.command()
def run(
    suite: Annotated[SuiteName, typer.Option(help="What to send and which targets to hold.")],
    host: Annotated[
        str, typer.Option(envvar="TENFOLD_GATEWAY_URL", help="URL of the gateway.")
    ] = _DEFAULT_HOST,
    duration: Annotated[
        float | None, typer.Option(min=1, help="Seconds to measure, instead of the suite's.")
    ] = None,
    ramp: Annotated[
        float | None, typer.Option(min=0.5, help="Seconds of ramp, instead of the suite's.")
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(min=1, help="Requests a second to demand, instead of the suite's."),
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="Locust workers; one a core.")] = 1,
    allow_remote: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Why load may leave this machine; kept in the report."),
    ] = None,
    out: Annotated[pathlib.Path, typer.Option(help="Folder of the reports.")] = pathlib.Path(
        "out/load"
    ),
) -> None:
    """Send a suite's load and judge it.

    Exit codes: 0 all targets held; 1 a target missed; 2 not started (wrong usage, host not
    allowed, host unreachable); 3 no verdict, because the generator was the bottleneck or broke.
    """
    chosen = _adapted(targets.SUITES[suite], duration, ramp, rate)
    _check_host(host, allow_remote)
    report = _measure_and_judge(chosen, host, allow_remote, processes, out)
    _show(report, reports.write(report, out))
    raise typer.Exit(_EXIT_CODES[report.outcome])


def _measure_and_judge(
    suite: targets.Suite,
    host: str,
    remote_reason: str | None,
    processes: int,
    out: pathlib.Path,
) -> reports.Report:
    out.mkdir(parents=True, exist_ok=True)
    reports.remove(suite, out)
    log = (out / f"{suite.name}.log").resolve()
    started_at = datetime.datetime.now(datetime.UTC)
    try:
        measured = _generate(suite, host, processes, log)
    except generator.GeneratorError as error:
        _errors.print(f"No verdict: {error}", style="bold yellow")
        raise typer.Exit(_NO_VERDICT) from error
    judged = verdict.judge(suite, measured)
    return reports.Report(
        suite=suite,
        host=host,
        remote_reason=remote_reason,
        started_at=started_at,
        processes=processes,
        figures=measured.figures(),
        judgements=judged.judgements,
        generator_saturated=judged.generator_saturated,
        outcome=judged.outcome,
        measured=measured,
    )


def _adapted(
    suite: targets.Suite, duration: float | None, ramp: float | None, rate: float | None
) -> targets.Suite:
    times = {"duration_seconds": duration, "ramp_seconds": ramp}
    adapted = suite.model_copy(update={k: v for k, v in times.items() if v is not None})
    return adapted if rate is None else targets.scaled(adapted, rate)


def _check_host(host: str, allow_remote: str | None) -> None:
    try:
        if not (allow_remote and allow_remote.strip()):
            hosts.check_allowed(host)
        hosts.check_answers(host)
    except hosts.HostError as error:
        _errors.print(str(error), style="bold red")
        raise typer.Exit(_NOT_STARTED) from error


def _generate(
    suite: targets.Suite, host: str, processes: int, log: pathlib.Path
) -> measurement.Measurement:
    _console.print(
        f"{suite.requests_per_second:.0f} requests/s for {suite.duration_seconds:g} s after"
        f" {suite.ramp_seconds:g} s of ramp, from {processes} worker(s), to {host}"
    )
    total = suite.ramp_seconds + suite.duration_seconds + generator.OVERHEAD_SECONDS
    columns = (
        rich.progress.TextColumn("{task.description}"),
        rich.progress.BarColumn(),
        rich.progress.TimeElapsedColumn(),
    )
    with rich.progress.Progress(*columns, console=_console, transient=True) as progress:
        task = progress.add_task(suite.name, total=total)
        return generator.run(
            suite,
            host,
            processes,
            log,
            lambda seconds: progress.update(task, completed=seconds),
        )


def _show(report: reports.Report, files: tuple[pathlib.Path, ...]) -> None:
    _console.print(reports.as_table(report))
    for line in reports.explanations(report):
        _console.print(line, markup=False)
    match report.outcome:
        case verdict.Outcome.HELD:
            _console.print("Passed: every target was held.", style="green")
        case verdict.Outcome.MISSED:
            _console.print("Failed: a target was missed.", style="bold red")
        case verdict.Outcome.NOT_JUDGED:
            _console.print(
                "Rejected: the generator was the bottleneck, so the service was not judged."
                " Give it more workers (--processes), a machine of its own, or a lower --rate.",
                style="bold yellow",
            )
    _console.print("Reports: " + ", ".join(map(str, files)), markup=False)


def main() -> None:
    """Run the command (console script `tenfold-load`)."""
    # A cancelled CI job has to take its load along: end by unwinding, as on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    app()
