"""A Workload of its own on the embedded cluster, whose revisions behave as a test says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support import Kubectl, wait_until

APP = Path(__file__).with_name("app.py")
GATEWAY_IMAGE = "tenfold/gateway"
ANALYSIS: dict[str, Any] = {
    "intervalSeconds": 2,
    "windowSeconds": 10,
    "errorRatio": {"max": 0.01},
    "latency": {"quantile": 0.95, "maxSeconds": 0.1},
    "comparison": {},
}
CANARY: dict[str, Any] = {
    "strategy": "canary",
    "steps": [{"weight": 10, "holdSeconds": 10}, {"weight": 50, "holdSeconds": 10}],
    "analysis": ANALYSIS,
    "progressDeadlineSeconds": 40,
}


class Demo:
    """One Workload named `name` behind the path /NAME."""

    def __init__(self, kubectl: Kubectl, namespace: str, name: str = "demo") -> None:
        self._kubectl = kubectl
        self._namespace = namespace
        self.name = name
        self._image = next(
            container["image"]
            for container in kubectl.get("workload", "gateway", f"--namespace={namespace}")["spec"][
                "template"
            ]["spec"]["containers"]
            if GATEWAY_IMAGE in container["image"]
        )

    def apply(
        self,
        environment: dict[str, str],
        rollout: dict[str, Any],
        replicas: int = 2,
        **container: Any,
    ) -> None:
        """Apply the Workload, whose container gets these variables."""
        self._apply(self._config(), self._workload(environment, rollout, replicas, container))

    def _apply(self, *objects: dict[str, Any]) -> None:
        content = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        self._kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", stdin=content)

    def _head(self, version: str, kind: str, name: str) -> dict[str, Any]:
        metadata = {"name": name, "namespace": self._namespace}
        return {"apiVersion": version, "kind": kind, "metadata": metadata}

    def _config(self) -> dict[str, Any]:
        return {**self._head("v1", "ConfigMap", self.name), "data": {"app.py": APP.read_text()}}

    def _workload(
        self,
        environment: dict[str, str],
        rollout: dict[str, Any],
        replicas: int,
        container: dict[str, Any],
    ) -> dict[str, Any]:
        serving = {
            "name": "app",
            "image": self._image,
            "command": ["python3", "/app/app.py"],
            "env": [{"name": name, "value": value} for name, value in environment.items()],
            "ports": [{"containerPort": 8080}],
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1},
            "resources": {
                "requests": {"cpu": "20m", "memory": "32Mi"},
                "limits": {"cpu": "1", "memory": "96Mi"},
            },
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            },
            "volumeMounts": [{"name": "app", "mountPath": "/app"}],
            **container,
        }
        pod = {
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [serving],
            "volumes": [{"name": "app", "configMap": {"name": self.name}}],
        }
        return {
            **self._head("tenfold.dev/v1alpha1", "Workload", self.name),
            "spec": {
                "replicas": replicas,
                "port": 8080,
                "template": {"spec": pod},
                "route": {"pathPrefix": f"/{self.name}"},
                "rollout": rollout,
            },
        }

    @property
    def workload(self) -> dict[str, Any]:
        """The Workload as it is."""
        found: dict[str, Any] = self._kubectl.get(*self.ref)
        return found

    @property
    def ref(self) -> tuple[str, ...]:
        """How kubectl finds it."""
        return ("workload", self.name, f"--namespace={self._namespace}")

    def condition(self, type_: str) -> dict[str, Any]:
        """A condition of the present generation; empty before there is one."""
        workload = self.workload
        generation = workload["metadata"]["generation"]
        return next(
            (
                each
                for each in workload.get("status", {}).get("conditions", [])
                if each["type"] == type_ and each["observedGeneration"] == generation
            ),
            {},
        )

    def is_rolled_out(self) -> bool:
        """Whether the present template serves alone."""
        return self.condition("Ready").get("status") == "True"

    def has_failed(self) -> bool:
        """Whether the present template was given up and gets no traffic any more."""
        ready = self.condition("Ready")
        return ready.get("reason") == "RolledBack" and self.weights == {self.stable: 100}

    @property
    def stable(self) -> str:
        """The stable revision."""
        return str(self.workload["status"]["stableRevision"])

    @property
    def weights(self) -> dict[str, int]:
        """The revisions with traffic."""
        revisions = self.workload["status"]["revisions"]
        return {each["name"]: each["weight"] for each in revisions if each["weight"]}

    def annotate(self, command: str, suffix: str = "") -> None:
        """Give a command about the rollout that goes on."""
        progress = self.workload["status"]["progress"]
        value = f"{progress['revision']}@{progress['attempt']}{suffix}"
        self._kubectl("annotate", "--overwrite", *self.ref, f"tenfold.dev/{command}={value}")

    def wait_rolled_out(self, seconds: float = 120) -> float:
        """Wait until the present template serves alone; return the seconds."""
        return wait_until(self.is_rolled_out, seconds=seconds, what=f"{self.name} rolled out")

    def wait_failed(self, seconds: float = 120) -> float:
        """Wait until the present template was given up; return the seconds."""
        return wait_until(self.has_failed, seconds=seconds, what=f"{self.name} rolled back")

    def delete(self) -> None:
        """Delete the Workload and its ConfigMap."""
        self._kubectl("delete", "--ignore-not-found", *self.ref, "--cascade=foreground")
        self._kubectl(
            "delete", "--ignore-not-found", "configmap", self.name, f"--namespace={self._namespace}"
        )
