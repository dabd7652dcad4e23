"""What the state holds and how it follows the cluster: drift, secrets, interruption."""

from __future__ import annotations

import base64
import time

import psutil
import pytest

from tests.plugins.stack import MISSING, PAUSE, Stack, interrupt, pods
from tests.support import Kubectl, wait_until

pytestmark = pytest.mark.cluster

_APP = """
k8s.apps.v1.Deployment(
    "app",
    metadata={"name": "app", "namespace": namespace, "labels": {"note": note}},
    spec={"replicas": 1, **pods},
    opts=pulumi.ResourceOptions(ignore_changes=ignored),
)
k8s.core.v1.ConfigMap(
    "settings", metadata={"name": "settings", "namespace": namespace}, data={"key": "value"}
)
"""


def test_refresh_finds_drift_and_up_mends_it(
    stack: Stack, namespace: str, kubectl: Kubectl
) -> None:
    stack.program(_APP, namespace=namespace, note="a", pods=pods(app="drift"), ignored=[])
    stack.up()
    assert "3 unchanged" in stack.refresh()

    app = ("deployment/app", f"--namespace={namespace}")
    kubectl.patch(*app, merge={"spec": {"replicas": 2}, "metadata": {"labels": {"more": "x"}}})
    kubectl("delete", "configmap/settings", f"--namespace={namespace}")
    output = stack.refresh("--diff")
    assert "replicas" in output
    assert "- 1 deleted" in output

    output = stack.up()
    assert "+ 1 created" in output
    assert "~ 1 updated" in output
    mended = kubectl.get(*app)
    assert mended["spec"]["replicas"] == 1
    # A label that the program does not name is somebody else's: no drift.
    assert mended["metadata"]["labels"] == {"note": "a", "more": "x"}
    kubectl.get("configmap/settings", f"--namespace={namespace}")
    assert "3 unchanged" in stack.refresh()
    assert "3 unchanged" in stack.up()


def test_ignored_changes_keep_what_the_cluster_has(
    stack: Stack, namespace: str, kubectl: Kubectl
) -> None:
    ignored = ["spec.replicas"]
    stack.program(_APP, namespace=namespace, note="a", pods=pods(app="i"), ignored=ignored)
    stack.up()
    app = ("deployment/app", f"--namespace={namespace}")
    kubectl.patch(*app, merge={"spec": {"replicas": 2}})

    stack.program(_APP, namespace=namespace, note="b", pods=pods(app="i"), ignored=ignored)
    assert "~ 1 updated" in stack.up()
    live = kubectl.get(*app)
    assert live["metadata"]["labels"] == {"note": "b"}
    assert live["spec"]["replicas"] == 2


def test_secrets_are_in_plain_text_nowhere_but_in_the_cluster(
    stack: Stack, namespace: str, kubectl: Kubectl
) -> None:
    texts = ["hunter2-from-config", "hunter2-from-data", "hunter2-annotated", "hunter2-changed"]
    encoded = [base64.b64encode(text.encode()).decode() for text in texts]
    stack.run("config", "set", "--secret", "password", texts[0], "--stack=dev")
    program = """
    import base64
    k8s.core.v1.Secret(
        "secret",
        metadata={"name": "secret", "namespace": namespace},
        string_data={"password": pulumi.Config().require_secret("password")},
        data={"other": base64.b64encode(other.encode()).decode()},
    )
    k8s.core.v1.ConfigMap(
        "settings",
        metadata={
            "name": "settings",
            "namespace": namespace,
            "annotations": {"key": pulumi.Output.secret(annotated)},
        },
        immutable=pulumi.Output.secret(immutable),
    )
    """
    values = {"namespace": namespace, "annotated": texts[2]}
    diff = ("--diff", "--non-interactive", "--stack=dev")
    stack.program(program, other=texts[1], immutable=False, **values)
    said = [stack.run("up", "--yes", *diff), stack.refresh("--diff")]
    stack.program(program, other=texts[3], immutable=False, **values)
    said += [stack.run("up", "--yes", *diff)]
    # A refusal by the API server names what it was sent.
    stack.program(program, other=texts[3], immutable=texts[2], **values)
    said += [stack.fail("preview", *diff), stack.fail_up(), stack.checkpoint()]
    for text in (*texts, *encoded):
        assert text not in "\n".join(said)

    live = kubectl.get("secret/secret", f"--namespace={namespace}")["data"]
    assert live == {"password": encoded[0], "other": encoded[3]}


def test_plugins_end_with_an_engine_that_is_killed(stack: Stack, namespace: str) -> None:
    stack.program(_APP, namespace=namespace, note="", pods=pods(MISSING, app="k"), ignored=[])
    up = stack.start_up()
    engine = psutil.Process(up.pid)
    wait_until(lambda: len(engine.children()) >= 2, seconds=60, what="both plugins")
    plugins = engine.children()
    engine.kill()
    up.communicate()
    _, alive = psutil.wait_procs(plugins, timeout=10)
    assert alive == []


def test_an_interrupted_up_leaves_a_state_that_goes_on(
    stack: Stack, namespace: str, kubectl: Kubectl
) -> None:
    stack.program(_APP, namespace=namespace, note="", pods=pods(MISSING, app="c"), ignored=[])
    up = stack.start_up()
    app = ("deployment/app", f"--namespace={namespace}")
    wait_until(lambda: kubectl.run("get", *app).returncode == 0, seconds=60, what="the Deployment")
    start = time.monotonic()
    output = interrupt(up)
    assert time.monotonic() - start < 20
    assert up.returncode != 0
    assert "cancelled while waiting" in output
    assert "app" in stack.resources()

    stack.program(_APP, namespace=namespace, note="", pods=pods(PAUSE, app="c"), ignored=[])
    stack.up()
    assert kubectl.get(*app)["status"]["readyReplicas"] == 1
    stack.destroy()
    assert "NotFound" in kubectl.run("get", *app).stderr
