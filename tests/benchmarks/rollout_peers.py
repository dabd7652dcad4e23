"""What Tenfold is compared with: a plain Deployment rolled out with care, and Flagger."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tenfold_local import layout
from tenfold_local.toolchain import Toolchain

from tests.benchmarks import report
from tests.benchmarks.rollout_subjects import (
    LOOK_SECONDS,
    MEMORY_BYTES,
    PATIENCE_SECONDS,
    ROLLOUT,
    Outcome,
)
from tests.rollouts.demo import app_config, image, pod_spec
from tests.support import Kubectl, manifest

FLAGGER = Toolchain(
    name="flagger",
    programs={"flagger": "github.com/fluxcd/flagger/cmd/flagger"},
    variables={},
    root=Path(__file__).parent,
)
_GATEWAY = {"name": "tenfold", "namespace": "tenfold-gateway"}


class _Peer:
    """A Deployment named as the peer, which serves behind the path /NAME."""

    name: str
    container: Mapping[str, Any]
    """What its container has beside the app."""

    def __init__(self, kubectl: Kubectl, namespace: str) -> None:
        self._kubectl = kubectl
        self._namespace = namespace
        self._image = image(kubectl, namespace)

    def _run(self, *arguments: str) -> str:
        return self._kubectl(*arguments, f"--namespace={self._namespace}")

    def _object(self, version: str, kind: str, **content: Any) -> dict[str, Any]:
        return manifest(version, kind, self._namespace, self.name, **content)

    @property
    def _labels(self) -> dict[str, str]:
        # The platform's gateway may reach pods with the second one.
        return {"app": self.name, "tenfold.dev/workload": self.name}

    def _policy(self) -> dict[str, Any]:
        spec = {
            "podSelector": {"matchLabels": {"tenfold.dev/workload": self.name}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"namespaceSelector": {}}]}],
        }
        return self._object("networking.k8s.io/v1", "NetworkPolicy", spec=spec)

    def _deployment(self, environment: dict[str, str]) -> dict[str, Any]:
        pod = pod_spec(self._image, self.name, environment, **self.container)
        spec = {
            "replicas": 2,
            "selector": {"matchLabels": {"app": self.name}},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {"metadata": {"labels": self._labels}, "spec": pod},
        }
        return self._object("apps/v1", "Deployment", spec=spec)


_PRE_STOP = {"lifecycle": {"preStop": {"sleep": {"seconds": 5}}}}
_PRE_STOP_BY_COMMAND = {"lifecycle": {"preStop": {"exec": {"command": ["sleep", "5"]}}}}


class PlainSubject(_Peer):
    """A Deployment with maxUnavailable 0 and a preStop sleep, and a person who undoes it.

    Nothing tells a Deployment that a revision is bad. The person is as quick as Tenfold's verdict
    on the same behaviour was.
    """

    name = "plain"
    container = _PRE_STOP

    def __init__(self, kubectl: Kubectl, namespace: str, undone_after: Mapping[str, float]) -> None:
        super().__init__(kubectl, namespace)
        self._undone_after = undone_after
        """Seconds after which a person undoes a revision, by its environment as JSON."""

    def install(self) -> None:
        """Have the first revision serve."""
        self.remove()
        self._kubectl.apply(
            app_config(self._namespace, self.name), self._policy(), self._service(), self._route()
        )
        self._kubectl.apply(self._deployment({}))
        self._wait()

    def roll_out(self, environment: dict[str, str]) -> Outcome:
        """Roll a revision out; where Tenfold gave it up, undo it after the same time."""
        start = time.time()
        self._kubectl.apply(self._deployment(environment))
        seconds = self._undone_after.get(json.dumps(environment))
        if seconds is not None:
            time.sleep(max(0.0, start + seconds - time.time()))
            self._run("rollout", "undo", "deployment/plain")
        self._wait()
        return Outcome(start=start, end=time.time(), rolled_out=seconds is None, reason="")

    def remove(self) -> None:
        """Delete everything."""
        kinds = "deployment,service,httproute,configmap,networkpolicy"
        self._run("delete", "--ignore-not-found", kinds, self.name, "--cascade=foreground")

    def _wait(self) -> None:
        self._run("rollout", "status", "deployment/plain", f"--timeout={PATIENCE_SECONDS:.0f}s")
        # The old pods serve on until their preStop has passed.
        deadline = time.time() + PATIENCE_SECONDS
        while time.time() < deadline:
            found = self._run("get", "pods", f"--selector=app={self.name}", "--output=json")
            pods = json.loads(found)["items"]
            if not any("deletionTimestamp" in each["metadata"] for each in pods):
                return
            time.sleep(LOOK_SECONDS)
        raise AssertionError("old pods of the plain Deployment did not end")

    def _service(self) -> dict[str, Any]:
        spec = {"selector": {"app": self.name}, "ports": [{"port": 8080, "targetPort": 8080}]}
        return self._object("v1", "Service", spec=spec)

    def _route(self) -> dict[str, Any]:
        rule = {
            "matches": [{"path": {"type": "PathPrefix", "value": f"/{self.name}"}}],
            "backendRefs": [{"name": self.name, "port": 8080}],
        }
        spec = {"parentRefs": [_GATEWAY], "rules": [rule]}
        return self._object("gateway.networking.k8s.io/v1", "HTTPRoute", spec=spec)


class FlaggerSubject(_Peer):
    """Flagger with the same steps, bounds and windows, as quick as it can be set (10 s).

    Its pods have the preStop sleep that Tenfold adds by itself, as a command: Flagger copies the
    Deployment with an API in which there is no `sleep`, and the API server refuses the copy.
    """

    name = "flagger"
    container = _PRE_STOP_BY_COMMAND

    def __init__(self, kubectl: Kubectl, namespace: str, prometheus: str) -> None:
        super().__init__(kubectl, namespace)
        self._prometheus = prometheus
        self._process: subprocess.Popen[bytes] | None = None
        crds = FLAGGER.module_folder("github.com/fluxcd/flagger")
        self._crds = f"--filename={crds / 'artifacts' / 'flagger' / 'crd.yaml'}"

    def install(self) -> None:
        """Start Flagger and have the first revision serve."""
        program = FLAGGER.build() / "flagger"
        self._kubectl("apply", "--server-side", self._crds)
        self._start(program)
        self._kubectl.apply(
            app_config(self._namespace, self.name), self._policy(), self._deployment({})
        )
        self._kubectl.apply(*self._templates(), self._canary())
        self._wait_for({"Initialized"})

    def _start(self, program: Path) -> None:
        report.OUT.mkdir(parents=True, exist_ok=True)
        with (report.OUT / "flagger.log").open("w") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    f"-kubeconfig={layout.ADMIN_KUBECONFIG}",
                    "-mesh-provider=gatewayapi:v1",
                    f"-metrics-server={self._prometheus}",
                    f"-namespace={self._namespace}",
                    "-port=18080",
                    "-log-level=info",
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def roll_out(self, environment: dict[str, str]) -> Outcome:
        """Roll a revision out and wait until Flagger has promoted or given it up."""
        start = time.time()
        self._kubectl.apply(self._deployment(environment))
        self._wait_for({"Progressing"})
        phase = self._wait_for({"Succeeded", "Failed"})
        is_failed = phase == "Failed"
        return Outcome(
            start=start,
            end=time.time(),
            rolled_out=not is_failed,
            reason=phase if is_failed else "",
            verdict=time.time() if is_failed else None,
        )

    def _wait_for(self, phases: set[str]) -> str:
        deadline = time.time() + PATIENCE_SECONDS
        while time.time() < deadline:
            found = json.loads(self._run("get", "canary", self.name, "--output=json"))
            phase = str(found.get("status", {}).get("phase", ""))
            if phase in phases:
                return phase
            time.sleep(LOOK_SECONDS)
        raise AssertionError(f"Flagger says {phase}, not {phases}; see out/bench/flagger.log")

    def remove(self) -> None:
        """End Flagger and delete everything."""
        if self._process:
            self._process.terminate()
            self._process.wait(20)
        with contextlib.suppress(AssertionError):  # before the first installation
            self._kubectl("delete", "--ignore-not-found", self._crds)
        for name in (self.name, f"{self.name}-primary", f"{self.name}-canary"):
            kinds = "deployment,service,httproute,configmap,networkpolicy"
            self._run("delete", "--ignore-not-found", kinds, name)

    def _templates(self) -> tuple[dict[str, Any], ...]:
        service = 'service=~"httproute-{{ namespace }}-{{ target }}-gw-.*-{{ target }}-canary-.*"'
        requests, buckets = (
            f"traefik_service_{kind}{{{service}"
            for kind in ("requests_total", "request_duration_seconds_bucket")
        )
        window = "[{{ interval }}]"
        good = f'sum(rate({requests},code!~"5.."}}{window}))'
        queries = {
            "errors": f"100 - 100 * {good} / sum(rate({requests}}}{window}))",
            "latency": f"histogram_quantile(0.95, sum by (le) (rate({buckets}}}{window})))",
            "memory": "max(pod_memory_working_set_bytes{"
            'namespace="{{ namespace }}",pod=~"{{ target }}-[0-9a-f]+-[0-9a-z]+"})',
        }
        templates = []
        for name, query in queries.items():
            provider = {"type": "prometheus", "address": self._prometheus}
            template = self._object(
                "flagger.app/v1beta1",
                "MetricTemplate",
                spec={"provider": provider, "query": query},
            )
            template["metadata"]["name"] = name
            templates.append(template)
        return tuple(templates)

    def _canary(self) -> dict[str, Any]:
        analysis = ROLLOUT["analysis"]
        bounds = {
            "errors": 100 * analysis["errorRatio"]["max"],
            "latency": analysis["latency"]["maxSeconds"],
            "memory": MEMORY_BYTES,
        }
        metrics = [
            {
                "name": name,
                "templateRef": {"name": name},
                "thresholdRange": {"max": most},
                "interval": f"{analysis['windowSeconds']}s",
            }
            for name, most in bounds.items()
        ]
        spec = {
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": self.name},
            "progressDeadlineSeconds": ROLLOUT["progressDeadlineSeconds"],
            "service": {
                "port": 8080,
                "targetPort": 8080,
                "gatewayRefs": [_GATEWAY],
                "match": [{"uri": {"prefix": f"/{self.name}"}}],
            },
            "analysis": {
                "interval": "10s",
                "threshold": 1,
                "stepWeights": [each["weight"] for each in ROLLOUT["steps"]],
                "metrics": metrics,
            },
        }
        return self._object("flagger.app/v1beta1", "Canary", spec=spec)
