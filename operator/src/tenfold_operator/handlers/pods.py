"""What pods say of themselves before a Deployment does."""

from collections.abc import Iterable, Iterator

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import number_at, object_at, objects_at, text_at

_STARTING = ("ContainerCreating", "PodInitializing", "")


def restarts(pod: JsonObject) -> int:
    """Return how often its containers were started again."""
    return sum(number_at(each, "restartCount") for each in _statuses(pod))


def _statuses(pod: JsonObject) -> tuple[JsonObject, ...]:
    kinds = ("initContainerStatuses", "containerStatuses")
    return tuple(each for kind in kinds for each in objects_at(pod, "status", kind))


def pod_troubles(pods: Iterable[JsonObject]) -> Iterator[str]:
    """Yield why pods are not ready: why they do not start, and how they last ended."""
    for pod in pods:
        for condition in objects_at(pod, "status", "conditions"):
            if condition.get("reason") == "Unschedulable":
                yield text_at(condition, "message")
        for status in _statuses(pod):
            yield from _of_container(status)


def _of_container(status: JsonObject) -> Iterator[str]:
    name = text_at(status, "name")
    waits = object_at(status, "state", "waiting")
    ended = object_at(status, "lastState", "terminated") or object_at(status, "state", "terminated")
    if text_at(waits, "reason") not in _STARTING:
        yield f"container {name}: {text_at(waits, 'reason')}"
    if ended and number_at(status, "restartCount"):
        code = number_at(ended, "exitCode")
        yield f"container {name} ended with code {code} ({text_at(ended, 'reason')})"
