"""RedisTiers: what the watches, the Sentinels and the servers told; then planned and applied."""

import asyncio
import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace

from tenfold_operator import metrics
from tenfold_operator.adapters.store import Store
from tenfold_operator.apply import Applier, is_owned
from tenfold_operator.apply_redis import RedisApplier
from tenfold_operator.handlers.listeners import Listeners
from tenfold_operator.handlers.outcome import carry_out
from tenfold_operator.journal import Journal
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import RedisTier
from tenfold_operator.model.manifest import Ref, at, object_at, objects_at, ref_of, text_at
from tenfold_operator.model.names import APP
from tenfold_operator.model.observed import TierAccess, TierPod, TierView, password_digest
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan.actions import Apply, HandOver, Plan, Promote, RedisAction
from tenfold_operator.plan.redis import form_opinion, plan_tier
from tenfold_operator.ports import Clock, Cluster, RedisAdmin

_LOOK_AGAIN_SECONDS = 5.0
"""Sentinels tell of failovers by themselves; this is for lag and for lost messages."""
_PATIENCE_SECONDS = 1.0
_HURRY_SECONDS = 0.2
_FORMER_SECONDS = 300.0
"""Clients, probes and mounted Secrets need a while to take up a new password."""


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
        self._known: dict[Ref, tuple[str, float]] = {}
        """The password that a tier's Secret last held, and until when it surely did."""

    async def reconcile(self, ref: Ref) -> float | None:
        """Observe, plan, apply; return in how many seconds to look again."""
        manifest = self._store.get(ref)
        if manifest is None or at(manifest, "metadata", "deletionTimestamp"):
            self._listeners.stop(ref)
            self._known.pop(ref, None)
            self._journal.forget(ref)
            return None
        tier = RedisTier.model_validate(manifest)
        access = await self._access(ref, tier)
        view = await self._observe(ref, tier, access, "")
        now = self._clock.now()
        plan = plan_tier(view, now)
        self._journal.write(ref, plan, now)
        acts = [each for each in plan if isinstance(each, RedisAction)]
        if acts and access:
            trouble = await self._redis_applier.run(access, acts)
            if any(isinstance(each, HandOver | Promote) for each in acts):
                # What comes next depends on what became of it.
                view = await self._observe(ref, tier, access, trouble)
                plan = plan_tier(view, self._clock.now())
                self._journal.write(ref, plan, now)
        again = await asyncio.to_thread(
            carry_out, self._applier, tier, "RedisTier", plan, now, "Ready"
        )
        metrics.PRIMARY_CHANGES.labels(ref.namespace, ref.name).inc(_moves_primary(tier, plan))
        return _LOOK_AGAIN_SECONDS if again is None else min(again, _LOOK_AGAIN_SECONDS)

    async def _access(self, ref: Ref, tier: RedisTier) -> TierAccess | None:
        passwords = self._with_former(ref, await asyncio.to_thread(self._passwords, tier))
        if not passwords:
            return None
        access = TierAccess(
            tier=ref.name,
            passwords=passwords,
            servers=self._addresses(ref, "redis"),
            sentinels=self._addresses(ref, "redis-sentinel"),
            domain=names.domain(tier, names.nodes(tier)),
        )
        self._listeners.follow(ref, access.sentinels.values(), passwords)
        return access

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

    def _passwords(self, tier: RedisTier) -> tuple[str, ...]:
        """Return the password and, while it changes, the previous one; none without a password."""
        secret = self._cluster.get(Ref("Secret", tier.metadata.namespace, names.secret(tier)))
        found = [text_at(secret or {}, "data", key) for key in ("password", "previous")]
        chosen = [base64.b64decode(each).decode() for each in found if each]
        return tuple(dict.fromkeys(chosen)) if found[0] else ()

    async def _observe(
        self, ref: Ref, tier: RedisTier, access: TierAccess | None, trouble: str
    ) -> TierView:
        related = self._store.related(ref)
        view = TierView(
            tier=tier,
            objects={ref_of(each): each for each in related if is_owned(each, tier.metadata)},
            has_password=access is not None,
            passwords=tuple(map(password_digest, access.passwords)) if access else (),
            pods=tuple(_pod(each) for each in related if each["kind"] == "Pod"),
            trouble=trouble,
        )
        if access is None:
            return view
        claims = await self._redis.ask_sentinels(access, _HURRY_SECONDS)
        agreed = form_opinion(claims).primary
        if agreed is None:
            claims = await self._redis.ask_sentinels(access, _PATIENCE_SECONDS)
        # When the primary has moved, clients wait: servers that are gone must not delay them.
        patience = _PATIENCE_SECONDS if agreed == tier.status.primary else _HURRY_SECONDS
        servers = await self._redis.ask_servers(access, patience)
        return replace(view, sentinels=claims, servers=servers)

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
    conditions = objects_at(object_at(manifest, "status"), "conditions")
    return TierPod(
        name=ref_of(manifest).name,
        address=text_at(manifest, "status", "podIP") if runs else "",
        is_ready=any((each["type"], each["status"]) == ("Ready", "True") for each in conditions),
        is_ending=bool(at(manifest, "metadata", "deletionTimestamp")),
        revision=text_at(manifest, "metadata", "labels", "controller-revision-hash"),
    )


def _moves_primary(tier: RedisTier, plan: Plan) -> bool:
    service = Ref("Service", tier.metadata.namespace, tier.metadata.name)
    applied = [each for each in plan if isinstance(each, Apply)]
    return any(ref_of(each.manifest) == service and not each.is_new for each in applied)
