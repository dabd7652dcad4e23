"""RedisTiers: what the watches, the Sentinels and the servers told; then planned and applied."""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from tenfold_operator import metrics
from tenfold_operator.adapters.store import Store
from tenfold_operator.apply import Applier, is_owned
from tenfold_operator.apply_redis import RedisApplier
from tenfold_operator.handlers import claims as volumes
from tenfold_operator.handlers.listeners import Listeners
from tenfold_operator.handlers.outcome import carry_out
from tenfold_operator.handlers.tiersecrets import (
    read_certificate,
    read_passwords,
    read_users,
)
from tenfold_operator.journal import Journal
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import AnomalyDetector, RedisTier
from tenfold_operator.model.manifest import Ref, at, holding, object_at, ref_of, text_at
from tenfold_operator.model.names import APP
from tenfold_operator.model.observed import (
    Login,
    Probe,
    TierAccess,
    TierPod,
    TierView,
)
from tenfold_operator.model.tier_tls import Certificate
from tenfold_operator.model.tier_users import ReadRules, password_digest
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan import redis_volumes
from tenfold_operator.plan.actions import (
    Announce,
    ClusterAction,
    HandOver,
    Plan,
    Promote,
    RedisAction,
    SetUsers,
)
from tenfold_operator.plan.redis import form_opinion, plan_tier
from tenfold_operator.plan.redis_cluster import plan_cluster
from tenfold_operator.plan.redis_suspicion import suspecting
from tenfold_operator.plan.redis_users import rules_of
from tenfold_operator.ports import Clock, Cluster, RedisAdmin

_LOOK_AGAIN_SECONDS = 5.0
"""Sentinels tell of failovers by themselves; this is for lag and for lost messages."""
_NEXT_STEP_SECONDS = 0.2
"""The servers of a cluster need a moment to hear of a step from each other."""
_PATIENCE_SECONDS = 1.0
_HURRY_SECONDS = 0.2
_PROBE_SECONDS = 1.0
"""Between looks at the servers of a tier that a detector makes suspect."""
_PROBES_KEPT = 60
"""As many as a spec may want."""
_FORMER_SECONDS = 300.0
"""Clients, probes and mounted Secrets need a while to take up a new password."""


class _Entrance(NamedTuple):
    """What the Secrets of a tier say of how one gets in."""

    passwords: tuple[str, ...]
    certificate: Certificate | None
    access: TierAccess | None
    """None while a Secret lacks what it takes."""


