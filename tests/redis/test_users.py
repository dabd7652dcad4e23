"""A tier's users come, change their passwords and go while everything runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import redis
from redis.cluster import ClusterNode, RedisCluster
from tenfold_operator.model.manifest import Ref

from tests.redis.cluster import NAMESPACE
from tests.redis.lab import Tier

pytestmark = pytest.mark.lab
MakeTier = Callable[..., Tier]
SECRET = Ref("Secret", NAMESPACE, "app-password")


def user(name: str, rules: str) -> dict[str, Any]:
    return {"name": name, "passwordSecret": {"name": SECRET.name}, "rules": rules}


APP = user("app", "~cache:* &news:* +@read +@write +ping +publish +@slow +@connection")


def add_password(tier: Tier, password: str) -> None:
    meta = {"name": SECRET.name, "namespace": NAMESPACE}
    tier.cluster.apply({"kind": "Secret", "metadata": meta, "stringData": {"password": password}})


def change(tier: Tier, **values: str) -> None:
    """Write the user's Secret anew."""
    tier.cluster.edit(SECRET, lambda each: each.update(data={}, stringData=values))


def connect(tier: Tier, pod: str, password: str) -> redis.Redis:
    return redis.Redis(
        host=tier.cluster.pods[pod].namespace.address,
        username="app",
        password=password,
        decode_responses=True,
        single_connection_client=True,
        socket_timeout=5,
    )


def takes(tier: Tier, pod: str, password: str) -> bool:
    try:
        with connect(tier, pod, password) as client:
            return bool(client.ping())
    except (redis.AuthenticationError, redis.ConnectionError, redis.TimeoutError):
        return False


def servers(tier: Tier) -> list[str]:
    return [each for each in tier.cluster.pods if "-sentinel-" not in each]


def all_take(tier: Tier, password: str) -> bool:
    return all(takes(tier, pod, password) for pod in servers(tier))


def none_takes(tier: Tier, password: str) -> bool:
    return not any(takes(tier, pod, password) for pod in servers(tier))


def primary(tier: Tier) -> str:
    found = tier.service
    assert found
    return found


class Visitor:
    """Connects, writes and leaves, again and again, by one password."""

    def __init__(self, tier: Tier, password: str) -> None:
        self.writes = 0
        self.failures: list[str] = []
        self._tier, self._password = tier, password
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._visit)

    def __enter__(self) -> Visitor:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _visit(self) -> None:
        while not self._stop.is_set():
            try:
                with connect(self._tier, primary(self._tier), self._password) as client:
                    client.set(f"cache:{self._password}", self.writes)
                    self.writes += 1
            except redis.RedisError as error:
                self.failures.append(repr(error))

    def has_gone_on(self) -> Callable[[], bool]:
        """A condition that holds once it has written some more."""
        wanted = self.writes + 20
        return lambda: self.writes >= wanted or bool(self.failures)


@pytest.fixture
def tier(make_tier: MakeTier) -> Tier:
    """A tier in sync that one user has been added to."""
    made = make_tier(sentinel={"downAfterMilliseconds": 1000})
    add_password(made, "first")
    made.edit(users=[APP])
    made.wait_until(lambda: has(made, "UsersKnown"), "the user on every server")
    return made


def has(tier: Tier, reason: str) -> bool:
    found = [each["reason"] for each in tier.status["conditions"] if each["type"] == "UsersApplied"]
    return found == [reason]


def test_a_user_may_do_what_its_rules_say_and_never_administer(tier: Tier) -> None:
    for pod in servers(tier):
        with connect(tier, pod, "first") as client:
            assert client.get("cache:x") is None
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.get("sessions:x")
            for command in (
                "CONFIG GET *",
                "ACL LIST",
                "CLIENT KILL TYPE replica",
                "REPLICAOF NO ONE",
                "PUBLISH __sentinel__:hello x",
            ):
                with pytest.raises(redis.exceptions.NoPermissionError):
                    client.execute_command(*command.split())
    with connect(tier, primary(tier), "first") as client:
        assert client.set("cache:x", "1")


