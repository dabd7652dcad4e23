"""A Redis Cluster of its own grows and loses a primary's pod, and its client notices nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e.conftest import TENANT
from tests.e2e.redis_tiers import make_cluster, remove_cluster, wait_until_settled
from tests.support import Kubectl, manifest, wait_until

pytestmark = pytest.mark.cluster
NAME = "e2e-cluster"
CLIENT_POD = f"{NAME}-client"
TIER = ("redistier", NAME, "--namespace", TENANT)
CLIENT = """
import json, os, pathlib, redis, time
from redis.cluster import RedisCluster
client = None
while client is None:  # the network lets a new pod through some seconds after its start
    try:
        client = RedisCluster(
            host=os.environ["TIER"], password=os.environ["PASSWORD"], socket_timeout=5
        )
    except (redis.RedisError, redis.exceptions.RedisClusterException):
        time.sleep(0.2)
done, failed, longest, last = 0, [], 0.0, time.monotonic()
while not pathlib.Path("/tmp/stop").exists():
    try:
        client.incr(f"c{done % 100}")
        done += 1
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
        if done % 100 == 0:
            pathlib.Path("/tmp/done").write_text(str(done))
    except redis.RedisError as error:
        failed.append(repr(error))
    time.sleep(0.002)
counted = sum(int(client.get(f"c{n}") or 0) for n in range(100))
result = {"done": done, "counted": counted, "failed": failed[:5], "longest": longest}
pathlib.Path("/dev/termination-log").write_text(json.dumps(result))
"""


@pytest.fixture
def tier(kubectl: Kubectl) -> Iterator[None]:
    make_cluster(kubectl, NAME)
    yield
    kubectl("delete", "pod", CLIENT_POD, "--namespace", TENANT, "--ignore-not-found")
    remove_cluster(kubectl, NAME)


def _start_client(kubectl: Kubectl) -> None:
    """Run a client in a pod: the servers' addresses are for pods alone."""
    operator = kubectl.get("deployment", "operator", "--namespace", "tenfold-system")
    (container, *_) = operator["spec"]["template"]["spec"]["containers"]
    secret = {"secretKeyRef": {"name": f"{NAME}-auth", "key": "password"}}
    client = {
        "name": "client",
        "image": container["image"],
        "command": ["/opt/tenfold/bin/python", "-c", CLIENT],
        "env": [
            {"name": "TIER", "value": NAME},
            {"name": "PASSWORD", "valueFrom": secret},
        ],
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [client],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    pod = manifest("v1", "Pod", TENANT, CLIENT_POD, spec=spec)
    pod["metadata"]["labels"] = {"tenfold.dev/redis-client": "true"}
    kubectl.apply(pod)


def _in_client(kubectl: Kubectl, *command: str) -> str:
    return kubectl.run("exec", CLIENT_POD, "--namespace", TENANT, "--", *command).stdout


def _wait_for_writes(kubectl: Kubectl) -> None:
    start = int(_in_client(kubectl, "cat", "/tmp/done") or 0)
    wait_until(
        lambda: int(_in_client(kubectl, "cat", "/tmp/done") or 0) > start + 200,
        seconds=60,
        what="writes",
        every=0.5,
    )


def _result(kubectl: Kubectl) -> dict[str, Any]:
    """Have the client end, and return what it has seen."""
    _in_client(kubectl, "touch", "/tmp/stop")

    def state() -> dict[str, Any]:
        pod = kubectl.get("pod", CLIENT_POD, "--namespace", TENANT)
        found: dict[str, Any] = pod["status"]["containerStatuses"][0]["state"]
        return found

    wait_until(lambda: "terminated" in state(), seconds=60, what="the client's end")
    found: dict[str, Any] = json.loads(state()["terminated"]["message"])
    return found


@pytest.mark.usefixtures("tier")
def test_a_cluster_grows_and_hands_a_shard_over_without_a_failed_command(
    kubectl: Kubectl, say: Callable[[str], None]
) -> None:
    wait_until_settled(kubectl, NAME, 3)
    selector = f"tenfold.dev/tier={NAME}"
    pods = kubectl.get("pods", "--namespace", TENANT, "--selector", selector)["items"]
    places = {each["metadata"]["name"]: each["spec"]["nodeName"] for each in pods}
    assert all(places[f"{NAME}-{n}-0"] != places[f"{NAME}-{n}-1"] for n in range(3)), places
    _start_client(kubectl)
    _wait_for_writes(kubectl)
    kubectl.patch(*TIER, merge={"spec": {"shards": 4}})
    wait_until_settled(kubectl, NAME, 4)
    primary = kubectl.get(*TIER)["status"]["shards"][0]["primary"]
    kubectl("delete", "pod", primary, "--namespace", TENANT, "--wait=false")
    wait_until(
        lambda: kubectl.get(*TIER)["status"]["shards"][0].get("primary") not in (None, primary),
        seconds=60,
        what="a hand-over",
    )
    wait_until_settled(kubectl, NAME, 4)
    _wait_for_writes(kubectl)
    seen = _result(kubectl)
    say(f"{seen['done']} increments, the longest took {1000 * seen['longest']:.0f} ms")
    assert seen["failed"] == []
    # One that the client repeated after a broken connection may count twice.
    assert seen["counted"] >= seen["done"]
