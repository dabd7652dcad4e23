"""The node guard: takes pods on a node that is cut off out of their Services within a second.

A program of its own, one in each of several zones: the one whose own zone is cut off can do
nothing. They need no leader, since all do the same thing and doing it twice changes nothing.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator, Sequence

import prometheus_client
import structlog
from prometheus_client import Counter, Gauge

from tenfold_operator import logs
from tenfold_operator.adapters.clock import SystemClock
from tenfold_operator.adapters.kubernetes import KubernetesCluster, load_configuration
from tenfold_operator.adapters.probe import answers
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import Ref, holding, number_at, objects_at, text_at
from tenfold_operator.plan import reachability
from tenfold_operator.plan.reachability import Contact, Node, NodePod
from tenfold_operator.ports import Clock, NodeCluster, Probe, Unavailable
from tenfold_operator.settings import namespaces_of

PROBE_SECONDS = 0.3
"""Between probes of a node, and how long one may take."""
REFRESH_SECONDS = 5.0
"""Between looks at which nodes and pods there are."""
_METRICS_PORT = 9090
_log = structlog.get_logger()

REACHABLE = Gauge("tenfold_guard_node_reachable", "Whether the node answers this guard.", ["node"])
MARKED = Counter(
    "tenfold_guard_pods_marked_total",
    "Pods whose traffic was taken away since their node is cut off.",
    ["namespace", "node"],
)


class Guard:
    """Probes every node, and acts on those that fall silent."""

    def __init__(
        self, cluster: NodeCluster, probe: Probe, clock: Clock, namespaces: Sequence[str]
    ) -> None:
        self._cluster, self._probe, self._clock = cluster, probe, clock
        self._namespaces = namespaces
        self._known: dict[Node, asyncio.Task[None]] = {}
        self._contacts: dict[str, Contact] = {}
        self._pods: tuple[NodePod, ...] = ()
        self._acting = asyncio.Lock()

    async def run(self) -> None:
        """Guard for ever."""
        while True:
            with _going_on():
                await self.refresh()
                await self.act()
            await asyncio.sleep(REFRESH_SECONDS)

    async def refresh(self) -> None:
        """Learn which nodes and pods there are, and probe exactly these nodes."""
        manifests = await asyncio.to_thread(self._cluster.find, "Node", "", "")
        found = [node for each in manifests if (node := _node(each)).address]
        self._pods = await asyncio.to_thread(self._find_pods)
        for node in set(self._known) - set(found):
            self._known.pop(node).cancel()
        names = {each.name for each in found}
        for name in set(self._contacts) - names:
            del self._contacts[name]
            REACHABLE.remove(name)
        for node in set(found) - set(self._known):
            self._contacts.setdefault(node.name, Contact())
            self._known[node] = asyncio.create_task(self._watch(node))

    def _find_pods(self) -> tuple[NodePod, ...]:
        found = (self._cluster.find("Pod", each, "") for each in self._namespaces)
        return tuple(_pod(manifest) for manifests in found for manifest in manifests)

    async def _watch(self, node: Node) -> None:
        while True:
            began = time.monotonic()
            answered = await self._probe(node, PROBE_SECONDS)
            if answered is not None:
                await self.note(node.name, began, is_answered=answered)
            if answered is not False:
                await asyncio.sleep(PROBE_SECONDS)

    async def note(self, node: str, began: float, *, is_answered: bool) -> None:
        """Take the outcome of a probe into account; act when it makes nodes lost ones."""
        before = reachability.lost(self._contacts)
        contact = self._contacts[node].after(began, is_answered=is_answered)
        self._contacts[node] = contact
        REACHABLE.labels(node).set(contact.misses < reachability.MISSES)
        now = reachability.lost(self._contacts)
        if now - before:
            _log.warning("nodes are cut off", nodes=sorted(now - before))
            with _going_on():
                await self.act()
        if before - now:
            _log.info("nodes answer again", nodes=sorted(before - now))

    async def act(self) -> None:
        """Take the traffic from pods on lost nodes, all at once."""
        async with self._acting:
            gone = reachability.without_traffic(self._pods, reachability.lost(self._contacts))
            outcomes = await asyncio.gather(*map(self._mark, gone), return_exceptions=True)
            marked = {pod for pod, outcome in zip(gone, outcomes, strict=True) if outcome is None}
            self._pods = tuple(each for each in self._pods if each not in marked)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _mark(self, pod: NodePod) -> None:
        message = f"{pod.node} does not answer the node guard; others serve instead"
        condition: JsonObject = {
            "type": "Ready",
            "status": "False",
            "reason": "NodeCutOff",
            "message": message,
            "lastTransitionTime": self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        # As Kubernetes itself would a little later. The kubelet sets it anew when it is back.
        ref = Ref("Pod", pod.namespace, pod.name)
        await asyncio.to_thread(self._cluster.merge_status, ref, {"conditions": [condition]})
        MARKED.labels(pod.namespace, pod.node).inc()
        _log.warning("took the traffic from a pod", pod=f"{pod.namespace}/{pod.name}")


@contextlib.contextmanager
def _going_on() -> Iterator[None]:
    """Go on where the API server cannot be asked: it is asked again with the next look."""
    try:
        yield
    except Unavailable as error:
        _log.warning("the API server cannot be asked", error=str(error))


def _node(manifest: JsonObject) -> Node:
    addresses = objects_at(manifest, "status", "addresses")
    return Node(
        name=text_at(manifest, "metadata", "name"),
        address=next(
            (text_at(each, "address") for each in addresses if each.get("type") == "InternalIP"), ""
        ),
        port=number_at(manifest, "status", "daemonEndpoints", "kubeletEndpoint", "Port"),
    )


def _pod(manifest: JsonObject) -> NodePod:
    owners = objects_at(manifest, "metadata", "ownerReferences")
    return NodePod(
        namespace=text_at(manifest, "metadata", "namespace"),
        name=text_at(manifest, "metadata", "name"),
        node=text_at(manifest, "spec", "nodeName"),
        controller=next((text_at(each, "uid") for each in owners if each.get("controller")), ""),
        is_ready=holding(manifest, "Ready") is not None,
    )


def main() -> None:
    """Guard until told to end."""
    namespaces = namespaces_of(os.environ)
    logs.configure()
    load_configuration()
    prometheus_client.start_http_server(_METRICS_PORT)
    # What was decided before a cut must not be done after it.
    cluster = KubernetesCluster(timeout_seconds=(1, 2), retries=0)
    guard = Guard(cluster, answers, SystemClock(), namespaces)
    asyncio.run(_until_told_to_end(guard))


async def _until_told_to_end(guard: Guard) -> None:
    running = asyncio.create_task(guard.run())
    # Process 1 of a container has no default for it, and would be killed at the end of its grace.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running


if __name__ == "__main__":
    main()
