"""What a RedisTier's plan does, and what it refuses."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import RedisTier
from tenfold_operator.model.manifest import Ref, number_at, object_at, ref_of
from tenfold_operator.model.observed import Follower, SentinelAnswer, ServerAnswer, TierView
from tenfold_operator.plan.actions import (
    Announce,
    Apply,
    MakePassword,
    Merge,
    Plan,
    Refuse,
    SetStatus,
    TellSentinels,
    Wait,
)
from tenfold_operator.plan.redis import plan_tier

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PODS = ("l2-0", "l2-1", "l2-2")


def tier(status: dict[str, Any] | None = None, **spec: Any) -> RedisTier:
    return RedisTier.model_validate(
        {
            "metadata": {"name": "l2", "namespace": "shop", "uid": "u", "generation": 1},
            "spec": {"memory": "64Mi", **spec},
            "status": status or {},
        }
    )


def answers(*names: str | None) -> tuple[SentinelAnswer, ...]:
    return tuple(
        SentinelAnswer(f"l2-sentinel-{n}", name, replicas=5) for n, name in enumerate(names)
    )


def servers(primary: str) -> tuple[ServerAnswer, ...]:
    followers = tuple(Follower(pod, True, 1) for pod in PODS if pod != primary)
    return tuple(
        ServerAnswer(pod, "primary", followers) if pod == primary else ServerAnswer(pod, "replica")
        for pod in PODS
    )


def view(resource: RedisTier, *names: str | None, **more: Any) -> TierView:
    return TierView(
        tier=resource,
        objects=more.pop("objects", {}),
        has_password=more.pop("has_password", True),
        sentinels=answers(*names),
        **more,
    )


def settled(manifest: JsonObject) -> JsonObject:
    """Return an object as its controller leaves it."""
    size = number_at(manifest, "spec", "replicas")
    return {**manifest, "status": {"updatedReplicas": size, "availableReplicas": size}}


def applied(seen: TierView, plan: Plan) -> TierView:
    """Return the view after the plan was carried out."""
    manifests = [each.manifest for each in plan if isinstance(each, Apply)]
    objects = {**seen.objects, **{ref_of(each): settled(each) for each in manifests}}
    statuses = [each.status for each in plan if isinstance(each, SetStatus)]
    resource = seen.tier
    if statuses:
        document = {**resource.to_json(), "status": statuses[0]}
        resource = RedisTier.model_validate(document)
    return TierView(
        tier=resource,
        objects=objects,
        has_password=True,
        sentinels=seen.sentinels,
        servers=seen.servers,
    )


def service_target(plan: Plan) -> str | None:
    """Return the pod that the plan points the primary Service to."""
    for each in plan:
        if isinstance(each, Apply) and ref_of(each.manifest) == Ref("Service", "shop", "l2"):
            selector = object_at(each.manifest, "spec", "selector")
            return str(selector["statefulset.kubernetes.io/pod-name"])
    return None


def written(plan: Plan, kind: str, name: str) -> dict[str, Any]:
    return next(
        each.manifest
        for each in plan
        if isinstance(each, Apply) and ref_of(each.manifest) == Ref(kind, "shop", name)
    )


def refusals(plan: Plan) -> list[str]:
    return [each.reason for each in plan if isinstance(each, Refuse)]


def status_of(plan: Plan) -> dict[str, Any]:
    return next(each.status for each in plan if isinstance(each, SetStatus))


def conditions(plan: Plan) -> dict[str, str]:
    return {each["type"]: each["reason"] for each in status_of(plan)["conditions"]}


def test_the_service_appears_when_two_sentinels_name_the_same_primary() -> None:
    assert service_target(plan_tier(view(tier(), "l2-1", "l2-1", None), NOW)) == "l2-1"


@pytest.mark.parametrize(
    "names",
    [(None, None, None), ("l2-1", None, None), ("l2-1", "l2-2", None), ("l2-0", "l2-1", "l2-2")],
)
def test_without_a_majority_the_service_is_left_alone(names: tuple[str | None, ...]) -> None:
    assert service_target(plan_tier(view(tier({"primary": "l2-0"}), *names), NOW)) is None


def test_sentinels_that_disagree_are_reported() -> None:
    plan = plan_tier(view(tier({"primary": "l2-0"}), "l2-1", "l2-2", None), NOW)
    assert refusals(plan) == ["SentinelsDisagree"]
    assert conditions(plan)["PrimaryAgreed"] == "SentinelsDisagree"


def test_a_lost_quorum_is_reported() -> None:
    plan = plan_tier(view(tier({"primary": "l2-0"}), "l2-0", None, None), NOW)
    assert refusals(plan) == ["NoQuorum"]


def test_a_failover_is_recorded_and_announced() -> None:
    before = tier({"primary": "l2-0"})
    plan = plan_tier(view(before, "l2-2", "l2-2", "l2-2", servers=servers("l2-2")), NOW)
    assert service_target(plan) == "l2-2"
    failover = {"time": "2026-01-01T00:00:00Z", "from": "l2-0", "to": "l2-2"}
    assert status_of(plan)["lastFailover"] == failover
    assert "Failover" in [each.reason for each in plan if isinstance(each, Announce)]


def test_a_tier_in_sync_is_ready_and_asks_for_nothing() -> None:
    seen = view(tier(), "l2-0", "l2-0", "l2-0", servers=servers("l2-0"))
    plan = plan_tier(seen, NOW)
    assert conditions(plan) == {
        "Ready": "InSync",
        "PrimaryAgreed": "Quorum",
        "HandOverDue": "NotDue",
    }
    after = applied(seen, plan)
    assert [type(each) for each in plan_tier(after, NOW)] == [Apply]  # seeding is over
    assert plan_tier(applied(after, plan_tier(after, NOW)), NOW) == ()


def test_a_second_server_that_claims_to_be_primary_is_reported() -> None:
    two = (ServerAnswer("l2-0", "primary"), *servers("l2-1")[1:])
    plan = plan_tier(view(tier(), "l2-1", "l2-1", "l2-1", servers=two), NOW)
    assert conditions(plan)["Ready"] == "TwoPrimaries"
    assert service_target(plan) == "l2-1"


def test_a_replica_out_of_sync_is_reported() -> None:
    few = (ServerAnswer("l2-0", "primary", (Follower("l2-1", True, 0),)),)
    plan = plan_tier(view(tier(), "l2-0", "l2-0", "l2-0", servers=few), NOW)
    assert conditions(plan)["Ready"] == "ReplicasNotInSync"


def test_only_the_first_pod_may_seed_and_only_until_there_was_a_primary() -> None:
    first = plan_tier(view(tier()), NOW)
    assert written(first, "ConfigMap", "l2-config")["data"]["seed"] == "l2-0"
    later = plan_tier(view(tier({"primary": "l2-1"})), NOW)
    assert written(later, "ConfigMap", "l2-config")["data"]["seed"] == ""


def test_seeding_does_not_restart_the_pods() -> None:
    templates = [
        written(plan_tier(view(tier(status)), NOW), "StatefulSet", "l2")["spec"]["template"]
        for status in ({}, {"primary": "l2-0"})
    ]
    assert templates[0] == templates[1]


def config_annotation(resource: RedisTier, name: str) -> Any:
    plan = plan_tier(view(resource), NOW)
    return written(plan, "StatefulSet", name)["spec"]["template"]["metadata"]["annotations"]


def test_settings_that_a_running_server_takes_restart_nobody() -> None:
    before, after = tier(), tier(memory="128Mi", sentinel={"downAfterMilliseconds": 1000})
    for name in ("l2", "l2-sentinel"):
        assert config_annotation(before, name) == config_annotation(after, name)


def test_a_setting_that_is_only_read_at_the_start_restarts_the_servers_alone() -> None:
    aof, rdb = tier(), tier(persistence={"mode": "rdb"})
    assert config_annotation(aof, "l2") != config_annotation(rdb, "l2")
    assert config_annotation(aof, "l2-sentinel") == config_annotation(rdb, "l2-sentinel")


def test_servers_restart_only_after_the_sentinels_are_back() -> None:
    before = view(tier(), "l2-0", "l2-0", "l2-0", servers=servers("l2-0"))
    before = applied(before, plan_tier(before, NOW))
    images = {"redis": "example.com/redis:7.2"}
    both = TierView(
        tier=tier(images=images), objects=before.objects, has_password=True, servers=before.servers
    )
    plan = plan_tier(both, NOW)
    kinds = [ref_of(each.manifest).name for each in plan if isinstance(each, Apply)]
    assert "l2-sentinel" in kinds
    assert "l2" not in kinds
    assert any(isinstance(each, Wait) for each in plan)
    after = applied(both, plan)
    assert written(plan_tier(after, NOW), "StatefulSet", "l2")


def test_servers_that_rolled_by_themselves_before_are_taken_over() -> None:
    before = view(tier(), "l2-0", "l2-0", "l2-0", servers=servers("l2-0"))
    before = applied(before, plan_tier(before, NOW))
    ref = Ref("StatefulSet", "shop", "l2")
    rolling: JsonObject = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    found = before.objects[ref]
    spec: JsonObject = {**object_at(found, "spec"), "updateStrategy": rolling}
    objects = {**before.objects, ref: {**found, "spec": spec}}
    plan = plan_tier(replace(before, objects=objects), NOW)
    merges = [each for each in plan if isinstance(each, Merge)]
    wanted = {"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": None}}}
    assert [(each.ref, each.patch) for each in merges] == [(ref, wanted)]
    kinds = [type(each) for each in plan if isinstance(each, Merge | Apply)]
    assert kinds.index(Merge) < len(kinds) - 1


def test_the_primary_is_not_scaled_away() -> None:
    resource = tier({"primary": "l2-2"}, replicas=1)
    plan = plan_tier(view(resource, "l2-2", "l2-2", "l2-2"), NOW)
    assert refusals(plan) == ["ScaleDownRefused"]
    assert written(plan, "StatefulSet", "l2")["spec"]["replicas"] == 3


def test_a_password_is_made_only_when_none_is_named() -> None:
    made = plan_tier(view(tier(), has_password=False), NOW)
    assert any(isinstance(each, MakePassword) for each in made)
    named = plan_tier(view(tier(auth={"secretName": "mine"}), has_password=False), NOW)
    assert not any(isinstance(each, MakePassword) for each in named)
    assert refusals(named) == ["PasswordMissing"]


def test_a_password_that_is_in_use_is_not_replaced_by_another() -> None:
    lost = plan_tier(view(tier({"primary": "l2-0"}), has_password=False), NOW)
    assert not any(isinstance(each, MakePassword) for each in lost)
    assert "PasswordLost" in refusals(lost)


def test_pods_are_restricted_and_limited() -> None:
    plan = plan_tier(view(tier()), NOW)
    for name in ("l2", "l2-sentinel"):
        pod = written(plan, "StatefulSet", name)["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"].keys() == {"cpu", "memory"}


NAMES = st.sampled_from([None, *PODS])


@settings(max_examples=100, deadline=None)
@given(st.tuples(NAMES, NAMES, NAMES), st.sampled_from([None, *PODS]), st.integers(1, 3))
def test_the_service_leads_only_where_a_majority_of_the_sentinels_says(
    names: tuple[str | None, ...], primary: str | None, replicas: int
) -> None:
    resource = tier({"primary": primary} if primary else {}, replicas=replicas)
    plan = plan_tier(view(resource, *names), NOW)
    target = service_target(plan)
    assert target is None or names.count(target) >= 2


@settings(max_examples=40, deadline=None)
@given(st.tuples(NAMES, NAMES, NAMES), st.sampled_from(PODS))
def test_planning_the_resulting_state_yields_nothing(
    names: tuple[str | None, ...], primary: str
) -> None:
    seen = view(tier(), *names, servers=servers(primary))
    for _ in range(2):
        seen = applied(seen, plan_tier(seen, NOW))
    # Here no Sentinel listens: one that names another primary is told again and again.
    told = TellSentinels if len(set(names) - {None}) > 1 else Refuse
    assert all(isinstance(each, (Refuse, told)) for each in plan_tier(seen, NOW))
