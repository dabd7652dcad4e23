"""When an object counts as ready, by kind, judged from the object alone (and its endpoints)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from tenfold_pulumi_plugins.kubernetes.values import Json, JsonObject


@dataclass(frozen=True)
class Ready:
    """The object does what it is for."""


@dataclass(frozen=True)
class Waiting:
    """The object is not ready yet."""

    reason: str


@dataclass(frozen=True)
class Failed:
    """The object will not become ready by itself."""

    reason: str


Verdict: TypeAlias = Ready | Waiting | Failed


class Surroundings(Protocol):
    """What a verdict may need to know besides the object."""

    @property
    def before(self) -> JsonObject:
        """The object as the change left it, with the status that it had until then."""

    def ready_endpoints(self, service: JsonObject) -> int:
        """How many ready addresses the Service has."""

    def binds_on_first_use(self, claim: JsonObject) -> bool:
        """Whether the claim's StorageClass binds only when a pod uses the claim."""


Check: TypeAlias = Callable[[JsonObject, Surroundings], Verdict]


def check_for(obj: JsonObject) -> Check | None:
    """How to judge objects of this kind; None for those that are ready once they exist."""
    return _CHECKS.get((obj["apiVersion"], obj["kind"]))


def condition(obj: JsonObject, kind: str) -> JsonObject | None:
    """The object's status condition of a type, whatever the case it is written in."""
    for found in at(obj, "status", "conditions") or []:
        if str(found.get("type", "")).lower() == kind.lower():
            return dict(found)
    return None


def at(value: Json, *keys: str) -> Json:
    """The value at the keys, None where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def is_observed(obj: JsonObject) -> bool:
    """Whether the controller has seen the newest generation of the object."""
    observed = at(obj, "status", "observedGeneration")
    return observed is not None and bool(observed >= obj["metadata"].get("generation", 0))


def _deployment(obj: JsonObject, around: Surroundings) -> Verdict:
    status, replicas = obj.get("status", {}), at(obj, "spec", "replicas")
    if not is_observed(obj):
        return Waiting("the deployment controller has not seen it yet")
    progressing = condition(obj, "Progressing")
    # The condition of a former attempt stays until the new one makes its first progress.
    is_news = progressing != condition(around.before, "Progressing")
    if progressing and is_news and progressing.get("reason") == "ProgressDeadlineExceeded":
        return Failed(progressing["message"])
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated < replicas:
        return Waiting(f"{updated} of {replicas} replicas are of the new template")
    if status.get("replicas", 0) > updated:
        return Waiting(f"{status['replicas'] - updated} old replicas are still to go")
    if available < replicas:
        return Waiting(f"{available} of {replicas} replicas are available")
    return Ready()


def _stateful_set(obj: JsonObject, _: Surroundings) -> Verdict:
    status, replicas = obj.get("status", {}), at(obj, "spec", "replicas")
    if not is_observed(obj):
        return Waiting("the statefulset controller has not seen it yet")
    ready, updated = status.get("readyReplicas", 0), status.get("updatedReplicas", 0)
    if ready < replicas:
        return Waiting(f"{ready} of {replicas} replicas are ready")
    if at(obj, "spec", "updateStrategy", "type") == "OnDelete":
        return Ready()
    wanted = replicas - (at(obj, "spec", "updateStrategy", "rollingUpdate", "partition") or 0)
    if status.get("currentRevision") != status.get("updateRevision") and updated < wanted:
        return Waiting(f"{updated} of {wanted} replicas are of the new template")
    return Ready()


def _daemon_set(obj: JsonObject, _: Surroundings) -> Verdict:
    status = obj.get("status", {})
    if not is_observed(obj):
        return Waiting("the daemonset controller has not seen it yet")
    desired = status.get("desiredNumberScheduled", 0)
    if at(obj, "spec", "updateStrategy", "type") != "OnDelete":
        updated = status.get("updatedNumberScheduled", 0)
        if updated < desired:
            return Waiting(f"{updated} of {desired} pods are of the new template")
    available = status.get("numberAvailable", 0)
    if available < desired:
        return Waiting(f"{available} of {desired} pods are available")
    return Ready()


def _job(obj: JsonObject, _: Surroundings) -> Verdict:
    if at(obj, "spec", "suspend"):
        return Ready()
    failed, complete = condition(obj, "Failed"), condition(obj, "Complete")
    if failed and failed["status"] == "True":
        return Failed(f"it failed: {failed.get('reason')}: {failed.get('message')}")
    if complete and complete["status"] == "True":
        return Ready()
    succeeded, wanted = at(obj, "status", "succeeded") or 0, at(obj, "spec", "completions") or 1
    return Waiting(f"{succeeded} of {wanted} pods have succeeded")


def _pod(obj: JsonObject, _: Surroundings) -> Verdict:
    phase, ready = at(obj, "status", "phase"), condition(obj, "Ready")
    if phase == "Succeeded" or (ready and ready["status"] == "True"):
        return Ready()
    if phase == "Failed":
        return Failed(f"it failed: {at(obj, 'status', 'message') or 'a container failed'}")
    return Waiting(f"it is {phase}, not ready")


def _service(obj: JsonObject, surroundings: Surroundings) -> Verdict:
    spec = obj["spec"]
    if spec.get("type") == "LoadBalancer" and not at(obj, "status", "loadBalancer", "ingress"):
        return Waiting("it has no load balancer address; does this cluster provide them?")
    if spec.get("type") == "ExternalName" or spec.get("clusterIP") == "None":
        return Ready()
    if spec.get("selector") and surroundings.ready_endpoints(obj) == 0:
        return Waiting("no pod that its selector matches is ready")
    return Ready()


def _claim(obj: JsonObject, surroundings: Surroundings) -> Verdict:
    phase = at(obj, "status", "phase")
    if phase == "Bound":
        return Ready()
    if phase == "Lost":
        return Failed("its volume is lost")
    if phase == "Pending" and surroundings.binds_on_first_use(obj):
        return Ready()
    return Waiting(f"it is {phase}, not bound to a volume")


def _volume(obj: JsonObject, _: Surroundings) -> Verdict:
    phase = at(obj, "status", "phase")
    return Ready() if phase in ("Available", "Bound") else Waiting(f"it is {phase}")


def _quota(obj: JsonObject, _: Surroundings) -> Verdict:
    counted = at(obj, "status", "hard") or {}
    if counted.keys() == (at(obj, "spec", "hard") or {}).keys():
        return Ready()
    return Waiting("the quota controller has not counted yet")


def _definition(obj: JsonObject, _: Surroundings) -> Verdict:
    names, established = condition(obj, "NamesAccepted"), condition(obj, "Established")
    if names and names["status"] == "False":
        return Failed(f"its names are not accepted: {names.get('message')}")
    if established and established["status"] == "True":
        return Ready()
    return Waiting("it is not established yet")


_CHECKS: Final[dict[tuple[str, str], Check]] = {
    ("apps/v1", "Deployment"): _deployment,
    ("apps/v1", "StatefulSet"): _stateful_set,
    ("apps/v1", "DaemonSet"): _daemon_set,
    ("batch/v1", "Job"): _job,
    ("v1", "Pod"): _pod,
    ("v1", "Service"): _service,
    ("v1", "PersistentVolumeClaim"): _claim,
    ("v1", "PersistentVolume"): _volume,
    ("v1", "ResourceQuota"): _quota,
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): _definition,
}
