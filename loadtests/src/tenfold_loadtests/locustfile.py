"""What `locust -f` loads: the users, the shape, and the recording of the run for the gate.

Each worker watches its own CPU and timers and sends what it saw along with Locust's reports,
once a second; the master writes one measurement over all workers to the plan's folder.
"""

# mypy: allow-untyped-calls, allow-untyped-decorators
# (Locust's event hooks have no types.)

import collections
import contextlib
import math
import os
import pathlib
import random
import time

import locust
import pydantic
from locust import env, runners

from tenfold_loadtests import measurement, suites
from tenfold_loadtests.users import (  # noqa: F401 (found here by Locust)
    Admin,
    Browse,
    Orders,
    Webhooks,
    plan,
)

_TICK_SECONDS = 0.02
# Above the services that share the machine: late timers would be measured as their latency.
_NICENESS = -10

runners.WORKER_REPORT_INTERVAL = 1.0


class PlannedShape(locust.LoadTestShape):
    """As many users as requests a second are wanted."""

    def tick(self) -> tuple[int, float] | None:
        """Return the users of the next second; None at the end."""
        now = self.get_run_time()
        if now >= plan.shape.seconds:
            return None
        users = max(1, math.ceil(suites.HEADROOM * plan.shape.rate(now + 1)))
        return users, users


class _Watched(pydantic.BaseModel):
    """A worker's condition since its last report."""

    began: float
    ended: float
    cpu_demand_seconds: float
    late_milliseconds: dict[int, int]


class _Delta(pydantic.BaseModel):
    """One entry of Locust's statistics since the worker's last report."""

    name: str
    num_requests: int
    num_failures: int
    total_response_time: float
    response_times: dict[int, int]

    def counts(self) -> measurement.Counts:
        return measurement.Counts(
            requests=self.num_requests,
            failed=self.num_failures,
            seconds_sum=self.total_response_time / 1000,
            by_milliseconds=self.response_times,
        )


class _Error(pydantic.BaseModel):
    method: str
    name: str
    error: str
    occurrences: int


class _Report(pydantic.BaseModel):
    """What a worker sends."""

    watched: _Watched
    stats: list[_Delta]
    errors: dict[str, _Error]


class _WorkerWatch:
    """What a worker observes of itself."""

    def __init__(self) -> None:
        self._began = time.time()
        self._demand_seconds = _cpu_demand_seconds()
        self._late: collections.Counter[int] = collections.Counter()

    def tick(self) -> None:
        """Note for ever how late a timer fires."""
        while True:
            due = time.monotonic() + _TICK_SECONDS
            time.sleep(_TICK_SECONDS)  # gevent's, as everything here
            self._late[round(max(0.0, time.monotonic() - due) * 1000)] += 1

    def report(self) -> _Watched:
        """Return the worker's condition since the last report."""
        now, demand = time.time(), _cpu_demand_seconds()
        watched = _Watched(
            began=self._began,
            ended=now,
            cpu_demand_seconds=demand - self._demand_seconds,
            late_milliseconds=self._late,
        )
        self._began, self._demand_seconds, self._late = now, demand, collections.Counter()
        return watched


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
    # Who may not is late at times, and says so by itself.
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
    # Workers are forks of one process, which would all draw the same products.
    random.seed()
    watch = _WorkerWatch()
    runner.greenlet.spawn(watch.tick)

    @environment.events.report_to_master.add_listener
    def _(client_id: str, data: dict[str, object]) -> None:
        data["watched"] = watch.report().model_dump()


def _record_run(environment: env.Environment) -> None:
    recorder = _Recorder()

    @environment.events.test_start.add_listener
    def _(**_: object) -> None:
        recorder.judged_from = time.time() + plan.shape.measured_from

    @environment.events.worker_report.add_listener
    def _(client_id: str, data: dict[str, object]) -> None:
        if recorder.judged_from:
            recorder.take(client_id, _Report.model_validate(data))

    @environment.events.test_stop.add_listener
    def _(**_: object) -> None:
        recorder.judged_until = time.time()

    # `quit` comes after `quitting`, hence after the workers' last reports.
    @environment.events.quit.add_listener
    def _(exit_code: int) -> None:
        if recorder.taken:
            plan.measurement.write_text(recorder.measurement().model_dump_json(), encoding="utf-8")


class _Recorder:
    """Adds up the workers' reports."""

    def __init__(self) -> None:
        self.judged_from = 0.0
        self.judged_until = math.inf
        self.taken: dict[str, list[_Report]] = {}
        """The judged reports of each worker."""
        self._moments: dict[int, list[_Report]] = collections.defaultdict(list)

    def take(self, worker: str, report: _Report) -> None:
        """Add one report."""
        self._moments[int(report.watched.ended)].append(report)
        watched = report.watched
        if watched.began >= self.judged_from and watched.ended <= self.judged_until:
            self.taken.setdefault(worker, []).append(report)

    def measurement(self) -> measurement.Measurement:
        """Return what came of the run."""
        reports = [report for taken in self.taken.values() for report in taken]
        watched = [report.watched for report in reports]
        return measurement.Measurement(
            began=min(each.began for each in watched),
            ended=max(each.ended for each in watched),
            window_seconds=sum(map(_length, watched)) / len(self.taken),
            entries=tuple(_entries(reports)),
            course=tuple(_moment(at, self._moments[at]) for at in sorted(self._moments)),
            failures=tuple(_failures(reports)),
            workers=tuple(_worker(taken) for taken in self.taken.values()),
        )


def _length(watched: _Watched) -> float:
    return watched.ended - watched.began


def _entries(reports: list[_Report]) -> list[measurement.Entry]:
    parts = collections.defaultdict(list)
    for report in reports:
        for delta in report.stats:
            parts[delta.name].append(delta.counts())
    entries = []
    for name in sorted(parts):
        user, operation, marketplace = name.split()
        counts = measurement.Counts.total(parts[name])
        entries.append(
            measurement.Entry(
                user=user, operation=operation, marketplace=marketplace, counts=counts
            )
        )
    return entries


def _moment(at: int, reports: list[_Report]) -> measurement.Moment:
    counts = measurement.Counts.total(
        delta.counts() for report in reports for delta in report.stats
    )
    quantiles = {name: counts.quantile(share) for name, share in measurement.QUANTILES.items()}
    workers = len(reports)
    return measurement.Moment(
        at=at,
        seconds=sum(_length(report.watched) for report in reports) / workers,
        requests=counts.requests,
        failed=counts.failed,
        **quantiles,
    )


def _failures(reports: list[_Report]) -> list[measurement.Failure]:
    found: collections.Counter[tuple[str, str]] = collections.Counter()
    for report in reports:
        for error in report.errors.values():
            found[f"{error.method} {error.name}", error.error] += error.occurrences
    return [
        measurement.Failure(request=request, error=error, count=count)
        for (request, error), count in found.most_common()
    ]


def _worker(reports: list[_Report]) -> measurement.Worker:
    late = measurement.Counts.total(
        measurement.Counts(
            requests=sum(report.watched.late_milliseconds.values()),
            by_milliseconds=report.watched.late_milliseconds,
        )
        for report in reports
    )
    demand = sum(report.watched.cpu_demand_seconds for report in reports)
    return measurement.Worker(
        cpu_demand=demand / sum(_length(report.watched) for report in reports),
        late_p95_seconds=late.quantile(0.95),
    )
