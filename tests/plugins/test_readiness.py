"""An object counts as created once it does what it is for, or says why it does not."""

from __future__ import annotations

import threading

import pytest

from tests.plugins.stack import MISSING, PAUSE, REDIS, Stack, pods
from tests.support import Kubectl

pytestmark = pytest.mark.cluster

_WORKLOADS = """
def metadata(name, seconds=seconds):
    return {
        "name": name,
        "namespace": namespace,
        "annotations": {"pulumi.com/timeoutSeconds": seconds},
    }

deployment = k8s.apps.v1.Deployment(
    "deployment",
    metadata=metadata("deployment"),
    spec={"replicas": 1, **pods},
)
k8s.apps.v1.StatefulSet(
    "statefulset",
    metadata=metadata("statefulset"),
    spec={
        "replicas": 1,
        "serviceName": "s",
        # The default policy replaces no pod that never was ready, whoever applies the mended one.
        "podManagementPolicy": "Parallel",
        **replicas,
    },
)
k8s.batch.v1.Job(
    "job",
    metadata=metadata("job"),
    spec={
        "backoffLimit": 0,
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "containers": [
                    {"name": "main", "image": REDIS, "command": ["redis-server", job_argument]}
                ],
            },
        },
    },
)
k8s.core.v1.Service(
    "service",
    metadata=metadata("service"),
    spec={"selector": {"app": "d"}, "ports": [{"port": 80}]},
)
k8s.core.v1.PersistentVolumeClaim(
    "claim",
    metadata=metadata("claim"),
    spec={
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": storage_class,
        "resources": {"requests": {"storage": "1Mi"}},
    },
)
k8s.core.v1.ConfigMap(
    "dependent",
    metadata={"name": "dependent", "namespace": namespace},
    opts=pulumi.ResourceOptions(depends_on=[deployment]),
)
"""


def test_what_is_not_ready_fails_with_the_reason_and_the_next_up_completes_it(
    stack: Stack, namespace: str, kubectl: Kubectl
) -> None:
    broken = {
        "pods": pods(MISSING, app="d"),
        "replicas": pods(MISSING, app="s"),
        "job_argument": "--no-such-option",
        "storage_class": "no-such-class",
    }
    stack.program(_WORKLOADS, namespace=namespace, seconds="8", REDIS=REDIS, **broken)
    output = stack.fail_up()
    for name in ("Deployment", "StatefulSet", "Service"):
        assert f"{name} {namespace}/{name.lower()} is not ready after 8 s" in output
    assert "0 of 1 replicas are available" in output
    assert f'ErrImageNeverPull: Container image "{MISSING}"' in output
    assert f"Job {namespace}/job: it failed: BackoffLimitExceeded" in output
    assert "no pod that its selector matches is ready" in output
    assert "it is Pending, not bound to a volume" in output
    assert 'storageclass.storage.k8s.io "no-such-class" not found' in output

    # They exist, so the state keeps them; what depends on them has not been tried.
    assert stack.resources().keys() == {"deployment", "statefulset", "job", "service", "claim"}
    missing = kubectl.run("get", "configmap/dependent", f"--namespace={namespace}")
    assert "NotFound" in missing.stderr

    mended = {
        "pods": pods(PAUSE, app="d"),
        "replicas": pods(PAUSE, app="s"),
        "job_argument": "--version",
        "storage_class": default_class(kubectl),
    }
    stack.program(_WORKLOADS, namespace=namespace, seconds="90", REDIS=REDIS, **mended)
    stack.up()
    assert kubectl.get("deployment/deployment", f"-n={namespace}")["status"]["readyReplicas"] == 1
    assert kubectl.get("statefulset/statefulset", f"-n={namespace}")["status"]["readyReplicas"] == 1
    assert kubectl.get("job/job", f"-n={namespace}")["status"]["succeeded"] == 1
    assert kubectl.get("pvc/claim", f"-n={namespace}")["status"]["phase"] == "Bound"
    kubectl.get("configmap/dependent", f"-n={namespace}")
    assert "7 unchanged" in stack.up()


