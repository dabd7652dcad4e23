"""Workloads: what the watches told, decoded; then planned and applied."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from tenfold_operator import metrics
from tenfold_operator.adapters.store import Store
from tenfold_operator.apply import Applier, is_owned
from tenfold_operator.handlers.config import read_config
from tenfold_operator.handlers.outcome import carry_out
from tenfold_operator.handlers.pods import pod_troubles, restarts
from tenfold_operator.handlers.scaling import Scaling
from tenfold_operator.journal import Journal
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import Workload
from tenfold_operator.model.manifest import (
    Ref,
    at,
    number_at,
    object_at,
    objects_at,
    ref_of,
    text_at,
    time_at,
)
from tenfold_operator.model.names import REVISION
from tenfold_operator.model.observed import (
    Backend,
    Peer,
    Reading,
    Readings,
    Revision,
    Route,
    WorkloadView,
)
from tenfold_operator.plan.workload import plan_workload, questions
from tenfold_operator.ports import Clock, Cluster, Metrics, Rejected, Unavailable

_CONFIG_SECONDS = 15.0
"""How often ConfigMaps and Secrets are looked at: nobody tells of their changes, since watching
Secrets would need the right to read them all."""
_GROUP_SECONDS = 2.0
_DRAIN_SECONDS = 3.0


class WorkloadHandler:
    """Brings one Workload at a time to what its spec says."""

    def __init__(
        self,
        *,
        store: Store,
        cluster: Cluster,
        prometheus: Metrics,
        applier: Applier,
        journal: Journal,
        clock: Clock,
        scaling: Scaling,
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._prometheus = prometheus
        self._applier = applier
        self._journal = journal
        self._clock = clock
        self._scaling = scaling
        self._asked: dict[Ref, tuple[Mapping[str, str], Readings]] = {}

    async def reconcile(self, ref: Ref) -> float | None:
        """Observe, plan, apply; return in how many seconds to look again."""
        manifest = self._store.get(ref)
        if manifest is None or at(manifest, "metadata", "deletionTimestamp"):
            self._journal.forget(ref)
            self._asked.pop(ref, None)
            self._scaling.forget(ref)
            return None
        workload = Workload.model_validate(manifest)
        config = await asyncio.to_thread(read_config, self._cluster, workload)
        related = self._store.related(ref)
        seen = observe(workload, related, config, self._peers(workload))
        scaling = self._scaling.look(workload, related)
        view = await self._ask(ref, replace(seen, scaling=scaling))
        now = self._clock.now()
        plan = plan_workload(view, now)
        self._journal.write(ref, plan, now)
        metrics.count_rollout(view, now)
        due = await asyncio.to_thread(
            carry_out, self._applier, workload, "Workload", plan, now, "Progressing"
        )
        looks = (due, _again(view), self._scaling.again(ref))
        return min((each for each in looks if each is not None), default=None)

    async def _ask(self, ref: Ref, view: WorkloadView) -> WorkloadView:
        """Return the view with what Prometheus says, asked anew when it is time."""
        now = self._clock.now()
        asked = questions(view, now)
        if not asked:
            self._asked.pop(ref, None)
            return view
        before, readings = self._asked.get(ref, ({}, None))
        if readings is None or before != asked or now - readings.time >= _interval(view):
            answers = await asyncio.gather(*map(self._read, asked.values()))
            by_name = dict(zip(asked, answers, strict=True))
            readings = Readings(time=self._clock.now(), by_name=by_name)
            self._asked[ref] = (asked, readings)
        return replace(view, readings=readings)

    async def _read(self, expression: str) -> Reading:
        try:
            return Reading(samples=await self._prometheus.query(expression))
        except Rejected as error:
            return Reading(trouble=error.message, is_invalid=True)
        except Unavailable as error:
            return Reading(trouble=str(error))

    def _peers(self, workload: Workload) -> tuple[Peer, ...]:
        group, meta = workload.spec.rollout.group, workload.metadata
        others = (
            Workload.model_validate(each)
            for each in (self._store.all("Workload") if group else ())
            if ref_of(each).namespace == meta.namespace and ref_of(each).name != meta.name
        )
        return tuple(_peer(each) for each in others if each.spec.rollout.group == group)


def _interval(view: WorkloadView) -> timedelta:
    analysis = view.workload.spec.rollout.analysis
    if analysis and view.workload.status.progress:
        return timedelta(seconds=analysis.interval_seconds)
    return timedelta(seconds=_DRAIN_SECONDS)


def _again(view: WorkloadView) -> float | None:
    """Return in how many seconds something may have changed that no watch tells of."""
    looks = [
        _interval(view).total_seconds() if view.readings else None,
        _CONFIG_SECONDS if view.config else None,
        _GROUP_SECONDS if view.peers and view.workload.status.progress else None,
    ]
    return min((each for each in looks if each is not None), default=None)


def _peer(workload: Workload) -> Peer:
    status = workload.status
    progress = status.progress
    failed = (
        []
        if progress
        else [each for each in status.failed_revisions if each.revision == status.target_revision]
    )
    return Peer(
        name=workload.metadata.name,
        step=progress.step if progress else None,
        done=bool(progress and progress.done),
        failed_at=failed[0].time if failed else None,
        failure=failed[0].message if failed else "",
    )


def observe(
    workload: Workload,
    related: Iterable[JsonObject],
    config: Mapping[str, str],
    peers: tuple[Peer, ...] = (),
) -> WorkloadView:
    """Return the view of a Workload out of the objects that its label is on."""
    manifests = tuple(related)
    owned = {ref_of(each): each for each in manifests if is_owned(each, workload.metadata)}
    own = Ref("", workload.metadata.namespace, workload.metadata.name)
    route = owned.get(Ref("HTTPRoute", own.namespace, own.name))
    return WorkloadView(
        workload=workload,
        revisions=tuple(
            _revision(manifest, owned.get(Ref("Service", ref.namespace, ref.name)), manifests)
            for ref, manifest in owned.items()
            if ref.kind == "Deployment"
        ),
        route=_route(workload, route) if route else None,
        budget=owned.get(Ref("PodDisruptionBudget", own.namespace, own.name)),
        config=config,
        peers=peers,
    )


def _revision(
    deployment: JsonObject, service: JsonObject | None, related: tuple[JsonObject, ...]
) -> Revision:
    name = text_at(deployment, "metadata", "labels", REVISION)
    status = object_at(deployment, "status")
    # Until the controller has seen the present generation, its counts are of an older one.
    seen = number_at(status, "observedGeneration") >= number_at(
        deployment, "metadata", "generation"
    )
    ready = min(number_at(status, "readyReplicas"), number_at(status, "updatedReplicas"))
    created = time_at(deployment, "metadata", "creationTimestamp")
    slices = [each for each in related if each["kind"] == "EndpointSlice"]
    pods = [
        each
        for each in related
        if each["kind"] == "Pod" and text_at(each, "metadata", "labels", REVISION) == name
    ]
    complaints = (*_complaints(status), *pod_troubles(pods))
    return Revision(
        name=name,
        deployment=deployment,
        service=service,
        replicas=number_at(deployment, "spec", "replicas"),
        pods=number_at(status, "replicas"),
        ready=ready if seen else 0,
        endpoints=_endpoints(ref_of(deployment).name, slices),
        created=created or datetime.min,
        is_stuck=seen and _is_stuck(status),
        restarts=max(map(restarts, pods), default=0),
        trouble="; ".join(dict.fromkeys(complaints)),
    )


def _endpoints(service: str, slices: Iterable[JsonObject]) -> int:
    label = "kubernetes.io/service-name"
    return sum(
        at(endpoint, "conditions", "ready") is not False
        for each in slices
        if text_at(each, "metadata", "labels", label) == service
        for endpoint in objects_at(each, "endpoints")
    )


def _complaints(status: JsonObject) -> Iterable[str]:
    for condition in objects_at(status, "conditions"):
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            yield text_at(condition, "message")


def _is_stuck(status: JsonObject) -> bool:
    return any(
        each.get("type") == "Progressing" and each.get("reason") == "ProgressDeadlineExceeded"
        for each in objects_at(status, "conditions")
    )


def _route(workload: Workload, manifest: JsonObject) -> Route:
    generation = number_at(manifest, "metadata", "generation")
    rules = objects_at(manifest, "spec", "rules")[-1:]  # those before match headers as well
    prefix = f"{workload.metadata.name}-"
    backends = tuple(
        Backend(
            text_at(each, "name").removeprefix(prefix),
            number_at(each, "port"),
            number_at(each, "weight"),
        )
        for rule in rules
        for each in objects_at(rule, "backendRefs")
    )
    found = _conditions(workload, manifest, generation)
    missing = [name for name in ("Accepted", "ResolvedRefs") if name not in found]
    bad = [each for each in found.values() if each.get("status") != "True"]
    told = bad[0] if bad else found.get("Accepted", {})
    return Route(
        manifest=manifest,
        generation=generation,
        backends=backends,
        accepted=None if missing else not bad,
        reason=text_at(told, "reason") or "Accepted",
        message=text_at(told, "message") or "the Gateway has accepted the route",
    )


def _conditions(workload: Workload, manifest: JsonObject, generation: int) -> dict[str, JsonObject]:
    """Return what our Gateway says of this generation of the route, by type."""
    gateway = workload.spec.route.gateway
    return {
        text_at(condition, "type"): condition
        for parent in objects_at(manifest, "status", "parents")
        if text_at(parent, "parentRef", "name") == gateway.name
        and text_at(parent, "parentRef", "namespace") == gateway.namespace
        for condition in objects_at(parent, "conditions")
        if number_at(condition, "observedGeneration") == generation
    }
