"""How many pods each Workload gets: Prometheus is asked and the planner decides, beside its looks.

A decision takes as long as Prometheus does. Nothing else of a Workload waits for it: a look takes
the last decision and begins the next one, whose end wakes the Workload.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from tenfold_operator import metrics
from tenfold_operator.forecast.ensemble import Ensemble
from tenfold_operator.forecast.members import KNOTS
from tenfold_operator.forecast.types import FAMILIES, Calendar, Campaign, Forecast
from tenfold_operator.handlers.forecasts import STEP, Forecasts, Question
from tenfold_operator.handlers.scaling_pods import Starts, signals
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import Workload, WorkloadScaling, WorkloadScalingStatus
from tenfold_operator.model.manifest import Ref, object_at, objects_at, quantity
from tenfold_operator.plan.scaling import capacity, memory, queries, startup
from tenfold_operator.plan.scaling import status as statuses
from tenfold_operator.plan.scaling.capacity import Capacity
from tenfold_operator.plan.scaling.decide import INTERVAL_SECONDS, Decision, Observed, decide
from tenfold_operator.plan.scaling.insight import Insight, Skill
from tenfold_operator.plan.scaling.load import Load, judge
from tenfold_operator.plan.scaling.outlook import Outlook, look_ahead
from tenfold_operator.plan.scaling.queries import Values
from tenfold_operator.plan.scaling.startup import Start
from tenfold_operator.ports import Clock, Metrics, Rejected, Unavailable

_LEARN_AGAIN = timedelta(seconds=60)
"""How often the capacity of a pod is learned anew."""
_log = structlog.get_logger()


@dataclass
class _Kept:
    """What is known of a Workload between two decisions."""

    spec: WorkloadScaling
    given: int
    """spec.replicas when it was last decided."""
    due: datetime
    status: WorkloadScalingStatus | None = None
    insight: Insight | None = None
    capacity: Capacity | None = None
    learned: datetime | None = None
    starts: Starts = field(default_factory=Starts)
    task: asyncio.Task[None] | None = None


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What a decision is about."""

    ref: Ref
    workload: Workload
    spec: WorkloadScaling
    pods: tuple[JsonObject, ...]
    replicas: int
    said: WorkloadScalingStatus | None