class RedisTierHandler:
    """Brings one RedisTier at a time to what its spec and its Sentinels say."""

    def __init__(
        self,
        *,
        store: Store,
        cluster: Cluster,
        redis: RedisAdmin,
        applier: Applier,
        redis_applier: RedisApplier,
        journal: Journal,
        clock: Clock,
        listeners: Listeners,
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._redis = redis
        self._applier = applier
        self._redis_applier = redis_applier
        self._journal = journal
        self._clock = clock
        self._listeners = listeners
        self._probes: dict[Ref, deque[Probe]] = {}
        self._known: dict[Ref, tuple[str, float]] = {}
        """The password that a tier's Secret last held, and until when it surely did."""

    async def reconcile(self, ref: Ref) -> float | None:
        """Observe, plan, apply; return in how many seconds to look again."""
        manifest = self._store.get(ref)
        if manifest is None or at(manifest, "metadata", "deletionTimestamp"):
            self._listeners.stop(ref)
            self._known.pop(ref, None)
            self._probes.pop(ref, None)
            self._journal.forget(ref)
            return None
        tier = RedisTier.model_validate(manifest)
        entrance = await self._entrance(ref, tier)
        access = entrance.access
        view = await self._observe(ref, tier, entrance, "")
        now = self._clock.now()
        plan = _plan(view, now)
        self._journal.write(ref, plan, now)
        acts = [each for each in plan if isinstance(each, RedisAction)]
        look_again = _PROBE_SECONDS if view.probes else _LOOK_AGAIN_SECONDS
        if acts and access:
            trouble = await self._redis_applier.run(access, acts)
            if any(isinstance(each, HandOver | Promote | ClusterAction) for each in acts):
                # What comes next depends on what became of it.
                view = await self._observe(ref, tier, entrance, trouble)
                plan = _plan(view, self._clock.now())
                self._journal.write(ref, plan, now)
            has_users = any(isinstance(each, SetUsers) for each in acts) and not trouble
            if has_users or any(isinstance(each, ClusterAction) for each in acts):
                look_again = _NEXT_STEP_SECONDS
        again = await asyncio.to_thread(
            carry_out, self._applier, tier, "RedisTier", plan, now, "Ready"
        )
        metrics.PRIMARY_CHANGES.labels(ref.namespace, ref.name).inc(_failovers(plan))
        return look_again if again is None else min(again, look_again)

    async def _entrance(self, ref: Ref, tier: RedisTier) -> _Entrance:
        found = await asyncio.to_thread(read_passwords, self._cluster, tier)
        passwords = self._with_former(ref, found)
        certificate, authority = await asyncio.to_thread(read_certificate, self._cluster, tier)
        if not passwords or (certificate and certificate.missing):
            return _Entrance(passwords, certificate, None)
        access = TierAccess(
            namespace=ref.namespace,
            tier=ref.name,
            login=Login(passwords, authority),
            servers=self._addresses(ref, "redis"),
            sentinels=self._addresses(ref, "redis-sentinel"),
            domain=names.domain(tier, names.nodes(tier)),
        )
        self._listeners.follow(ref, access.sentinels.values(), access.login)
        return _Entrance(passwords, certificate, access)

    def _with_former(self, ref: Ref, passwords: tuple[str, ...]) -> tuple[str, ...]:
        """Add the former password for a while where the Secret was changed without naming it."""
        known, now = self._known.get(ref, ("", 0.0)), self._clock.now().timestamp()
        if len(passwords) != 1 or known[0] in ("", passwords[0]):
            self._known[ref] = (passwords[0] if passwords else "", now)
            return passwords
        if now - known[1] > _FORMER_SECONDS:
            del self._known[ref]
            return passwords
        return (*passwords, known[0])

    async def _observe(
        self, ref: Ref, tier: RedisTier, entrance: _Entrance, trouble: str
    ) -> TierView:
        related = self._store.related(ref)
        view = TierView(
            tier=tier,
            objects={ref_of(each): each for each in related if is_owned(each, tier.metadata)},
            has_password=bool(entrance.passwords),
            passwords=tuple(map(password_digest, entrance.passwords)),
            certificate=entrance.certificate,
            pods=tuple(_pod(each) for each in related if each["kind"] == "Pod"),
            claims=volumes.claims(related),
            trouble=trouble,
        )
        if classes := redis_volumes.classes_in_question(view):
            growable = await asyncio.to_thread(volumes.growable, self._cluster, classes)
            view = replace(view, growable=growable)
        if entrance.access is None:
            return view
        users, view = await asyncio.gather(
            asyncio.to_thread(read_users, self._cluster, tier),
            self._ask(ref, view, entrance.access),
        )
        return replace(view, users=users)

    async def _ask(self, ref: Ref, view: TierView, access: TierAccess) -> TierView:
        """Add what the servers and the Sentinels say."""
        tier = view.tier
        if tier.spec.topology == "cluster":
            return await self._ask_members(view, access)
        claims = await self._redis.ask_sentinels(access, _HURRY_SECONDS)
        agreed = form_opinion(claims).primary
        if agreed is None:
            claims = await self._redis.ask_sentinels(access, _PATIENCE_SECONDS)
        # When the primary has moved, clients wait: servers that are gone must not delay them.
        patience = _PATIENCE_SECONDS if agreed == tier.status.primary else _HURRY_SECONDS
        servers, served, rules = await asyncio.gather(
            self._redis.ask_servers(access, patience),
            self._redis.ask_certificates(access, patience),
            self._rules(tier, access, patience),
        )
        detectors = self._detectors(tier)
        view = replace(
            view,
            sentinels=claims,
            servers=servers,
            served=served,
            rules=rules,
            detectors=detectors,
        )
        if not suspecting(detectors):
            self._probes.pop(ref, None)
            return view
        probes = self._probes.setdefault(ref, deque(maxlen=_PROBES_KEPT))
        probes.append({each.pod: each.seconds for each in servers})
        return replace(view, probes=tuple(probes))

    async def _ask_members(self, view: TierView, access: TierAccess) -> TierView:
        """Add what the servers of a cluster say."""
        members, served, rules = await asyncio.gather(
            self._redis.ask_members(access, _PATIENCE_SECONDS),
            self._redis.ask_certificates(access, _PATIENCE_SECONDS),
            self._rules(view.tier, access, _PATIENCE_SECONDS),
        )
        servers = tuple(each.server for each in members)
        return replace(view, members=members, servers=servers, served=served, rules=rules)

    async def _rules(
        self, tier: RedisTier, access: TierAccess, patience: float
    ) -> Mapping[str, ReadRules]:
        rules = {each.name: rules_of(each) for each in tier.spec.users}
        return await self._redis.read_rules(access, rules, patience) if rules else {}

    def _detectors(self, tier: RedisTier) -> dict[str, AnomalyDetector | None]:
        namespace = tier.metadata.namespace
        wanted = tier.spec.handover.suspicion.detectors
        found = {name: self._store.get(Ref("AnomalyDetector", namespace, name)) for name in wanted}
        return {
            name: AnomalyDetector.model_validate(each) if each else None
            for name, each in found.items()
        }

    def _addresses(self, ref: Ref, app: str) -> Mapping[str, str]:
        """Return the addresses of the pods that run, as the watch last told them."""
        return {
            pod.name: pod.address
            for pod in (_pod(each) for each in self._related_pods(ref, app))
            if pod.address
        }

    def _related_pods(self, ref: Ref, app: str) -> Iterator[JsonObject]:
        for each in self._store.related(ref):
            if each["kind"] == "Pod" and object_at(each, "metadata", "labels").get(APP) == app:
                yield each


def _pod(manifest: JsonObject) -> TierPod:
    runs = text_at(manifest, "status", "phase") == "Running"
    return TierPod(
        name=ref_of(manifest).name,
        address=text_at(manifest, "status", "podIP") if runs else "",
        is_ready=holding(manifest, "Ready") is not None,
        is_ending=bool(at(manifest, "metadata", "deletionTimestamp")),
        revision=text_at(manifest, "metadata", "labels", "controller-revision-hash"),
    )


def _plan(view: TierView, now: datetime) -> Plan:
    is_cluster = view.tier.spec.topology == "cluster"
    return plan_cluster(view, now) if is_cluster else plan_tier(view, now)


def _failovers(plan: Plan) -> int:
    return sum(isinstance(each, Announce) and each.reason == "Failover" for each in plan)
