"""One step of a rollout: whether it may be passed, what it waits for, why it is given up."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenfold_operator.model.generated import WorkloadProgress, WorkloadRolloutStep
from tenfold_operator.model.observed import Revision, WorkloadView
from tenfold_operator.plan import analysis
from tenfold_operator.plan.traffic import pods_for

PROMOTE = "tenfold.dev/promote"
"""Annotation: REVISION@ATTEMPT/STEP passes that step now, REVISION@ATTEMPT/all every step."""
ABORT = "tenfold.dev/abort"
"""Annotation: REVISION@ATTEMPT gives this attempt up."""

_GROUP_LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Advance:
    """The step is passed."""


@dataclass(frozen=True)
class Hold:
    """The step goes on."""

    reason: str
    message: str
    until: datetime | None = None
    """When that may change by itself."""


@dataclass(frozen=True)
class GiveUp:
    """The revision has failed."""

    reason: str
    message: str


Outcome = Advance | Hold | GiveUp


def converged_at(view: WorkloadView, now: datetime) -> datetime | None:
    """Return since when the gateway serves the live route; None while it may serve an older one."""
    route, status = view.route, view.workload.status
    if route is None or route.accepted is not True:
        return None
    known = status.route_time if status.route_generation == route.generation else None
    return known or now.replace(microsecond=0)


def _begun(now: datetime) -> dict[str, object]:
    return {"step_time": now.replace(microsecond=0), "served_time": None}


def find(view: WorkloadView, name: str) -> Revision | None:
    """Return a revision as it is; None when it has no Deployment."""
    return next((each for each in view.revisions if each.name == name), None)


def serving(revision: Revision | None) -> int:
    """Return how many pods of it answer requests: the addresses that its Service gives out.

    Not what the Deployment counts: that is unknown for a moment after each change of its size.
    """
    return revision.endpoints if revision else 0


def settled(revision: Revision | None) -> int:
    """Return how many pods of it answer requests and are as the template wants them."""
    return min(revision.ready, revision.endpoints) if revision else 0


class Look:
    """One look at one step."""

    def __init__(
        self,
        view: WorkloadView,
        now: datetime,
        progress: WorkloadProgress,
        stable: str,
        steps: tuple[WorkloadRolloutStep, ...],
    ) -> None:
        self._view, self._now, self._stable = view, now, stable
        self._spec = view.workload.spec.rollout
        # An edit may have changed or removed the step meanwhile.
        number = min(progress.step, len(steps) - 1)
        self._step = steps[number]
        self._progress = progress.model_copy(
            update={
                "step": number,
                "steps": len(steps),
                "weight": self._step.weight,
                "passed_weight": min(progress.passed_weight, self._step.weight),
                **({} if self._step.weight == progress.weight else _begun(now)),
            }
        )
        self._target = find(view, progress.revision)

    def outcome(self) -> tuple[WorkloadProgress, Outcome]:
        """Return the rollout with what was learned, and whether the step is passed."""
        self._update(done=None)
        self._serve()
        self._judge()
        found = next(self._reasons(), Advance())
        if isinstance(found, GiveUp) and not self._can_go_back():
            message = f"{found.message}; but revision {self._stable} has no pod that is ready"
            found = Hold("StableNotReady", message)
        return self._progress, found

    def _update(self, **values: object) -> None:
        self._progress = self._progress.model_copy(update=values)

    def _can_go_back(self) -> bool:
        return serving(find(self._view, self._stable)) > 0 or serving(self._target) == 0

    def _serve(self) -> None:
        """Note when the gateway was first seen to serve the step."""
        is_served = self._view.live.get(self._progress.revision) == self._step.weight
        since = converged_at(self._view, self._now)
        if is_served and since and self._progress.served_time is None:
            self._update(served_time=max(since, self._step_time))

    @property
    def _step_time(self) -> datetime:
        return self._progress.step_time or self._progress.start_time

    def _judge(self) -> None:
        """Note what Prometheus says, once for each time that it was asked.

        Also while the next step waits for its pods: what serves can fail then as well.
        """
        readings, judged = self._view.readings, self._progress.judged_time
        if not self._spec.analysis or not readings or not self._has_had_traffic():
            return
        if judged and readings.time <= judged:
            return
        if self._is_of_former_attempt(readings.time):
            return
        verdicts = analysis.judge(
            self._view.workload, self._progress.revision, self._stable, readings
        )
        worst = analysis.overall(verdicts)
        self._update(
            verdicts=verdicts,
            judged_time=readings.time,
            failures=(self._progress.failures or 0) + 1 if worst == "Failed" else 0,
            unjudged_since=(self._progress.unjudged_since or readings.time)
            if worst == "Unjudged"
            else None,
        )

    def _has_had_traffic(self) -> bool:
        progress = self._progress
        served = progress.weight if progress.served_time else progress.passed_weight
        return served > 0 or self._view.live.get(progress.revision, 0) > 0

    def _is_of_former_attempt(self, time: datetime) -> bool:
        """Tell whether the window still holds requests of an attempt that was given up."""
        spec = self._spec.analysis
        seconds = self._spec.drain_seconds + (spec.window_seconds if spec else 0)
        return any(
            time < each.time + timedelta(seconds=seconds)
            for each in self._view.workload.status.failed_revisions
            if each.revision == self._progress.revision
        )

    def _reasons(self) -> Iterator[Outcome]:
        """Yield what stands in the way, the most serious first."""
        yield from self._commands()
        yield from self._health()
        yield from self._group_failed()
        yield from self._condemned()
        yield from self._capacity()
        yield from self._unproven()
        if not self._is_promoted():
            yield from self._hold()
        self._update(done=True)
        yield from self._group_waits()

    def _commands(self) -> Iterator[Outcome]:
        wanted = self._view.workload.metadata.annotations.get(ABORT)
        if wanted == f"{self._progress.revision}@{self._progress.attempt}":
            yield GiveUp("Aborted", "a person aborted it")

    def _is_promoted(self) -> bool:
        attempt = f"{self._progress.revision}@{self._progress.attempt}"
        wanted = self._view.workload.metadata.annotations.get(PROMOTE)
        return wanted in (f"{attempt}/{self._progress.step}", f"{attempt}/all")

    def _health(self) -> Iterator[Outcome]:
        if self._target and self._target.restarts > self._spec.max_restarts:
            trouble = f": {self._target.trouble}" if self._target.trouble else ""
            count = f"its containers restarted {self._target.restarts} times"
            yield GiveUp("CrashLooping", f"{count}, at most {self._spec.max_restarts}{trouble}")

    def _capacity(self) -> Iterator[Outcome]:
        refused = analysis.refusal(self._view.readings) if self._spec.analysis else None
        if refused and not self._is_promoted():
            yield Hold(*refused)
        needed = pods_for(self._view.total, self._step.weight)
        ready = settled(self._target)
        if ready < needed:
            yield self._not_ready(ready, needed)
        if self._progress.served_time is None:
            share = f"{self._step.weight}% of the traffic"
            yield Hold("WaitingForGateway", f"the gateway takes over {share}")

    def _not_ready(self, ready: int, needed: int) -> Outcome:
        trouble = f": {self._target.trouble}" if self._target and self._target.trouble else ""
        count = f"{ready} of {needed} pods of {self._progress.revision} are ready{trouble}"
        seconds = self._spec.progress_deadline_seconds
        deadline = self._step_time + timedelta(seconds=seconds)
        # A step that was served has been ready: what fails later is the business of its analysis.
        if self._now >= deadline and (
            self._progress.served_time is None or not serving(self._target)
        ):
            return GiveUp("ProgressDeadlineExceeded", f"after {seconds} s {count}")
        until = deadline if self._now < deadline else None
        return Hold("WaitingForPods", count, until)

    def _condemned(self) -> Iterator[Outcome]:
        """Bad news needs no pods and no gateway: traffic that fails now goes back now."""
        spec, progress = self._spec.analysis, self._progress
        if not spec:
            return
        if progress.failures and progress.failures >= spec.failure_limit:
            yield GiveUp("AnalysisFailed", _said(progress, "Failed"))
        # Measured from answer to answer: time without an operator is nobody's failure.
        since, judged = progress.unjudged_since, progress.judged_time
        limit = timedelta(seconds=spec.inconclusive_seconds)
        if since and judged and judged - since >= limit and not self._is_promoted():
            message = f"it could not be judged for {spec.inconclusive_seconds} s"
            yield GiveUp("Inconclusive", f"{message}; {_said(progress, 'Unjudged')}")

    def _unproven(self) -> Iterator[Outcome]:
        if not self._spec.analysis or not self._step.weight or self._is_promoted():
            return
        progress = self._progress
        worst = analysis.overall(progress.verdicts)
        is_fresh = progress.judged_time and progress.judged_time >= (
            progress.served_time or self._now
        )
        if not is_fresh or worst in ("Unjudged", "Failed"):
            why = _said(progress, "Unjudged", "Failed") or "Prometheus has not judged it yet"
            yield Hold("WaitingForAnalysis", why)
        if worst == "TooFew":
            yield Hold("TooFewRequests", _said(progress, "TooFew"))

    def _hold(self) -> Iterator[Outcome]:
        until = (self._progress.served_time or self._now) + timedelta(
            seconds=self._step.hold_seconds
        )
        share = f"{self._step.weight}% of the traffic"
        if self._now < until:
            yield Hold("Holding", f"{share} until {until:%H:%M:%S}", until)
        if self._spec.paused or self._step.pause:
            yield Hold("Paused", f"{share} until a person promotes it")

    def _group_failed(self) -> Iterator[Outcome]:
        for peer in self._view.peers:
            if peer.failed_at and peer.failed_at >= self._progress.start_time:
                message = f"{peer.name} of the same group failed: {peer.failure}"
                yield GiveUp("GroupAborted", message)

    def _group_waits(self) -> Iterator[Outcome]:
        behind = [each.name for each in self._view.peers if each.is_behind(self._progress.step)]
        if behind:
            until = self._now + timedelta(seconds=_GROUP_LOOK_SECONDS)
            message = f"{', '.join(behind)} of the same group must pass this step too"
            yield Hold("WaitingForGroup", message, until)


def _said(progress: WorkloadProgress, *outcomes: str) -> str:
    """Return what the metrics of these outcomes say."""
    return "; ".join(
        f"{each.metric}: {each.message}" for each in progress.verdicts if each.outcome in outcomes
    )