class Scaling:
    """Decides for each Workload with spec.scaling, every 15 s."""

    def __init__(
        self,
        *,
        prometheus: Metrics,
        clock: Clock,
        forecasts: Forecasts,
        wake: Callable[[Ref], Awaitable[None]],
    ) -> None:
        self._prometheus = prometheus
        self._clock = clock
        self._forecasts = forecasts
        self._wake = wake
        self._kept: dict[Ref, _Kept] = {}

    def look(
        self, workload: Workload, related: Iterable[JsonObject]
    ) -> WorkloadScalingStatus | None:
        """Return the last decision, and begin the next when it is due; None where scaling is off.

        What a person sets in spec.replicas beyond the decision counts at once, and it goes on
        from there. What is set below it is not taken over: a manifest that is applied again must
        not take away pods that serve.
        """
        meta, spec, now = workload.metadata, workload.spec.scaling, self._clock.now()
        ref = Ref("Workload", meta.namespace, meta.name)
        if spec is None:
            self.forget(ref)
            return None
        given = workload.spec.replicas
        kept = self._kept.setdefault(ref, _Kept(spec=spec, given=-1, due=now))
        said = kept.status or workload.status.scaling
        decided = said.replicas if said and said.replicas is not None else given
        is_raised = spec.mode == "Auto" and given > decided and given != kept.given
        replicas = given if is_raised or spec.mode == "Preview" else decided
        if kept.task is None and (now >= kept.due or kept.spec != spec or is_raised):
            kept.spec, kept.given, kept.due = spec, given, now + timedelta(seconds=INTERVAL_SECONDS)
            pods = tuple(each for each in related if each.get("kind") == "Pod")
            asked = _Asked(
                ref=ref, workload=workload, spec=spec, pods=pods, replicas=replicas, said=said
            )
            kept.task = asyncio.create_task(self._run(asked, kept))
        return said.model_copy(update={"replicas": given}) if said and is_raised else said

    def again(self, ref: Ref) -> float | None:
        """Return in how many seconds the next decision is due."""
        kept = self._kept.get(ref)
        return max(0.0, (kept.due - self._clock.now()).total_seconds()) if kept else None

    def forget(self, ref: Ref) -> None:
        """Decide for this Workload no longer."""
        kept = self._kept.pop(ref, None)
        if kept and kept.task:
            kept.task.cancel()
        self._forecasts.forget(_series(ref))

    def insights(self) -> Mapping[Ref, Insight]:
        """Return what was decided last, for the metrics."""
        return {ref: kept.insight for ref, kept in [*self._kept.items()] if kept.insight}

    async def _run(self, asked: _Asked, kept: _Kept) -> None:
        try:
            await self._decide(asked, kept)
        except Exception:  # noqa: BLE001 - one decision's bug must not stop the next
            # The number holds, as for any other doubt.
            metrics.SCALING_ERRORS.inc()
            _log.exception("scaling failed", owner=str(asked.ref))
        finally:
            kept.task = None
        if kept.status is not asked.said:
            await self._wake(asked.ref)

    async def _decide(self, asked: _Asked, kept: _Kept) -> None:
        ref, spec = asked.ref, asked.spec
        start = startup.measure(kept.starts.see(asked.pods), spec.start_seconds)
        load, recent = await self._load(asked, start)
        await self._learn(asked, kept)
        forecast, outlook = await self._look_ahead(asked, recent, start)
        observed = Observed(
            replicas=asked.replicas,
            load=load,
            capacity=kept.capacity,
            start=start,
            outlook=outlook,
        )
        now = self._clock.now()
        decision = decide(observed, spec, memory.recall(asked.said), now)
        model = self._forecasts.describe(_series(ref)) if spec.forecast.enabled else None
        kept.status = statuses.report(observed, decision, model, asked.said, now)
        kept.insight = self._insight(ref, observed, decision, forecast)
        if spec.mode == "Auto" and decision.replicas != asked.replicas:
            direction = "Out" if decision.replicas > asked.replicas else "In"
            metrics.SCALING_CHANGES.labels(ref.namespace, ref.name, direction).inc()

    async def _load(self, asked: _Asked, start: Start) -> tuple[Load, Values]:
        """Return the present load and its samples; an unknown one, with why, without Prometheus."""
        queried = queries.queries(asked.ref.namespace, asked.ref.name)
        now = self._clock.now()
        try:
            load, errors, targets = await asyncio.gather(
                self._range(queried[queries.LOAD], now),
                self._prometheus.query(queried[queries.ERRORS]),
                self._prometheus.query(queried[queries.TARGETS]),
            )
        except (Unavailable, Rejected) as error:
            return Load(level=None, doubts=(str(error),)), {}
        targets_up = queries.value(targets)
        # No series of errors means none, once the gateway is known to be asked.
        failing = queries.value(errors) if errors else 0.0 if targets_up else None
        told = signals(asked.pods, start.seconds, targets_up, failing, now)
        samples = sorted(load.items())
        return judge(
            [time for time, _ in samples],
            [value for _, value in samples],
            told,
            now.timestamp(),
            float(queries.FORECAST_STEP_SECONDS),
        ), load

    async def _learn(self, asked: _Asked, kept: _Kept) -> None:
        """Learn what a pod can serve; what was learned holds while Prometheus is away."""
        spec, now = asked.spec.capacity, self._clock.now()
        if spec.requests_per_minute is not None:
            kept.capacity, kept.learned = capacity.learn((), spec), None
            return
        if kept.learned and now - kept.learned < _LEARN_AGAIN:
            return
        queried = queries.queries(asked.ref.namespace, asked.ref.name)
        names = (queries.LOAD, queries.PODS, queries.LATENCY, queries.CPU)
        try:
            answers = await asyncio.gather(*(self._range(queried[each], now) for each in names))
        except (Unavailable, Rejected):
            return
        load, pods, latency, cpu = answers
        usages = queries.usages(load, pods, latency, cpu, _cores(asked.workload))
        kept.capacity, kept.learned = capacity.learn(usages, spec), now

    async def _look_ahead(
        self, asked: _Asked, recent: Values, start: Start
    ) -> tuple[Forecast | None, Outlook | None]:
        spec, name = asked.spec.forecast, _series(asked.ref)
        if not spec.enabled:
            self._forecasts.forget(name)
            return None, None
        seconds = start.seconds + INTERVAL_SECONDS
        asked_of = queries.queries(asked.ref.namespace, asked.ref.name)[queries.HISTORY]
        question = Question(name=name, expression=asked_of, calendar=_calendar(asked.spec))
        try:
            await self._forecasts.feed(question, round(seconds / STEP))
        except (Unavailable, Rejected) as error:
            _log.info("a forecast was not fed", series=name, error=str(error))
        found = await asyncio.to_thread(self._forecasts.predict, name, recent, seconds)
        if found is None:
            return None, None
        forecast, origin = found
        return forecast, look_ahead(forecast, origin, float(spec.quantile))

    async def _range(self, expression: str, now: datetime) -> Values:
        start = now - timedelta(seconds=queries.LOOK_BACK_SECONDS)
        step = float(queries.SAMPLE_SECONDS)
        return queries.values(await self._prometheus.query_range(expression, start, now, step))

    def _insight(
        self, ref: Ref, observed: Observed, decision: Decision, forecast: Forecast | None
    ) -> Insight:
        models = self._forecasts.models(_series(ref))
        champion = models.get("champion")
        steps = round(decision.horizon_seconds / STEP)
        return Insight(
            observed=observed,
            decision=decision,
            forecast=forecast,
            records={role: record for role, (record, _) in models.items()},
            skill=_skill(champion[1], steps) if champion else None,
        )


def _series(ref: Ref) -> str:
    return f"{ref.namespace}.{ref.name}"


def _calendar(spec: WorkloadScaling) -> Calendar:
    campaigns = tuple(
        Campaign(name=each.name, start=each.start, end=each.end) for each in spec.forecast.campaigns
    )
    return Calendar(timezone=spec.forecast.time_zone, campaigns=campaigns)


def _cores(workload: Workload) -> float | None:
    """Return the CPU limit, or else request, of a pod; None where a container has neither."""
    containers = objects_at(object_at(workload.spec.template.to_json(), "spec"), "containers")
    cores = []
    for each in containers:
        resources = object_at(each, "resources")
        given = [object_at(resources, kind).get("cpu") for kind in ("limits", "requests")]
        cores.append(next((quantity(cpu) for cpu in given if cpu is not None), None))
    known = [float(each) for each in cores if each is not None]
    return sum(known) if known and len(known) == len(cores) else None


def _skill(ensemble: Ensemble, steps: int) -> Skill:
    """Return how good a model has been at a horizon."""
    track = ensemble.track
    knot = next((index for index, each in enumerate(KNOTS) if each >= steps), len(KNOTS) - 1)
    load = max(track.load, 1e-12)
    rows = dict(zip(FAMILIES, track.errors, strict=True))
    rows |= {"ensemble": track.ensemble, "last_value": track.last_value}
    ratios = {model: float(row[knot]) / load for model, row in rows.items()}
    known = {model: ratio for model, ratio in ratios.items() if ratio == ratio}
    return Skill(error_ratios=known, drift=ensemble.monitor.seen())
