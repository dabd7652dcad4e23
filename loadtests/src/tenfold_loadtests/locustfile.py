"""What `locust -f` loads: the users, and the recording of the run for the gate.

Each worker watches its own CPU and timers and sends what it saw along with Locust's reports;
the master writes one measurement over all workers to the file that the gate named.
"""

# mypy: allow-untyped-calls, allow-untyped-decorators
# (Locust's event hooks have no types.)

import os
import pathlib
import time

import locust
from locust import env, runners, stats

from tenfold_loadtests import measurement
from tenfold_loadtests.users import CounterUser  # noqa: F401 (found here by Locust)

RESULT_VARIABLE = "TENFOLD_LOAD_RESULT"

_TICK_SECONDS = 0.02


class _WorkerWatch:
    """What a worker observes of itself between the end of the ramp and the end of the run."""

    def __init__(self) -> None:
        self._began = self._ended = 0.0
        self._demand_seconds = 0.0
        self._late: list[float] = []

    def begin(self, runner: runners.Runner) -> None:
        self._began = time.monotonic()
        self._demand_seconds = -_cpu_demand_seconds()
        runner.greenlet.spawn(self._tick)

    def end(self) -> None:
        if self._began and not self._ended:
            self._ended = time.monotonic()
            self._demand_seconds += _cpu_demand_seconds()

    def report(self) -> dict[str, float]:
        """Return the window up to now, and the worker's condition in it."""
        if not self._began:
            return {}
        running = not self._ended
        window = (time.monotonic() if running else self._ended) - self._began
        demand = self._demand_seconds + (_cpu_demand_seconds() if running else 0.0)
        late = sorted(self._late) or [0.0]
        return {
            "window_seconds": window,
            "cpu_demand": demand / window,
            "late_p95_seconds": late[int(0.95 * len(late))],
        }

    def _tick(self) -> None:
        while not self._ended:
            due = time.monotonic() + _TICK_SECONDS
            time.sleep(_TICK_SECONDS)  # gevent's, as everything here
            self._late.append(max(0.0, time.monotonic() - due))


def _cpu_demand_seconds() -> float:
    """Seconds that this process ran plus those it waited for a CPU, which others may hold."""
    fields = pathlib.Path("/proc/self/schedstat").read_text(encoding="ascii").split()
    return (int(fields[0]) + int(fields[1])) / 1e9


@locust.events.init.add_listener
def _on_init(environment: env.Environment, runner: runners.Runner, **_: object) -> None:
    if isinstance(runner, runners.WorkerRunner):
        _watch_worker(environment, runner)
    elif isinstance(runner, runners.MasterRunner):
        _record_run(environment)


def _watch_worker(environment: env.Environment, runner: runners.Runner) -> None:
    watch = _WorkerWatch()
    events = environment.events
    events.spawning_complete.add_listener(lambda **_: watch.begin(runner))
    events.test_stopping.add_listener(lambda **_: watch.end())

    @events.report_to_master.add_listener
    def _(client_id: str, data: dict[str, object]) -> None:
        data["watch"] = watch.report()


def _record_run(environment: env.Environment) -> None:
    reports: dict[str, dict[str, float]] = {}

    @environment.events.worker_report.add_listener
    def _(client_id: str, data: dict[str, dict[str, float]]) -> None:
        if data["watch"]:
            reports[client_id] = data["watch"]

    # `quit` comes after `quitting`, hence after the workers' last reports.
    @environment.events.quit.add_listener
    def _(exit_code: int) -> None:
        if reports:
            result = _measurement(environment, list(reports.values()))
            path = pathlib.Path(os.environ[RESULT_VARIABLE])
            path.write_text(result.model_dump_json(), encoding="utf-8")


def _measurement(
    environment: env.Environment, reports: list[dict[str, float]]
) -> measurement.Measurement:
    total = environment.stats.total
    options = environment.parsed_options
    assert options is not None  # noqa: S101 (there is one wherever a command line was)
    return measurement.Measurement(
        users=options.num_users,
        # Of the workers, not of this process: their counts are as old as their reports.
        window_seconds=sum(report["window_seconds"] for report in reports) / len(reports),
        requests=total.num_requests,
        failed_requests=total.num_failures,
        response_seconds_sum=total.total_response_time / 1000,
        p50_seconds=_quantile(total, 0.50),
        p95_seconds=_quantile(total, 0.95),
        p99_seconds=_quantile(total, 0.99),
        failures=tuple(
            measurement.Failure(
                request=f"{error.method} {error.name}",
                error=str(error.error),
                count=error.occurrences,
            )
            for error in environment.stats.errors.values()
        ),
        workers=tuple(
            measurement.Worker(
                cpu_demand=report["cpu_demand"], late_p95_seconds=report["late_p95_seconds"]
            )
            for report in reports
        ),
    )


def _quantile(entry: stats.StatsEntry, share: float) -> float:
    return entry.get_response_time_percentile(share) / 1000