def test_a_quota_that_forbids_the_pods_is_named(
    stack: Stack, namespace: str, kubectl: Kubectl
) -> None:
    kubectl("create", "quota", "none", "--hard=pods=0", f"--namespace={namespace}")
    stack.program(
        """
        k8s.apps.v1.Deployment(
            "app",
            metadata={"name": "app", "namespace": namespace},
            spec={"replicas": 1, **pods},
            opts=pulumi.ResourceOptions(
                custom_timeouts=pulumi.CustomTimeouts(create="4s")
            ),
        )
        """,
        namespace=namespace,
        pods=pods(app="q"),
    )
    output = stack.fail_up()
    assert "is not ready after 4 s" in output
    assert "exceeded quota: none" in output


def test_skip_await_does_not_wait(stack: Stack, namespace: str, kubectl: Kubectl) -> None:
    stack.program(
        """
        k8s.apps.v1.Deployment(
            "app",
            metadata={
                "name": "app",
                "namespace": namespace,
                "annotations": {"pulumi.com/skipAwait": "true"},
            },
            spec={"replicas": 1, **pods},
        )
        """,
        namespace=namespace,
        pods=pods(MISSING, app="skip"),
    )
    assert "+ 2 created" in stack.up()
    assert "readyReplicas" not in kubectl.get("deployment/app", f"-n={namespace}")["status"]


_DEFINITION = """
group = f"{namespace}.example.com"
definition = k8s.apiextensions.v1.CustomResourceDefinition(
    "definition",
    metadata={"name": f"widgets.{group}"},
    spec={
        "group": group,
        "scope": "Namespaced",
        "names": {"kind": "Widget", "plural": "widgets"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "x_kubernetes_preserve_unknown_fields": True,
                    }
                },
            }
        ],
    },
)
k8s.apiextensions.CustomResource(
    "widget",
    api_version=f"{group}/v1",
    kind="Widget",
    metadata={
        "name": "widget",
        "namespace": namespace,
        "annotations": {"pulumi.com/waitFor": wait_for, "pulumi.com/timeoutSeconds": seconds},
    },
    spec={"size": 3},
)
"""


def test_a_custom_resource_is_awaited_as_its_annotation_says(
    stack: Stack, namespace: str, kubectl: Kubectl
) -> None:
    wait_for = '["condition=Ready", "jsonpath={.status.phase}=Running"]'
    resource = f"widgets.{namespace}.example.com/widget"
    stack.program(_DEFINITION, namespace=namespace, wait_for=wait_for, seconds="3")
    # The preview knows neither the definition nor the resource; the definition comes first.
    assert "+ 3 to create" in stack.preview()
    assert "it has no condition Ready yet" in stack.fail_up()

    def become_ready(message: str, status: str) -> None:
        condition = f'{{"type":"Ready","status":"{status}","message":"{message}"}}'
        body = f'{{"status":{{"phase":"Running","conditions":[{condition}]}}}}'
        arguments = ("--subresource=status", "--type=merge", "--patch", body)
        kubectl("patch", resource, f"--namespace={namespace}", *arguments)

    become_ready("no parts", "False")
    assert "its condition Ready is False, not True (no parts)" in stack.fail_up()

    stack.program(_DEFINITION, namespace=namespace, wait_for=wait_for, seconds="60")
    ups = []
    up = threading.Thread(target=lambda: ups.append(stack.up()))
    up.start()
    become_ready("built", "True")
    up.join()
    assert ups
    stack.destroy()
    assert "NotFound" in kubectl.run("get", "crd", f"widgets.{namespace}.example.com").stderr


def default_class(kubectl: Kubectl) -> str:
    """The cluster's default StorageClass."""
    annotation = "storageclass.kubernetes.io/is-default-class"
    return next(
        str(found["metadata"]["name"])
        for found in kubectl.get("storageclass")["items"]
        if found["metadata"].get("annotations", {}).get(annotation) == "true"
    )
