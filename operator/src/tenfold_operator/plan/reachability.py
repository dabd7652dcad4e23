"""Which nodes are cut off, and which of their pods lose their traffic.

Kubernetes takes a node for lost when its kubelet has been silent for tens of seconds. Until then
every request that goes there times out.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

MISSES = 2
"""Probes in a row without an answer that make a node a lost one: a single packet may get lost."""


@dataclass(frozen=True)
class Node:
    """Where a node's kubelet listens."""

    name: str
    address: str
    port: int


@dataclass(frozen=True)
class NodePod:
    """A pod, as far as it matters to those who send it requests."""

    namespace: str
    name: str
    node: str
    controller: str
    """Of what it is one of many: the uid of its ReplicaSet or StatefulSet; empty without one."""
    is_ready: bool


@dataclass(frozen=True)
class Contact:
    """What probes of a node have said; times are those at which a probe began, in seconds."""

    answered: float = -math.inf
    """The last one that was answered."""
    silent_since: float = math.inf
    """The first one after it that was not."""
    misses: int = 0
    """How many there are of these."""

    def after(self, began: float, *, is_answered: bool) -> "Contact":
        """Return what is known after one more probe."""
        if is_answered:
            return Contact(answered=began)
        return replace(self, silent_since=min(self.silent_since, began), misses=self.misses + 1)


def lost(contacts: Mapping[str, Contact]) -> frozenset[str]:
    """Return the nodes that are cut off, of all that there are; none where we may be it ourselves.

    Others must have answered since a node fell silent, and more than half of all: who is cut off
    himself does not find every node silent in the same moment.
    """
    return frozenset(
        name
        for name, contact in contacts.items()
        if contact.misses >= MISSES
        and 2 * sum(each.answered >= contact.silent_since for each in contacts.values())
        > len(contacts)
    )


def without_traffic(pods: Iterable[NodePod], lost_nodes: frozenset[str]) -> tuple[NodePod, ...]:
    """Return the pods that should get no requests: those on lost nodes whom others can replace.

    Where all pods of a controller are on lost nodes they stay: nobody could serve instead, and
    requests that may fail are better than requests that must.
    """
    ready = [each for each in pods if each.is_ready and each.controller]
    replaced = {each.controller for each in ready if each.node not in lost_nodes}
    return tuple(each for each in ready if each.node in lost_nodes and each.controller in replaced)
