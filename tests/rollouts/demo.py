"""A Workload of its own on the embedded cluster, whose revisions behave as a test says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support import Kubectl, manifest, wait_until

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


def image(kubectl: Kubectl, namespace: str) -> str:
    """Return an image with Python that the cluster has: the gateway's."""
    gateway = kubectl.get("workload", "gateway", f"--namespace={namespace}")
    containers = gateway["spec"]["template"]["spec"]["containers"]
    return next(str(each["image"]) for each in containers if GATEWAY_IMAGE in each["image"])


def pod_spec(
    image: str, config: str, environment: dict[str, str], **container: Any
) -> dict[str, Any]:
    """Return the pods that run the app out of a ConfigMap, with these variables."""
    serving = {
        "name": "app",
        "image": image,
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
    return {
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [serving],
        "volumes": [{"name": "app", "configMap": {"name": config}}],
    }


def app_config(namespace: str, name: str) -> dict[str, Any]:
    """Return the ConfigMap with the app."""
    return manifest("v1", "ConfigMap", namespace, name, data={"app.py": APP.read_text()})


@contextmanager
def serving(
    kubectl: Kubectl, namespace: str, name: str, rollout: dict[str, Any], replicas: int = 2
) -> Iterator[Demo]:
    """Have a Workload whose first revision serves, made anew, until the block ends."""
    demo = Demo(kubectl, namespace, name)
    demo.delete()
    try:
        demo.apply({}, rollout, replicas=replicas)
        demo.wait_rolled_out()
        yield demo
    finally:
        demo.delete()


class Demo:
    """One Workload named `name` behind the path /NAME."""

    def __init__(self, kubectl: Kubectl, namespace: str, name: str = "demo") -> None:
        self._kubectl = kubectl
        self.namespace = namespace
        self.name = name
        self._image = image(kubectl, namespace)

    def apply(
        self,
        environment: dict[str, str],
        rollout: dict[str, Any],
        replicas: int = 2,
        scaling: dict[str, Any] | None = None,
        **container: Any,
    ) -> None:
        """Apply the Workload, whose container gets these variables; with scaling no replicas."""
        capacity = {"scaling": scaling} if scaling else {"replicas": replicas}
        self._kubectl.apply(
            app_config(self.namespace, self.name),
            self._workload(environment, rollout, capacity, container),
        )

    def _workload(
        self,
        environment: dict[str, str],
        rollout: dict[str, Any],
        capacity: dict[str, Any],
        container: dict[str, Any],
    ) -> dict[str, Any]:
        spec = {
            **capacity,
            "port": 8080,
            "template": {"spec": pod_spec(self._image, self.name, environment, **container)},
            "route": {"pathPrefix": f"/{self.name}"},
            "rollout": rollout,
        }
        version = "tenfold.dev/v1alpha1"
        return manifest(version, "Workload", self.namespace, self.name, spec=spec)

    @property
    def workload(self) -> dict[str, Any]:
        """The Workload as it is."""
        found: dict[str, Any] = self._kubectl.get(*self.ref)
        return found

    @property
    def ref(self) -> tuple[str, ...]:
        """How kubectl finds it."""
        return ("workload", self.name, f"--namespace={self.namespace}")

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

    def order(self, *command: str) -> str:
        """Run `kubectl tenfold COMMAND NAME` and return what it says."""
        program = str(Path(sys.executable).with_name("kubectl-tenfold"))
        done = subprocess.run(
            [program, f"--namespace={self.namespace}", *command, self.name],
            capture_output=True,
            text=True,
            env={**os.environ, "KUBECONFIG": str(self._kubectl.kubeconfig)},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

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
            "delete", "--ignore-not-found", "configmap", self.name, f"--namespace={self.namespace}"
        )
