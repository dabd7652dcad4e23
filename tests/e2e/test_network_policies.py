"""Only the pods that the NetworkPolicies name reach Redis."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import TENANT
from tests.support import Kubectl, wait_until

pytestmark = pytest.mark.cluster
POD_SECONDS = 60.0


def _pod(name: str, labels: dict[str, str]) -> str:
    container = {
        "name": "client",
        "image": "docker.io/library/redis:7.0.15",
        "command": ["sleep", "infinity"],
        "resources": {
            "requests": {"cpu": "10m", "memory": "16Mi"},
            "limits": {"cpu": "100m", "memory": "32Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    security = {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": TENANT, "labels": labels},
            "spec": {
                "containers": [container],
                "securityContext": security,
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 0,
            },
        }
    )


@pytest.fixture
def clients(kubectl: Kubectl) -> Iterator[None]:
    """Two pods alike but for the label that the policies ask for."""
    pods = {"allowed": {"tenfold.dev/redis-client": "true"}, "denied": {"app": "stranger"}}
    names = [f"e2e-{name}" for name in pods]
    for name, labels in pods.items():
        kubectl("apply", "--filename=-", stdin=_pod(f"e2e-{name}", labels))
    kubectl("wait", "pod", *names, "--namespace", TENANT, "--for=condition=Ready", "--timeout=60s")
    yield
    kubectl("delete", "pod", *names, "--namespace", TENANT)


def _reaches_redis(kubectl: Kubectl, pod: str) -> bool:
    command = ["timeout", "3", "redis-cli", "-h", f"l2.{TENANT}.svc", "ping"]
    done = kubectl.run("exec", pod, "--namespace", TENANT, "--", *command)
    # Without a password Redis answers NOAUTH: an answer all the same.
    return "NOAUTH" in done.stdout or "PONG" in done.stdout


def test_a_pod_that_no_policy_names_cannot_reach_redis(kubectl: Kubectl, clients: None) -> None:
    wait_until(
        lambda: _reaches_redis(kubectl, "e2e-allowed"),
        seconds=POD_SECONDS,
        what="an answer for the pod that is allowed",
    )
    assert not _reaches_redis(kubectl, "e2e-denied")
