"""Views of a RedisTier, and what becomes of them when a plan is carried out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st
from tenfold_operator.model.generated import RedisTier
from tenfold_operator.model.manifest import Ref, ref_of
from tenfold_operator.model.observed import (
    Follower,
    SentinelAnswer,
    ServerAnswer,
    TierPod,
    TierView,
)
from tenfold_operator.plan.actions import (
    Apply,
    Configure,
    Fence,
    HandOver,
    Plan,
    Promote,
    RedisAction,
    SetStatus,
    TellSentinels,
)
from tenfold_operator.plan.redis_config import FENCED, live_settings

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
PODS = ("l2-0", "l2-1", "l2-2")
SENTINELS = tuple(f"l2-sentinel-{n}" for n in range(3))
NEWEST = "new"


def tier(status: dict[str, Any] | None = None, **spec: Any) -> RedisTier:
    annotations = spec.pop("annotations", {})
    return RedisTier.model_validate(
        {
            "metadata": {
                "name": "l2",
                "namespace": "shop",
                "uid": "u",
                "generation": 1,
                "annotations": annotations,
            },
            "spec": {"memory": "64Mi", **spec},
            "status": status or {},
        }
    )


def pod(name: str, **changes: Any) -> TierPod:
    own = TierPod(name=name, address="10.0.0.1", is_ready=True, is_ending=False, revision=NEWEST)
    return replace(own, **changes)


def server(name: str, primary: str, *, offset: int = 1000, **changes: Any) -> ServerAnswer:
    """Return a server of a tier whose primary is `primary`, all in sync."""
    is_primary = name == primary
    followers = tuple(Follower(each, True, 0, offset) for each in PODS if each != primary)
    own = ServerAnswer(
        name,
        "primary" if is_primary else "replica",
        followers if is_primary else (),
        upstream="" if is_primary else primary,
        offset=offset,
        history="h1",
        keys=5,
        settings=live_settings(tier()),
        passwords=frozenset({"new"}),
        follows_by="new",
    )
    return replace(own, **changes)


def sentinel(name: str, primary: str | None, **changes: Any) -> SentinelAnswer:
    return replace(
        SentinelAnswer(
            name, primary, timers=(3000, 10000), replicas=2, passwords=frozenset({"new"})
        ),
        **changes,
    )


def healthy(resource: RedisTier | None = None, primary: str = "l2-0", **changes: Any) -> TierView:
    """Return a tier in sync whose status says so."""
    resource = resource or tier({"primary": primary})
    statefulset: dict[str, Any] = {
        "metadata": {"generation": 1},
        "spec": {"replicas": 3},
        "status": {
            "observedGeneration": 1,
            "updateRevision": NEWEST,
            "updatedReplicas": 3,
            "availableReplicas": 3,
        },
    }
    view = TierView(
        tier=resource,
        objects={Ref("StatefulSet", "shop", "l2"): statefulset},
        has_password=True,
        passwords=("new",),
        sentinels=tuple(sentinel(name, primary) for name in SENTINELS),
        servers=tuple(server(name, primary) for name in PODS),
        pods=tuple(pod(name) for name in (*PODS, *SENTINELS)),
    )
    return replace(view, **changes)


def with_server(view: TierView, name: str, **changes: Any) -> TierView:
    servers = tuple(replace(s, **changes) if s.pod == name else s for s in view.servers)
    return replace(view, servers=servers)


def with_pod(view: TierView, name: str, **changes: Any) -> TierView:
    return replace(
        view, pods=tuple(replace(p, **changes) if p.name == name else p for p in view.pods)
    )


def acts(plan: Plan) -> list[RedisAction]:
    return [each for each in plan if isinstance(each, RedisAction)]


def promoted(plan: Plan) -> list[str]:
    return [each.target for each in plan if isinstance(each, HandOver | Promote)]


def after(view: TierView, plan: Plan, *, with_status: bool = True) -> TierView:
    """Return the view once the plan was carried out."""
    for action in plan:
        match action:
            case HandOver(target=target) | Promote(target=target):
                view = _moved(view, target)
            case TellSentinels(primary=primary):
                sentinels = (replace(s, primary=s.primary and primary) for s in view.sentinels)
                view = replace(view, sentinels=tuple(sentinels))
            case Fence(pod=name):
                view = _configured(view, name, {"min-replicas-to-write": FENCED})
            case Configure(pod=name, settings=settings):
                view = _configured(view, name, settings)
            case Apply(manifest=manifest):
                status = view.objects.get(ref_of(manifest), {}).get("status", {})
                known = {**view.objects, ref_of(manifest): {**manifest, "status": status}}
                view = replace(view, objects=known)
            case SetStatus(status=status) if with_status:
                document = {**view.tier.to_json(), "status": status}
                view = replace(view, tier=RedisTier.model_validate(document))
    return view


def _moved(view: TierView, target: str) -> TierView:
    offset = next(each.offset for each in view.servers if each.pod == target)
    servers = tuple(
        replace(server(each.pod, target, offset=offset), settings=each.settings)
        if each.role != "unknown"
        else each
        for each in view.servers
    )
    sentinels = (replace(s, primary=s.primary and target) for s in view.sentinels)
    return replace(view, servers=servers, sentinels=tuple(sentinels))


def _configured(view: TierView, name: str, settings: Any) -> TierView:
    (own,) = [each for each in view.servers if each.pod == name]
    return with_server(view, name, settings={**own.settings, **settings})


@st.composite
def views(draw: st.DrawFn) -> TierView:
    """Tiers in any state: sound but for some servers, without a quorum, or torn."""
    state = draw(st.sampled_from(["sound", "sound", "lost", "lost", "torn"]))
    primary = draw(st.sampled_from(PODS))
    sentinels = tuple(_sentinel(draw, name, primary, state) for name in SENTINELS)
    servers = tuple(_server(draw, name, primary, state) for name in PODS)
    pods = tuple(_pod(draw, name, primary, state) for name in (*PODS, *SENTINELS))
    agreed = {
        "type": "PrimaryAgreed",
        "status": "False" if state == "lost" else draw(st.sampled_from(["True", "False"])),
        "lastTransitionTime": "2026-01-01T11:00:00Z",
        "reason": "Quorum",
        "message": "",
    }
    before = primary if state != "torn" else draw(st.sampled_from(PODS))
    status: dict[str, Any] = {"primary": before, "conditions": [agreed]}
    time = draw(st.sampled_from([None, None, "2026-01-01T11:59:50Z", "2026-01-01T10:00:00Z"]))
    if time:
        status["lastFailover"] = {"time": time, "from": "l2-9", "to": before}
    asked = {"tenfold.dev/handover": "2026-01-01T11:59:00Z"}
    annotations = draw(st.sampled_from([{}, asked, asked]))
    without = draw(st.sampled_from(["refuse", "longestOffset"]))
    resource = tier(status, annotations=annotations, recovery={"withoutQuorum": without})
    return healthy(resource, sentinels=sentinels, servers=servers, pods=pods)


def _sentinel(draw: st.DrawFn, name: str, primary: str, state: str) -> SentinelAnswer:
    if state == "sound":
        return sentinel(name, primary)
    if state == "lost":
        return sentinel(name, None, timers=None)
    busy = draw(st.sampled_from([False, False, True]))
    return sentinel(name, draw(st.sampled_from([None, primary, *PODS])), is_failing_over=busy)


def _server(draw: st.DrawFn, name: str, primary: str, state: str) -> ServerAnswer:
    offset = draw(st.sampled_from([900, 1000, 1000]))
    history = draw(st.sampled_from(["h1", "h1", "h1", "h1", "h2"]))
    keys = draw(st.sampled_from([0, 5]))
    if name == primary and state != "torn":
        role = "primary" if state == "sound" else "unknown"
        return server(name, primary, offset=1000, role=role)
    if state == "torn":
        roles = ["primary", "replica", "unknown"]
    else:
        roles = ["replica"] * 6 + ["unknown"] + ["primary"]
    role = draw(st.sampled_from(roles))
    return server(name, primary, offset=offset, history=history, keys=keys, role=role)


def _pod(draw: st.DrawFn, name: str, primary: str, state: str) -> TierPod:
    gone = state == "lost" and (name == primary or name in SENTINELS)
    return pod(
        name,
        is_ready=not gone and draw(st.sampled_from([True, True, True, False])),
        is_ending=draw(st.sampled_from([False] * 5 + [True])),
        revision=draw(st.sampled_from([NEWEST, NEWEST, "old"])),
    )