def test_rules_that_redis_does_not_know_are_reported_and_touch_nobody(tier: Tier) -> None:
    pods = dict(tier.cluster.pods)
    tier.edit(users=[APP, user("bad", "~* +nosuchcommand")])
    tier.wait_until(lambda: has(tier, "UserRulesRefused"), "the condition")
    assert all_take(tier, "first")
    tier.edit(users=[APP])
    tier.wait_until(lambda: has(tier, "UsersKnown"), "the condition")
    for pod in servers(tier):
        with tier.server(pod) as client:
            assert sorted(client.acl_users()) == ["app", "default"]
    assert tier.cluster.pods == pods


def test_a_password_changes_while_clients_with_either_go_on(tier: Tier) -> None:
    pods = dict(tier.cluster.pods)
    with Visitor(tier, "first") as old:
        tier.wait_until(old.has_gone_on(), "writes")
        change(tier, password="second")
        tier.wait_until(lambda: all_take(tier, "second"), "the new password")
        # The operator has no memory of the former one but what the servers and the status tell.
        tier.stop_operator()
        tier.start_operator()
        with Visitor(tier, "second") as new:
            tier.wait_until(new.has_gone_on(), "writes by the new password")
            tier.wait_until(lambda: has(tier, "UsersKnown"), "a settled change")
            tier.wait_until(old.has_gone_on(), "writes by the old password")
        assert "acceptsPreviousUntil" in tier.status["users"][0]
    assert (old.failures, new.failures) == ([], [])
    change(tier, password="second", previous="")
    tier.wait_until(lambda: none_takes(tier, "first"), "the old one refused")
    assert all_take(tier, "second")
    assert tier.cluster.pods == pods


def test_servers_keep_their_users_while_there_is_no_operator(tier: Tier) -> None:
    tier.stop_operator()
    former = primary(tier)
    tier.cluster.pods[former].kill()
    tier.wait_until(
        lambda: any(tier.role(pod) == "master" for pod in servers(tier) if pod != former),
        "a failover",
    )
    tier.wait_until(lambda: all_take(tier, "first"), "the user on every server")
    (promoted,) = [pod for pod in servers(tier) if tier.role(pod) == "master"]
    with connect(tier, promoted, "first") as client:
        assert client.set("cache:x", "1")


def test_a_server_that_begins_anew_gets_the_users(tier: Tier) -> None:
    replica = tier.replica()
    former = tier.cluster.pods[replica]
    tier.cluster.delete_pod(replica, wipe=True)
    tier.wait_until(lambda: tier.cluster.pods[replica] is not former, "a new pod")
    tier.wait_until(lambda: takes(tier, replica, "first"), "the user on the new server")


def test_whoever_the_spec_does_not_name_is_removed(tier: Tier) -> None:
    with tier.server(primary(tier)) as client:
        client.acl_setuser("byhand", enabled=True, nopass=True)
    with connect(tier, primary(tier), "first") as client:
        assert client.ping()
        tier.edit(users=[])
        tier.wait_until(lambda: none_takes(tier, "first"), "the user's end")
        with pytest.raises(redis.ConnectionError):
            client.ping()
    tier.wait_until(lambda: not tier.status.get("users"), "a status without it")
    for pod in servers(tier):
        with tier.server(pod) as client:
            assert client.acl_users() == ["default"]


def test_the_servers_of_a_cluster_know_the_users_too(make_tier: MakeTier) -> None:
    tier = make_tier(
        topology="cluster", shards=3, replicas=1, sentinel={"downAfterMilliseconds": 1500}
    )
    add_password(tier, "first")
    tier.edit(users=[user("app", "~cache:* +@read +@write +@connection +cluster|slots +command")])
    tier.wait_until(lambda: has(tier, "UsersKnown"), "the user on every server")
    nodes = [
        ClusterNode(tier.cluster.pods[pod].namespace.address, 6379)  # type: ignore[no-untyped-call]
        for pod in servers(tier)
    ]
    with RedisCluster(startup_nodes=nodes, username="app", password="first") as client:
        for number in range(30):
            assert client.set(f"cache:{number}", number)
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.get("sessions:1")
    tier.stop_operator()
    before = tier.run_id("l2-0-0")
    tier.cluster.pods["l2-0-0"].kill()
    tier.wait_until(lambda: tier.run_id("l2-0-0") not in ("", before), "its restart")
    tier.wait_until(lambda: all_take(tier, "first"), "the user on every server")
