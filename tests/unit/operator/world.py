"""A model of the cluster: it takes what the operator writes, and tests move its controllers."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tenfold_operator.adapters.store import owner_of
from tenfold_operator.apply import Applier
from tenfold_operator.handlers.workload import observe
from tenfold_operator.model.generated import Workload, WorkloadProgress, WorkloadStatus
from tenfold_operator.model.manifest import Ref, ref_of
from tenfold_operator.model.observed import Peer, Reading, Readings, WorkloadView
from tenfold_operator.plan.actions import Announce, Plan
from tenfold_operator.plan.workload import plan_workload, questions

NAMESPACE = "shop"
WRITTEN_BY_TRAEFIK_AFTER = timedelta(seconds=2)
"""Traefik tells its status before it serves by it: it applies changes every two seconds."""


class World:
    """Implements ports.Cluster, and plays the controllers, the kubelets and the Gateway."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.objects: dict[Ref, dict[str, Any]] = {}
        self.events: list[Announce] = []
        self.broken: set[str] = set()
        self.served: dict[str, int] = {}
        self._taken: list[tuple[datetime, dict[str, int]]] = []
        self._uids = 0
        self.config: dict[str, str] = {}
        self.prometheus: Callable[[], Mapping[str, Reading]] | None = None
        """What Prometheus answers, by question; asked anew at each look."""
        self.peers: tuple[Peer, ...] = ()

    # What the operator calls.

    def get(self, ref: Ref) -> Any:
        return self.objects.get(ref)

    def find(self, kind: str, namespace: str, selector: str) -> tuple[Any, ...]:
        return tuple(each for ref, each in self.objects.items() if ref.kind == kind)

    def apply(self, manifest: Any) -> None:
        self._put(copy.deepcopy(manifest))

    def create(self, manifest: Any) -> None:
        if ref_of(manifest) not in self.objects:
            self._put(copy.deepcopy(manifest))

    def apply_status(self, ref: Ref, status: Any) -> None:
        self.objects[ref]["status"] = copy.deepcopy(status)

    def scale(self, ref: Ref, replicas: int) -> None:
        manifest = copy.deepcopy(self.objects[ref])
        manifest["spec"]["replicas"] = replicas
        self._put(manifest)

    def merge(self, ref: Ref, patch: Any) -> None:
        raise AssertionError(f"a Workload's plan merges nothing: {ref} {patch}")

    def delete(self, ref: Ref, *, alone: bool = False) -> None:
        assert not alone, "nothing of a Workload outlives what made it"
        self.objects.pop(ref, None)

    def record(self, ref: Ref, uid: str, event: Announce, now: datetime) -> None:
        self.events.append(event)

    def _put(self, manifest: dict[str, Any]) -> None:
        known = self.objects.get(ref_of(manifest), {})
        meta, before = manifest["metadata"], known.get("metadata", {})
        self._uids += not known
        meta["uid"] = before.get("uid", f"uid-{self._uids}")
        meta["creationTimestamp"] = before.get("creationTimestamp", self.now.isoformat())
        changed = known.get("spec") != manifest.get("spec")
        meta["generation"] = before.get("generation", 0) + changed
        self.objects[ref_of(manifest)] = {**manifest, "status": known.get("status", {})}

    # What a person does.

    def annotate(self, **annotations: str) -> None:
        """Give a command, such as promote or abort."""
        found = self.objects[self.ref]["metadata"].setdefault("annotations", {})
        found |= {f"tenfold.dev/{name}": value for name, value in annotations.items()}

    def edit(self, **spec: Any) -> None:
        """Create or change the Workload."""
        known = self.objects.get(self.ref, {}).get("spec", {})
        annotations = self.objects.get(self.ref, {}).get("metadata", {}).get("annotations", {})
        manifest = {
            "apiVersion": "tenfold.dev/v1alpha1",
            "kind": "Workload",
            "metadata": {"name": "web", "namespace": NAMESPACE, "annotations": annotations},
            "spec": {"port": 8080, "replicas": 2, "template": template("v1"), **known, **spec},
        }
        self._put(manifest)

    # What the cluster does.

    def run_pods(self) -> None:
        """Deployments get their pods, those of broken revisions never ready; Services follow."""
        for ref, manifest in list(self.objects.items()):
            if ref.kind == "Deployment":
                replicas = manifest["spec"]["replicas"]
                ready = 0 if ref.name in self.broken else replicas
                manifest["status"] = {
                    "observedGeneration": manifest["metadata"]["generation"],
                    "replicas": replicas,
                    "updatedReplicas": replicas,
                    "readyReplicas": ready,
                }
                self._publish(ref, manifest, ready)

    def _publish(self, ref: Ref, deployment: dict[str, Any], ready: int) -> None:
        labels = {
            **deployment["metadata"]["labels"],
            "kubernetes.io/service-name": ref.name,
        }
        endpoints = [{"conditions": {"ready": True}, "addresses": ["10.0.0.1"]}] * ready
        self.objects[Ref("EndpointSlice", ref.namespace, ref.name)] = {
            "kind": "EndpointSlice",
            "metadata": {"name": ref.name, "namespace": ref.namespace, "labels": labels},
            "endpoints": endpoints,
        }

    def answer_as_gateway(self, *, accepted: bool = True) -> None:
        """The Gateway says what it thinks of the route as it stands, and soon serves by it."""
        route = self.route
        conditions = [
            {
                "type": name,
                "status": "True" if accepted else "False",
                "reason": "Accepted" if accepted else "NoMatchingParent",
                "message": "",
                "observedGeneration": route["metadata"]["generation"],
            }
            for name in ("Accepted", "ResolvedRefs")
        ]
        parent = {"name": "tenfold", "namespace": "tenfold-gateway"}
        route["status"] = {"parents": [{"parentRef": parent, "conditions": conditions}]}
        if accepted:
            self._taken.append((self.now + WRITTEN_BY_TRAEFIK_AFTER, self.weights))

    def restart_containers(self, revision: str, times: int) -> None:
        """The container of a pod of this revision has ended so often."""
        manifest = self.objects[Ref("Deployment", NAMESPACE, revision)]
        ended = {"exitCode": 1, "reason": "Error"}
        container = {"name": "web", "restartCount": times, "lastState": {"terminated": ended}}
        self.objects[Ref("Pod", NAMESPACE, revision)] = {
            "kind": "Pod",
            "metadata": {
                "name": revision,
                "namespace": NAMESPACE,
                "labels": manifest["metadata"]["labels"],
                "ownerReferences": manifest["metadata"]["ownerReferences"],
            },
            "status": {"containerStatuses": [container]},
        }

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        for due, weights in self._taken:
            if due <= self.now:
                self.served = {name: weight for name, weight in weights.items() if weight}
        self._taken = [each for each in self._taken if each[0] > self.now]

    # What the operator does.

    def plan(self) -> Plan:
        return plan_workload(self.view, self.now)

    def reconcile(self) -> Plan:
        """Plan and apply once."""
        plan = self.plan()
        Applier(self).run("Workload", self.view.workload.metadata, plan, self.now)
        return plan

    def settle(self) -> None:
        """Everybody does his part until nothing is left to do."""
        for _ in range(60):
            plan = self.round(10)
            if not self.plan() and not plan:
                return

    def round(self, seconds: float) -> Plan:
        """Everybody does his part once."""
        plan = self.reconcile()
        self.run_pods()
        self.answer_as_gateway()
        self.wait(seconds)
        return plan

    def until(self, *reasons: str) -> None:
        """Everybody does his part until the rollout says one of these."""
        for _ in range(400):
            self.round(2)
            if self.condition("Progressing")[1] in reasons:
                return
        raise AssertionError(f"it says {self.condition('Progressing')}, never {reasons}")

    # What a test looks at.

    ref = Ref("Workload", NAMESPACE, "web")

    @property
    def view(self) -> WorkloadView:
        workload = Workload.model_validate(self.objects[self.ref])
        related = [each for each in self.objects.values() if owner_of(each) == self.ref]
        view = observe(workload, related, self.config)
        readings = None
        if self.prometheus and questions(view, self.now):
            readings = Readings(time=self.now, by_name=self.prometheus())
        return replace(view, readings=readings, peers=self.peers)

    @property
    def route(self) -> dict[str, Any]:
        return self.objects[Ref("HTTPRoute", NAMESPACE, "web")]

    @property
    def weights(self) -> dict[str, int]:
        rule = self.route["spec"]["rules"][-1]
        return {each["name"]: each["weight"] for each in rule["backendRefs"]}

    @property
    def replicas(self) -> dict[str, int]:
        return {
            ref.name: each["spec"]["replicas"]
            for ref, each in self.objects.items()
            if ref.kind == "Deployment"
        }

    @property
    def status(self) -> WorkloadStatus:
        return Workload.model_validate(self.objects[self.ref]).status

    @property
    def progress(self) -> WorkloadProgress:
        """The rollout that goes on."""
        found = self.status.progress
        assert found is not None, f"no rollout goes on: {self.status.message}"
        return found

    def condition(self, name: str) -> tuple[str, str]:
        """Return status and reason."""
        found = self.status.conditions
        return next((each.status, each.reason) for each in found if each.type == name)

    def message(self, name: str) -> str:
        """Return what a condition says."""
        return next(each.message for each in self.status.conditions if each.type == name)


def template(image: str) -> dict[str, Any]:
    container = {
        "name": "web",
        "image": f"example.com/web:{image}",
        "ports": [{"containerPort": 8080}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}},
    }
    return {"spec": {"containers": [container]}}
