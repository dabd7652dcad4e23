"""The policy pack accepts both stacks and refuses what it names."""

from __future__ import annotations

from collections import UserList
from copy import deepcopy
from types import MappingProxyType
from typing import Any

import pytest
from tenfold_infra.config import parse
from tenfold_policies import violations

from tests.infra.rendering import Document, Run, run_program, with_training_jobs

CONTAINER: Document = {
    "name": "app",
    "image": "docker.io/library/app:1.0",
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    },
    "resources": {
        "requests": {"cpu": "1", "memory": "1Gi"},
        "limits": {"cpu": "1", "memory": "1Gi"},
    },
}
SPEC: Document = {
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": [CONTAINER],
}
NAMESPACE: Document = {
    "kind": "Namespace",
    "metadata": {"name": "shop", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}},
}
DENY: Document = {
    "kind": "NetworkPolicy",
    "metadata": {"name": "deny", "namespace": "shop"},
    "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
}


def deployment(spec: Document) -> Document:
    metadata = {"name": "app", "namespace": "shop"}
    return {"kind": "Deployment", "metadata": metadata, "spec": {"template": {"spec": spec}}}


def with_container(**changes: Any) -> Document:
    return deployment(SPEC | {"containers": [CONTAINER | changes]})


def with_pod(**changes: Any) -> Document:
    return deployment(SPEC | changes)


def with_security(**changes: Any) -> Document:
    return with_container(securityContext=CONTAINER["securityContext"] | changes)


def test_both_stacks_pass(run: Run) -> None:
    assert violations(run.documents) == []


def test_a_stack_with_training_jobs_passes(config: dict[str, str]) -> None:
    jobs = run_program(parse(with_training_jobs(config)), "local")
    assert violations(jobs.documents) == []


def test_the_example_that_the_others_spoil_passes() -> None:
    assert violations([NAMESPACE, DENY, deployment(SPEC)]) == []


def test_the_engines_own_views_are_judged_as_dicts_and_lists_are() -> None:
    def view(value: Any) -> Any:
        if isinstance(value, dict):
            return MappingProxyType({key: view(entry) for key, entry in value.items()})
        return UserList(map(view, value)) if isinstance(value, list) else value

    bad = [NAMESPACE, with_security(privileged=True)]
    assert violations([view(document) for document in [NAMESPACE, DENY]]) == []
    assert violations([view(document) for document in bad]) == violations(bad) != []


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (with_security(privileged=True), "privileged is root on the node"),
        (with_security(allowPrivilegeEscalation=True), "set allowPrivilegeEscalation: false"),
        (with_security(capabilities={"drop": ["NET_RAW"]}), "drop: [ALL]"),
        (with_security(runAsNonRoot=False), "set runAsNonRoot: true"),
        (with_security(runAsUser=0), "runAsUser 0 is root"),
        (with_security(seccompProfile={"type": "Unconfined"}), "set seccompProfile"),
        (with_pod(securityContext={}), "set runAsNonRoot: true"),
        (with_pod(hostNetwork=True), "hostNetwork shares the node's"),
        (with_pod(volumes=[{"name": "root", "hostPath": {"path": "/"}}]), "volume root opens"),
        (with_pod(initContainers=[{"name": "init", "image": "a:1"}]), "container init: set"),
    ],
)
def test_pods_that_gain_something_on_their_node_are_refused(document: Document, words: str) -> None:
    assert any(f.startswith("restricted-pods") and words in f for f in violations([document]))


@pytest.mark.parametrize("kind", ["requests", "limits"])
@pytest.mark.parametrize("amount", ["cpu", "memory"])
def test_a_container_without_limits_is_refused(kind: str, amount: str) -> None:
    resources = deepcopy(CONTAINER["resources"])
    del resources[kind][amount]
    assert violations([with_container(resources=resources)]) == [
        f"limits: Deployment shop/app: container app: set resources {kind}.{amount}"
    ]


@pytest.mark.parametrize("image", ["app", "app:latest", "registry:5000/app", "registry:5000/app:"])
def test_an_image_without_a_version_is_refused(image: str) -> None:
    (found,) = violations([with_container(image=image)])
    assert found.startswith("fixed-images: ")


@pytest.mark.parametrize("image", ["app:1", "registry:5000/app:2", "app@sha256:" + "0" * 64])
def test_an_image_with_a_version_passes(image: str) -> None:
    assert violations([with_container(image=image)]) == []


@pytest.mark.parametrize(
    "variable",
    [
        {"name": "REDIS_PASSWORD", "value": "hunter2"},
        {"name": "githubToken", "value": "ghp_x"},
        {"name": "API_KEY", "value": "0123-4567"},
        {"name": "REDIS_URL", "value": "redis://:hunter2@l2:6379/0"},
    ],
)
def test_a_secret_in_plain_text_is_refused(variable: dict[str, str]) -> None:
    (found,) = violations([with_container(env=[variable])])
    assert found.startswith("no-plain-secrets: ")
    assert variable["value"] not in found


@pytest.mark.parametrize(
    "variable",
    [
        {"name": "REDIS_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}},
        {"name": "REDIS_URL", "value": "redis://l2.shop.svc:6379/0"},
    ],
)
def test_what_is_no_secret_or_comes_from_one_passes(variable: Document) -> None:
    assert violations([with_container(env=[variable])]) == []


@pytest.mark.parametrize(
    "policy",
    [
        None,
        DENY | {"metadata": {"name": "deny", "namespace": "elsewhere"}},
        DENY | {"spec": DENY["spec"] | {"policyTypes": ["Ingress"]}},
        DENY | {"spec": DENY["spec"] | {"ingress": [{}]}},
        DENY | {"spec": DENY["spec"] | {"podSelector": {"matchLabels": {"app": "x"}}}},
    ],
    ids=["none", "elsewhere", "one direction", "allows all", "some pods"],
)
def test_a_namespace_that_is_not_closed_is_refused(policy: Document | None) -> None:
    documents = [NAMESPACE] if policy is None else [NAMESPACE, policy]
    assert violations(documents) == [
        "default-deny: Namespace shop: has no NetworkPolicy that denies all traffic by default"
    ]


def test_a_namespace_for_unrestricted_pods_is_refused() -> None:
    open_namespace = {"kind": "Namespace", "metadata": {"name": "shop"}}
    (found,) = violations([open_namespace, DENY])
    assert "pod-security.kubernetes.io/enforce: restricted" in found


@pytest.mark.parametrize(
    "rule",
    [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    ],
)
def test_a_binding_that_reaches_all_secrets_is_refused(rule: Document) -> None:
    role = {"kind": "ClusterRole", "metadata": {"name": "reader"}, "rules": [rule]}
    binding = {
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "app"},
        "roleRef": {"kind": "ClusterRole", "name": "reader"},
    }
    assert violations([role]) == []
    assert violations([role, binding]) == [
        "namespaced-secrets: ClusterRoleBinding app: role reader reaches every Secret;"
        " bind it by namespace"
    ]
