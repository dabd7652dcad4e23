"""Workloads: what the watches told, decoded; then planned and applied."""

import asyncio
from collections.abc import Iterable
from datetime import datetime

from tenfold_operator.adapters.store import Store
from tenfold_operator.apply import Applier, is_owned
from tenfold_operator.handlers.outcome import carry_out
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
from tenfold_operator.model.observed import Backend, Revision, Route, WorkloadView
from tenfold_operator.plan.workload import plan_workload
from tenfold_operator.ports import Clock


class WorkloadHandler:
    """Brings one Workload at a time to what its spec says."""

    def __init__(self, store: Store, applier: Applier, journal: Journal, clock: Clock) -> None:
        self._store = store
        self._applier = applier
        self._journal = journal
        self._clock = clock

    async def reconcile(self, ref: Ref) -> float | None:
        """Observe, plan, apply; return in how many seconds to look again."""
        manifest = self._store.get(ref)
        if manifest is None or at(manifest, "metadata", "deletionTimestamp"):
            self._journal.forget(ref)
            return None
        view = observe(Workload.model_validate(manifest), self._store.related(ref))
        now = self._clock.now()
        plan = plan_workload(view, now)
        self._journal.write(ref, plan, now)
        return await asyncio.to_thread(
            carry_out, self._applier, view.workload, "Workload", plan, now, "Progressing"
        )


def observe(workload: Workload, related: Iterable[JsonObject]) -> WorkloadView:
    """Return the view of a Workload out of the objects that its label is on."""
    manifests = tuple(related)
    owned = [each for each in manifests if is_owned(each, workload.metadata)]
    by_ref = {ref_of(each): each for each in owned}
    slices = [each for each in manifests if each["kind"] == "EndpointSlice"]
    own = Ref("", workload.metadata.namespace, workload.metadata.name)
    route = by_ref.get(Ref("HTTPRoute", own.namespace, own.name))
    return WorkloadView(
        workload=workload,
        revisions=tuple(
            _revision(ref, manifest, by_ref.get(Ref("Service", ref.namespace, ref.name)), slices)
            for ref, manifest in by_ref.items()
            if ref.kind == "Deployment"
        ),
        route=_route(workload, route) if route else None,
        budget=by_ref.get(Ref("PodDisruptionBudget", own.namespace, own.name)),
    )


def _revision(
    ref: Ref, deployment: JsonObject, service: JsonObject | None, slices: Iterable[JsonObject]
) -> Revision:
    status = object_at(deployment, "status")
    # Until the controller has seen the present generation, its counts are of an older one.
    seen = number_at(status, "observedGeneration") >= number_at(
        deployment, "metadata", "generation"
    )
    ready = min(number_at(status, "readyReplicas"), number_at(status, "updatedReplicas"))
    created = time_at(deployment, "metadata", "creationTimestamp")
    return Revision(
        name=text_at(deployment, "metadata", "labels", REVISION),
        deployment=deployment,
        service=service,
        replicas=number_at(deployment, "spec", "replicas"),
        pods=number_at(status, "replicas"),
        ready=ready if seen else 0,
        endpoints=_endpoints(ref.name, slices),
        created=created or datetime.min,
        trouble="; ".join(_troubles(status)),
    )


def _endpoints(service: str, slices: Iterable[JsonObject]) -> int:
    label = "kubernetes.io/service-name"
    return sum(
        at(endpoint, "conditions", "ready") is not False
        for each in slices
        if text_at(each, "metadata", "labels", label) == service
        for endpoint in objects_at(each, "endpoints")
    )


def _troubles(status: JsonObject) -> Iterable[str]:
    for condition in objects_at(status, "conditions"):
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            yield text_at(condition, "message")


def _route(workload: Workload, manifest: JsonObject) -> Route:
    generation = number_at(manifest, "metadata", "generation")
    rules = objects_at(manifest, "spec", "rules")
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
