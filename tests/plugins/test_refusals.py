"""What the provider refuses, and how it says so."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from tests.plugins.stack import Stack, pods
from tests.support import Kubectl

pytestmark = pytest.mark.cluster

_SETTINGS = """
k8s.core.v1.ConfigMap(
    "settings", metadata={"name": "settings", "namespace": namespace}, data={"key": "ours"}
)
"""


def test_a_foreign_object_is_left_alone_until_it_is_imported(
    stack: Stack, namespace: str, kubectl: Kubectl
) -> None:
    kubectl("create", "configmap", "settings", "--from-literal=key=theirs", f"-n={namespace}")
    stack.program(_SETTINGS, namespace=namespace)
    output = stack.fail_up()
    assert f"ConfigMap {namespace}/settings exists already" in output
    command = next(line for line in output.splitlines() if "pulumi import" in line).split()
    assert kubectl.get("configmap/settings", f"-n={namespace}")["data"] == {"key": "theirs"}
    assert stack.resources() == {}

    arguments = [argument.strip("'") for argument in command[1:]]
    stack.run(*arguments, "--yes", "--protect=false", "--non-interactive", "--stack=dev")
    assert stack.resources()["settings"]["id"] == f"{namespace}/settings"
    stack.up()
    assert kubectl.get("configmap/settings", f"-n={namespace}")["data"] == {"key": "ours"}


def test_an_unreachable_cluster_is_named_at_once(empty_stack: Stack, tmp_path: Path) -> None:
    server = "https://127.0.0.1:1"
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(_kubeconfig(server)))
    stack = empty_stack.copy(tmp_path / "stack", kubeconfig)
    stack.program(_SETTINGS, namespace="default")
    start = time.monotonic()
    output = stack.fail_up()
    assert time.monotonic() - start < 20
    assert f"the Kubernetes API server {server} (from kubeconfig {kubeconfig})" in output
    assert "cannot be reached" in output


def test_a_missing_kubeconfig_or_context_is_named(empty_stack: Stack, tmp_path: Path) -> None:
    stack = empty_stack.copy(tmp_path / "stack", tmp_path / "nowhere")
    stack.program(_SETTINGS, namespace="default")
    assert f"{tmp_path / 'nowhere'} does not exist" in stack.fail_up()

    (tmp_path / "nowhere").write_text(yaml.safe_dump(_kubeconfig("https://127.0.0.1:1")))
    stack.run("config", "set", "kubernetes:context", "other", "--stack=dev")
    assert "has no context 'other' (it has: only)" in stack.fail_up()


def test_a_preview_refuses_what_the_api_server_would_refuse(stack: Stack, namespace: str) -> None:
    stack.program(
        """
        k8s.core.v1.Service(
            "service",
            metadata={"name": "service", "namespace": namespace},
            spec={"ports": [{"port": 123456}]},
        )
        """,
        namespace=namespace,
    )
    output = stack.fail("preview", "--non-interactive", "--stack=dev")
    assert "spec.ports[0].port: Invalid value: 123456" in output


def test_a_warning_of_the_api_server_is_shown(
    stack: Stack, namespace: str, kubectl: Kubectl
) -> None:
    label = "pod-security.kubernetes.io/warn=restricted"
    kubectl("label", "namespace", namespace, label)
    stack.program(
        """
        k8s.apps.v1.Deployment(
            "app", metadata={"name": "app", "namespace": namespace}, spec={"replicas": 0, **pods}
        )
        """,
        namespace=namespace,
        pods=pods(app="warned"),
    )
    assert 'warning: would violate PodSecurity "restricted' in stack.preview()


def test_types_that_are_no_objects_are_refused(stack: Stack, namespace: str) -> None:
    stack.program(
        """
        k8s.core.v1.ConfigMapPatch(
            "patch", metadata={"name": "settings", "namespace": namespace}, data={"key": "x"}
        )
        """,
        namespace=namespace,
    )
    assert "Patch resources are not supported here" in stack.fail_up()


def _kubeconfig(server: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "only", "cluster": {"server": server}}],
        "users": [{"name": "only", "user": {"token": "none"}}],
        "contexts": [{"name": "only", "context": {"cluster": "only", "user": "only"}}],
        "current-context": "only",
    }
