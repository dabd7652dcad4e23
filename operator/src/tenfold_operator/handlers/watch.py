"""Watches: every change of an object that concerns a custom resource wakes that resource."""

import asyncio
from collections.abc import Awaitable, Callable

import kopf
import structlog

from tenfold_operator.adapters.kubernetes import plural
from tenfold_operator.adapters.store import Store, owner_of
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import Ref, ref_of
from tenfold_operator.model.names import API_VERSIONS, MANAGER, TIER, WORKLOAD
from tenfold_operator.ports import Cluster, Rejected, Unavailable

_OURS = f"app.kubernetes.io/managed-by={MANAGER}"
SELECTORS = {
    "AnomalyDetector": "",
    "Workload": "",
    "RedisTier": "",
    "RedisBackup": "",
    "RedisRestore": "",
    "ConfigMap": _OURS,
    "CronJob": _OURS,
    "Deployment": _OURS,
    "HTTPRoute": _OURS,
    "Job": _OURS,
    "PodDisruptionBudget": _OURS,
    "Service": _OURS,
    "StatefulSet": _OURS,
    "EndpointSlice": WORKLOAD,
    "Pod": _OURS,
    # Made by StatefulSets, with the labels that choose their pods.
    "PersistentVolumeClaim": TIER,
}
"""What is watched, and by which labels the API server chooses."""
OWNERS = ("Workload", "RedisTier", "RedisBackup", "RedisRestore", "AnomalyDetector")
"""The custom resources among them."""

_REFRESH_SECONDS = 300.0
_RETRY_SECONDS = 2.0
_log = structlog.get_logger()
Wake = Callable[[Ref], Awaitable[None]]


def register(registry: kopf.OperatorRegistry, store: Store, wake: Wake) -> None:
    """Have kopf watch everything in SELECTORS.

    Only plain event handlers: they need no annotations, no finalizers and no progress.
    """

    async def on_event(type: str | None, body: kopf.Body, **_: object) -> None:
        manifest: JsonObject = dict(body)
        if type == "DELETED":
            store.drop(ref_of(manifest))
        else:
            store.put(manifest)
        if owner := owner_of(manifest):
            await wake(owner)

    for kind in SELECTORS:
        group, _, version = API_VERSIONS[kind].rpartition("/")
        kopf.on.event(
            group=group, version=version, plural=plural(kind), id=f"watch-{kind}", registry=registry
        )(on_event)


def settings() -> kopf.OperatorSettings:
    """Return kopf's settings."""
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False
    chosen.peering.standalone = True
    # A watch that went silent is not noticed otherwise.
    chosen.watching.server_timeout = 300
    chosen.watching.inactivity_timeout = 70
    chosen.networking.request_timeout = 30
    for kind, selector in SELECTORS.items():
        if selector:
            group, _, version = API_VERSIONS[kind].rpartition("/")
            chosen.watching.label_selectors[group, version, plural(kind)] = selector
    return chosen


async def refresh(store: Store, cluster: Cluster, namespaces: tuple[str, ...], wake: Wake) -> None:
    """Read everything once, and wake every custom resource."""
    for namespace in namespaces:
        for kind, selector in SELECTORS.items():
            store.mark()
            found = await asyncio.to_thread(cluster.find, kind, namespace, selector)
            store.replace(kind, namespace, found)
    for kind in OWNERS:
        for manifest in store.all(kind):
            await wake(ref_of(manifest))


async def keep_fresh(
    store: Store,
    cluster: Cluster,
    namespaces: tuple[str, ...],
    wake: Wake,
    is_fresh: asyncio.Event,
) -> None:
    """Refresh now and for ever: kopf does not tell of what was deleted while a watch was broken.

    Sets `is_fresh` after the first time: before that, what is missing may only be unknown.
    """
    while True:
        try:
            await refresh(store, cluster, namespaces, wake)
            is_fresh.set()
            await asyncio.sleep(_REFRESH_SECONDS)
        except (Unavailable, Rejected) as error:
            _log.warning("refresh failed", error=str(error))
            await asyncio.sleep(_RETRY_SECONDS)
