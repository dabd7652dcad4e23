"""Which cluster and namespace the provider uses, and what it can tell before anything exists."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from tests.plugins.stack import Stack, pods
from tests.support import Kubectl

pytestmark = pytest.mark.cluster


def test_the_provider_takes_a_kubeconfig_a_context_and_a_namespace(
    stack: Stack, namespace: str, kubectl: Kubectl, kubeconfig: Path, empty_stack: Stack
) -> None:
    content = yaml.safe_load(kubeconfig.read_text())
    context = content["contexts"][0]
    broken = {"name": "broken", "context": {"cluster": "none", "user": "none"}}
    several = content | {"contexts": [broken, context], "current-context": "broken"}
    stack = Stack(stack.folder, stack.environment | {"KUBECONFIG": ""})
    stack.program(
        """
        explicit = k8s.Provider(
            "explicit", kubeconfig=kubeconfig, context=context, namespace=namespace
        )
        options = pulumi.ResourceOptions(provider=explicit)
        k8s.core.v1.ConfigMap("settings", metadata={"name": "settings"}, opts=options)
        k8s.rbac.v1.ClusterRole("role", metadata={"name": namespace}, rules=[], opts=options)
        """,
        kubeconfig=yaml.safe_dump(several),
        context=context["name"],
        namespace=namespace,
    )
    stack.up()
    kubectl.get("configmap/settings", f"--namespace={namespace}")
    assert stack.resources()["role"]["id"] == namespace
    # What is in a kubeconfig is as secret as what it opens.
    assert content["users"][0]["name"] in several["contexts"][1]["context"]["user"]
    assert "current-context" not in stack.checkpoint()
    assert "4 unchanged" in stack.up()
    stack.destroy()
    assert "NotFound" in kubectl.run("get", "clusterrole", namespace).stderr


def test_a_preview_works_with_what_is_not_known_yet(
    stack: Stack, namespace: str, kubectl: Kubectl
) -> None:
    program = """
    outer = k8s.core.v1.Namespace("outer")
    first = k8s.core.v1.ConfigMap("first", metadata={"namespace": outer.metadata.name})
    k8s.core.v1.ConfigMap(
        "second",
        metadata={
            "name": first.metadata.uid.apply(lambda uid: f"of-{uid}"),
            "namespace": namespace,
            "labels": {"uid": first.metadata.uid},
        },
        data=first.metadata.apply(lambda metadata: {"name": metadata.name}),
    )
    pulumi.export("uid", first.metadata.uid)
    """
    stack.program(program, namespace=namespace)
    assert "+ 4 to create" in stack.preview()
    stack.up()
    second = stack.resources()["second"]["id"]
    assert kubectl.get("configmap", f"-n={namespace}", second.partition("/")[2])["data"] == {
        "name": stack.resources()["first"]["id"].partition("/")[2]
    }
    assert "4 unchanged" in stack.preview()
    stack.destroy()


def test_a_platform_without_changes_is_up_again_sooner_than_it_was_made(
    stack: Stack, namespace: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.program(
        """
        for number in range(75):
            metadata = {"name": f"object-{number}", "namespace": namespace}
            k8s.core.v1.ConfigMap(f"settings-{number}", metadata=metadata, data={"key": "value"})
            k8s.apps.v1.Deployment(
                f"deployment-{number}", metadata=metadata, spec={"replicas": 0, **pods}
            )
        """,
        namespace=namespace,
        pods=pods(app="many"),
    )
    seconds = {}
    for name, command in {
        "first up": ("up", "--yes"),
        "up again": ("up", "--yes"),
        "preview": ("preview",),
    }.items():
        start = time.monotonic()
        stack.run(*command, "--non-interactive", "--color=never", "--stack=dev")
        seconds[name] = time.monotonic() - start
    with capsys.disabled():
        print({name: f"{took:.1f} s" for name, took in seconds.items()}, "for 150 objects")
    # Seconds are for bench-up: here the machine may be slow and busy, in all three alike.
    assert seconds["up again"] < 0.75 * seconds["first up"]
    assert seconds["preview"] < 0.5 * seconds["first up"]
