"""Why an object is not ready, in the words of its pods and of the events about it."""

from collections.abc import Iterator

from tenfold_pulumi_plugins.kubernetes import cluster, errors, readiness
from tenfold_pulumi_plugins.kubernetes.values import JsonObject

_MOST_EVENTS = 5


def explain(api: cluster.Cluster, obj: JsonObject) -> list[str]:
    """One line a cause, the most telling first; empty where nothing is known."""
    try:
        namespace = obj["metadata"].get("namespace", "")
        pods = _pods(api, obj, namespace)
        causes = [line for pod in pods for line in _pod_causes(pod)]
        causes += _event_causes(api, obj, namespace) if namespace else []
    except (errors.ApiError, errors.UnreachableError) as error:
        return [f"(what else is known could not be read: {error})"]
    return list(dict.fromkeys(causes))


def blockers(obj: JsonObject) -> list[str]:
    """What keeps an object that is being deleted."""
    lines = [f"finalizer {finalizer}" for finalizer in obj["metadata"].get("finalizers") or []]
    for condition in readiness.at(obj, "status", "conditions") or []:
        # A Namespace says here what is left in it, and whose finalizers remain.
        if str(condition.get("type", "")).startswith("Namespace") and condition["status"] == "True":
            lines.append(f"{condition['type']}: {condition.get('message')}")
    return lines


def _pods(api: cluster.Cluster, obj: JsonObject, namespace: str) -> list[JsonObject]:
    if obj["kind"] == "Pod":
        return [obj]
    selector = readiness.at(obj, "spec", "selector")
    labels = readiness.at(selector, "matchLabels") if obj["kind"] != "Service" else selector
    if not isinstance(labels, dict) or not labels:
        return []
    text = ",".join(f"{key}={value}" for key, value in labels.items())
    return api.objects("v1", "Pod", namespace, labelSelector=text)


def _pod_causes(pod: JsonObject) -> Iterator[str]:
    name, status = pod["metadata"]["name"], pod.get("status", {})
    scheduled = readiness.condition(pod, "PodScheduled")
    if scheduled and scheduled["status"] == "False":
        yield f"pod {name}: {scheduled.get('reason')}: {scheduled.get('message')}"
    for container in [
        *(status.get("initContainerStatuses") or []),
        *(status.get("containerStatuses") or []),
    ]:
        waiting = readiness.at(container, "state", "waiting")
        ended = readiness.at(container, "state", "terminated") or readiness.at(
            container, "lastState", "terminated"
        )
        if waiting and waiting.get("reason") not in ("ContainerCreating", "PodInitializing"):
            yield _said(f"pod {name}, container {container['name']}", waiting)
        if ended and ended.get("exitCode"):
            yield _said(
                f"pod {name}, container {container['name']} ended with {ended['exitCode']}", ended
            )


def _said(subject: str, state: JsonObject) -> str:
    return ": ".join([subject, *(state[key] for key in ("reason", "message") if state.get(key))])


def _event_causes(api: cluster.Cluster, obj: JsonObject, namespace: str) -> list[str]:
    name = obj["metadata"]["name"]
    events = [
        event
        for event in api.objects("v1", "Event", namespace, fieldSelector="type=Warning")
        if event["involvedObject"].get("name") == name
        # Its ReplicaSets and pods have names that begin with its own.
        or event["involvedObject"].get("name", "").startswith(f"{name}-")
        # Objects of an earlier life of the same name are not this one's trouble.
        if (event.get("lastTimestamp") or event.get("eventTime") or "9")
        >= obj["metadata"]["creationTimestamp"]
    ]
    events.sort(key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
    return [
        f"{event['involvedObject']['kind']} {event['involvedObject']['name']}: "
        f"{event.get('reason')}: {event.get('message', '').strip()}"
        for event in events[-_MOST_EVENTS:]
    ]
