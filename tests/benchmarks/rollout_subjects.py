"""What the rollout benchmark measures: how revisions are rolled out, first of all by a Workload."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol

import kubernetes

from tests.rollouts.demo import ANALYSIS, Demo
from tests.support import Kubectl

LOOK_SECONDS = 0.2
PATIENCE_SECONDS = 180.0
MEMORY_BYTES = 64 * 1024 * 1024
ROLLOUT: dict[str, Any] = {
    "strategy": "canary",
    "steps": [{"weight": 10, "holdSeconds": 10}, {"weight": 50, "holdSeconds": 5}],
    "progressDeadlineSeconds": 30,
    "maxRestarts": 1,
    "analysis": {
        **ANALYSIS,
        "queries": [
            {
                "name": "memory",
                "query": "max(pod_memory_working_set_bytes{"
                'namespace="{{namespace}}",pod=~"{{workload}}-{{revision}}-.*"})',
                "max": MEMORY_BYTES,
            }
        ],
    },
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one rollout went; times are unix seconds."""

    start: float
    end: float
    """When all traffic was on one revision again and the other was gone."""
    rolled_out: bool
    reason: str
    """Why it was given up, in a word; empty where it was not."""
    message: str = ""
    """The same in full."""
    verdict: float | None = None
    """When it was given up."""
    exposed_seconds: float = 0.0
    """Until then, in seconds of the whole traffic: a tenth of it for 10 s is one second."""


class Subject(Protocol):
    """Rolls revisions out behind a path of the gateway."""

    name: str

    def install(self) -> None:
        """Have the first revision serve."""

    def roll_out(self, environment: dict[str, str]) -> Outcome:
        """Roll a revision out and wait until it serves or is gone again."""

    def remove(self) -> None:
        """Delete everything."""


class TenfoldSubject:
    """A Workload."""

    name = "tenfold"

    def __init__(self, kubectl: Kubectl, namespace: str) -> None:
        self._demo = Demo(kubectl, namespace, self.name)
        self._namespace = namespace
        client = kubernetes.config.new_client_from_config(str(kubectl.kubeconfig))  # type: ignore[no-untyped-call]
        self._api = kubernetes.client.CustomObjectsApi(client)

    def install(self) -> None:
        """Have the first revision serve."""
        self._demo.delete()
        self._demo.apply({}, ROLLOUT)
        self._demo.wait_rolled_out()

    def roll_out(self, environment: dict[str, str]) -> Outcome:
        """Roll a revision out and wait until it serves or is gone again."""
        start = seen = time.time()
        self._demo.apply(environment, ROLLOUT)
        verdict: float | None = None
        exposed, weight = 0.0, 0
        while time.time() - start < PATIENCE_SECONDS:
            status = self._status()
            if status is not None:
                now, states = time.time(), status["revisions"]
                if verdict is None:
                    has = {each["name"]: each["weight"] for each in states}
                    weight, before = has.get(status["targetRevision"], 0), weight
                    # It may have got the new weight right after the look before.
                    exposed += max(weight, before) / 100 * (now - seen)
                seen = now
                progressing = next(
                    each for each in status["conditions"] if each["type"] == "Progressing"
                )
                if progressing["status"] == "False":
                    verdict = verdict or now
                alone = sum(each["replicas"] > 0 for each in states) == 1
                if alone and (verdict or progressing["reason"] == "RolledOut"):
                    return Outcome(
                        start=start,
                        end=now,
                        rolled_out=verdict is None,
                        reason=progressing["reason"] if verdict else "",
                        message=progressing["message"] if verdict else "",
                        verdict=verdict,
                        exposed_seconds=exposed if verdict else 0.0,
                    )
            time.sleep(LOOK_SECONDS)
        raise AssertionError(f"no end within {PATIENCE_SECONDS:.0f} s: {self._status()}")

    def _status(self) -> dict[str, Any] | None:
        """Return the status, None while it is one of an older spec."""
        found = self._api.get_namespaced_custom_object(
            "tenfold.dev", "v1alpha1", self._namespace, "workloads", self.name
        )
        assert isinstance(found, dict)
        status: dict[str, Any] = found["status"]
        is_current = status["observedGeneration"] == found["metadata"]["generation"]
        return status if is_current else None

    def remove(self) -> None:
        """Delete everything."""
        self._demo.delete()
