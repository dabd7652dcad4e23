"""A tier is backed up by a Job of the cluster, and a drill proves the snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import TENANT
from tests.e2e.redis_tiers import make_cluster, remove_cluster, wait_until_settled
from tests.support import Kubectl, is_ready, manifest, wait_until

pytestmark = pytest.mark.cluster
NAME = "e2e-backup"
JOB_SECONDS = 180.0


def _object(kind: str, version: str = "tenfold.dev/v1alpha1", **content: Any) -> dict[str, Any]:
    return manifest(version, kind, TENANT, NAME, **content)


@pytest.fixture
def repository(kubectl: Kubectl) -> Iterator[dict[str, str]]:
    """A volume and a password for a restic repository; all is gone afterwards."""
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    kubectl.apply(_object("PersistentVolumeClaim", "v1", spec=claim))
    secret = {"stringData": {"RESTIC_PASSWORD": "only-for-this-test"}}
    kubectl.apply(_object("Secret", "v1", **secret))
    yield {"claimName": NAME, "secretName": NAME}
    for kind in ("redisrestore", "redisbackup", "persistentvolumeclaim", "secret"):
        kubectl("delete", kind, NAME, "--namespace", TENANT, "--ignore-not-found")


def test_a_backup_is_proved_by_a_drill(
    kubectl: Kubectl,
    gateway: httpx.Client,
    prometheus: httpx.Client,
    repository: dict[str, str],
    say: Callable[[str], None],
) -> None:
    gateway.post("/v1/counters/e2e-backup").raise_for_status()
    backup = {"tier": "l2", "repository": repository, "pointInTime": True}
    kubectl.apply(_object("RedisBackup", spec=backup))
    _wait_until_done(kubectl, "redisbackup")
    drill = {"backup": NAME, "mode": "drill"}
    kubectl.apply(_object("RedisRestore", spec=drill))
    _wait_until_done(kubectl, "redisrestore")
    made = _get(kubectl, "redisbackup")["status"]["lastBackup"]
    run = _get(kubectl, "redisrestore")["status"]["lastRun"]
    say(f"{made['keys']} keys backed up in {made['seconds']} s, proved in {run['seconds']} s")
    assert run["equal"] is True
    assert run["found"] >= run["keys"] > 0
    gone = ("redisrestore", NAME, "--namespace", TENANT, "--cascade=foreground")
    kubectl("delete", *gone)
    again = {**drill, "pointInTime": made["until"]}
    kubectl.apply(_object("RedisRestore", spec=again))
    _wait_until_done(kubectl, "redisrestore")
    run = _get(kubectl, "redisrestore")["status"]["lastRun"]
    say(f"its last second, {made['until']}, proved in {run['seconds']} s")
    assert run["equal"] is True
    assert run["found"] >= run["keys"] > 0
    wait_until(
        lambda: _is_known(prometheus, "tenfold_redis_restore_last_good_timestamp_seconds"),
        seconds=90,
        what="the drill's metric",
        every=2,
    )


@pytest.fixture
def cluster(kubectl: Kubectl) -> Iterator[None]:
    """A small Redis Cluster of the same name."""
    make_cluster(kubectl, NAME)
    yield
    remove_cluster(kubectl, NAME)


@pytest.mark.usefixtures("cluster")
def test_a_cluster_is_backed_up_and_comes_back(
    kubectl: Kubectl, repository: dict[str, str], say: Callable[[str], None]
) -> None:
    wait_until_settled(kubectl, NAME, 3)

    def on_server(script: str) -> str:
        pod = ("exec", f"{NAME}-0-0", "--namespace", TENANT, "--container", "redis", "--")
        return kubectl(*pod, "sh", "-c", f". /config/ask.sh; {script}")

    on_server("for n in $(seq 300); do echo set k$n $n; done | $cli -c")
    kubectl.apply(_object("RedisBackup", spec={"tier": NAME, "repository": repository}))
    _wait_until_done(kubectl, "redisbackup")
    kubectl.apply(_object("RedisRestore", spec={"backup": NAME, "mode": "drill"}))
    _wait_until_done(kubectl, "redisrestore")
    made = _get(kubectl, "redisbackup")["status"]["lastBackup"]
    run = _get(kubectl, "redisrestore")["status"]["lastRun"]
    say(f"three shards backed up in {made['seconds']} s, proved in {run['seconds']} s")
    assert (made["keys"], run["keys"], run["found"]) == (300, 300, 300)
    on_server("for n in $(seq 300); do echo del k$n; done | $cli -c")
    kubectl("delete", "redisrestore", NAME, "--namespace", TENANT, "--cascade=foreground")
    again = {"backup": NAME, "mode": "replace", "tier": NAME, "confirm": NAME}
    kubectl.apply(_object("RedisRestore", spec=again))
    _wait_until_done(kubectl, "redisrestore")
    assert _get(kubectl, "redisrestore")["status"]["lastRun"]["found"] == 300
    assert on_server("$cli -c get k300").strip() == "300"


def _get(kubectl: Kubectl, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = kubectl.get(kind, NAME, "--namespace", TENANT)
    return found


def _wait_until_done(kubectl: Kubectl, kind: str) -> None:
    wait_until(
        lambda: "lastJob" in _get(kubectl, kind).get("status", {}),
        seconds=JOB_SECONDS,
        what=f"the Job of the {kind}",
        every=1,
    )
    assert is_ready(_get(kubectl, kind)), _get(kubectl, kind)["status"]


def _is_known(prometheus: httpx.Client, metric: str) -> bool:
    answer = prometheus.get("/query", params={"query": metric}).raise_for_status()
    return bool(answer.json()["data"]["result"])
