"""Creating, leaving alone, changing, replacing and deleting."""

from __future__ import annotations

import pytest

from tests.plugins.stack import Stack, pods
from tests.support import Kubectl

pytestmark = pytest.mark.cluster

_APP = """
labels = {"app": "one"}
app = k8s.apps.v1.Deployment(
    "app",
    metadata={"name": "app", "namespace": namespace, "annotations": {"note": note}},
    spec={"replicas": 1, **pods},
)
settings = k8s.core.v1.ConfigMap("settings", metadata={"namespace": namespace}, data={"key": value})
pulumi.export("settings", settings.metadata.name)
"""


def test_an_unchanged_program_changes_nothing_and_a_changed_one_only_what_differs(
    stack: Stack, namespace: str, kubectl: Kubectl
) -> None:
    values = {"namespace": namespace, "pods": pods(app="one"), "value": "first"}
    stack.program(_APP, note="first", **values)
    assert "+ 3 created" in stack.up()
    created = kubectl.get("deployment/app", f"--namespace={namespace}")
    assert created["status"]["availableReplicas"] == 1

    assert "3 unchanged" in stack.preview()
    assert "3 unchanged" in stack.up()

    stack.program(_APP, note="second", **values)
    assert "~ 1 updated" in stack.up()
    updated = kubectl.get("deployment/app", f"--namespace={namespace}")
    assert updated["metadata"]["annotations"]["note"] == "second"
    assert updated["metadata"]["uid"] == created["metadata"]["uid"]


def test_a_change_of_an_immutable_field_replaces_the_object(
    stack: Stack, namespace: str, kubectl: Kubectl
) -> None:
    stack.program(_APP, namespace=namespace, note="", pods=pods(app="one"), value="first")
    stack.up()
    old = kubectl.get("deployment/app", f"--namespace={namespace}")
    old_settings = stack.resources()["settings"]["id"]

    stack.program(_APP, namespace=namespace, note="", pods=pods(app="two"), value="second")
    preview = stack.preview("--diff")
    assert "+-kubernetes:apps/v1:Deployment: (replace)" in preview
    output = stack.up()
    assert "+-2 replaced" in output

    new = kubectl.get("deployment/app", f"--namespace={namespace}")
    assert new["metadata"]["uid"] != old["metadata"]["uid"]
    assert new["spec"]["selector"]["matchLabels"] == {"app": "two"}
    # The name is given, so the old one had to go first; where Pulumi chose it, last.
    lines = output.splitlines()
    assert _line(lines, "app deleted original") < _line(lines, "app created replacement")
    assert _line(lines, "settings created replacement") < _line(lines, "settings deleted original")
    assert stack.resources()["settings"]["id"] != old_settings
    names = kubectl("get", "configmap", "-oname", f"--namespace={namespace}")
    assert names.count("configmap/settings-") == 1


def test_destroying_deletes_dependents_first_and_leaves_nothing(
    stack: Stack, kubectl: Kubectl, namespace: str
) -> None:
    stack.program(
        """
        outer = k8s.core.v1.Namespace("outer", metadata={"name": name})
        one = k8s.core.v1.ConfigMap("one", metadata={"namespace": outer.metadata.name})
        two = k8s.core.v1.ConfigMap(
            "two",
            metadata={"namespace": name},
            opts=pulumi.ResourceOptions(depends_on=[one]),
        )
        """,
        name=f"{namespace}-outer",
    )
    stack.up()
    lines = stack.destroy().splitlines()
    assert _line(lines, "two deleted") < _line(lines, "one deleted") < _line(lines, "outer deleted")
    assert kubectl.run("get", "namespace", f"{namespace}-outer").returncode != 0
    assert stack.resources() == {}


def test_retained_objects_stay_and_protected_ones_cannot_be_deleted(
    stack: Stack, namespace: str, kubectl: Kubectl
) -> None:
    program = """
    options = pulumi.ResourceOptions
    metadata = {"namespace": namespace}
    if with_retained:
        k8s.core.v1.ConfigMap(
            "retained",
            metadata={"name": "retained", **metadata},
            opts=options(retain_on_delete=True),
        )
    k8s.core.v1.ConfigMap(
        "protected",
        metadata={"name": "protected", **metadata},
        opts=options(protect=protected),
    )
    """
    stack.program(program, namespace=namespace, with_retained=True, protected=True)
    stack.up()
    stack.program(program, namespace=namespace, with_retained=False, protected=True)
    stack.up()
    kubectl.get("configmap/retained", f"--namespace={namespace}")
    assert "retained" not in stack.resources()

    refused = stack.fail("destroy", "--yes", "--skip-preview", "--non-interactive", "--stack=dev")
    assert "protected" in refused
    kubectl.get("configmap/protected", f"--namespace={namespace}")
    stack.program(program, namespace=namespace, with_retained=False, protected=False)
    stack.up()
    stack.destroy()
    gone = kubectl.run("get", "configmap/protected", f"--namespace={namespace}")
    assert "NotFound" in gone.stderr


def test_a_deletion_that_is_held_up_names_what_holds_it(
    stack: Stack, namespace: str, kubectl: Kubectl
) -> None:
    stack.program(
        """
        metadata = {
            "name": "held",
            "namespace": namespace,
            "annotations": {"pulumi.com/timeoutSeconds": "2"},
        }
        k8s.core.v1.ConfigMap("held", metadata=metadata)
        """,
        namespace=namespace,
    )
    stack.up()
    held = ("configmap/held", f"--namespace={namespace}")
    kubectl.patch(*held, merge={"metadata": {"finalizers": ["example.com/hold"]}})
    output = stack.fail("destroy", "--yes", "--skip-preview", "--non-interactive", "--stack=dev")
    assert f"ConfigMap {namespace}/held is not gone 2 s after its deletion" in output
    assert "finalizer example.com/hold" in output
    assert "held" in stack.resources()
    kubectl.patch(*held, merge={"metadata": {"finalizers": None}})
    stack.destroy()
    assert stack.resources() == {}


def _line(lines: list[str], text: str) -> int:
    """The first line that says what happened to a resource."""
    return next(number for number, line in enumerate(lines) if text in line)
