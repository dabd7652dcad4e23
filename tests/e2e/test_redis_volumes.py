"""Volumes of a Redis tier grow under its running pods, or nothing is touched and the reason said.

The embedded cluster has no driver that grows volumes. Its own StorageClass says so. For the other
half of the story there is a class that promises it, and the test says of each volume, as the
driver's resizer would, that it has grown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import TENANT
from tests.support import Kubectl, manifest, wait_until

pytestmark = pytest.mark.cluster
NAME = "e2e-volumes"
TIER = ("redistier", NAME, "--namespace", TENANT)
SERVERS = f"app.kubernetes.io/name=redis,tenfold.dev/tier={NAME}"
SMALL, LARGE = "64Mi", "128Mi"
SECONDS = 120.0


@pytest.fixture
def storage_class(kubectl: Kubectl, request: pytest.FixtureRequest) -> Iterator[str]:
    """A StorageClass whose volumes may grow, or may not, as the test's parameter says."""
    kubectl.apply(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": NAME},
            "provisioner": "kubernetes.io/host-path",
            "allowVolumeExpansion": request.param,
        }
    )
    yield NAME
    kubectl("delete", "storageclass", NAME)


@pytest.fixture
def tier(kubectl: Kubectl, storage_class: str) -> Iterator[None]:
    """A tier that nobody uses; that its servers reach nobody is of no importance here."""
    small = {"cpu": "10m", "memory": "16Mi"}
    kubectl.apply(
        manifest(
            "tenfold.dev/v1alpha1",
            "RedisTier",
            TENANT,
            NAME,
            spec={
                "replicas": 1,
                "memory": "16Mi",
                "persistence": {"size": SMALL, "storageClassName": storage_class},
                "resources": {"requests": small, "limits": {"cpu": "500m", "memory": "64Mi"}},
            },
        )
    )
    yield
    kubectl("delete", *TIER)
    kubectl("delete", "pvc", "--namespace", TENANT, "--selector", f"tenfold.dev/tier={NAME}")


def _condition(kubectl: Kubectl) -> dict[str, Any]:
    found = kubectl.get(*TIER).get("status", {}).get("conditions", [])
    return next((each for each in found if each["type"] == "VolumesGrown"), {"reason": None})


def _wait_for(kubectl: Kubectl, reason: str) -> None:
    wait_until(
        lambda: _condition(kubectl)["reason"] == reason, seconds=SECONDS, what=reason, every=1
    )


def _wait_for_servers(kubectl: Kubectl) -> None:
    wait_until(lambda: len(_pods(kubectl)) == 2, seconds=SECONDS, what="two servers", every=1)
    _wait_for(kubectl, "AsWanted")


def _grow(kubectl: Kubectl) -> None:
    kubectl.patch(*TIER, merge={"spec": {"persistence": {"size": LARGE}}})


def _asked(kubectl: Kubectl) -> dict[str, str]:
    """What each server's claim asks for."""
    found = kubectl.get("pvc", "--namespace", TENANT, "--selector", SERVERS)["items"]
    return {
        each["metadata"]["name"]: each["spec"]["resources"]["requests"]["storage"] for each in found
    }


def _stateful_sets(kubectl: Kubectl) -> list[tuple[str, str]]:
    """Which StatefulSets of servers there are, and the size in their templates."""
    found = kubectl.get("statefulsets", "--namespace", TENANT, "--selector", SERVERS)["items"]
    templates = [each["spec"]["volumeClaimTemplates"][0]["spec"] for each in found]
    return [
        (each["metadata"]["uid"], template["resources"]["requests"]["storage"])
        for each, template in zip(found, templates, strict=True)
    ]


def _pods(kubectl: Kubectl) -> dict[str, tuple[str, str]]:
    """Which pods they are, and the template that each is made from."""
    found = kubectl.get("pods", "--namespace", TENANT, "--selector", SERVERS)["items"]
    return {
        each["metadata"]["name"]: (
            each["metadata"]["uid"],
            each["metadata"]["labels"]["controller-revision-hash"],
        )
        for each in found
    }


def _play_resizer(kubectl: Kubectl) -> None:
    for name, size in _asked(kubectl).items():
        kubectl.patch(
            "pvc", name, "--namespace", TENANT, "--subresource=status",
            merge={"status": {"capacity": {"storage": size}}},
        )  # fmt: skip


@pytest.mark.usefixtures("tier")
@pytest.mark.parametrize("storage_class", [True], indirect=True)
def test_volumes_grow_while_the_pods_run(kubectl: Kubectl) -> None:
    _wait_for_servers(kubectl)
    ((former, _),), pods = _stateful_sets(kubectl), _pods(kubectl)
    _grow(kubectl)
    wait_until(
        lambda: [size for _, size in _stateful_sets(kubectl)] == [LARGE],
        seconds=SECONDS,
        what="a StatefulSet with larger volumes",
        every=1,
    )
    assert _stateful_sets(kubectl)[0][0] != former
    assert _asked(kubectl) == {f"data-{NAME}-0": LARGE, f"data-{NAME}-1": LARGE}
    wait_until(
        lambda: f"data-{NAME}-0 has {SMALL}" in _condition(kubectl).get("message", ""),
        seconds=SECONDS,
        what="a word on the volume that has not grown yet",
        every=1,
    )
    _play_resizer(kubectl)
    _wait_for(kubectl, "AsWanted")
    assert _pods(kubectl) == pods
    smaller = json.dumps({"spec": {"persistence": {"size": SMALL}}})
    refused = kubectl.run("patch", *TIER, "--type=merge", "--patch", smaller)
    assert "persistence.size may grow and never shrink: make a new tier" in refused.stderr


@pytest.mark.usefixtures("tier")
@pytest.mark.parametrize("storage_class", [False], indirect=True)
def test_volumes_that_cannot_grow_are_left_alone(kubectl: Kubectl) -> None:
    _wait_for_servers(kubectl)
    before = _stateful_sets(kubectl), _asked(kubectl), _pods(kubectl)
    _grow(kubectl)
    _wait_for(kubectl, "CannotExpand")
    assert (
        f"StorageClass {NAME} does not have allowVolumeExpansion"
        in (_condition(kubectl)["message"])
    )
    assert (_stateful_sets(kubectl), _asked(kubectl), _pods(kubectl)) == before
