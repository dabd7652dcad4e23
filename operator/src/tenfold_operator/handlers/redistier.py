"""RedisTiers: what the watches, the Sentinels and the servers told; then planned and applied."""

import asyncio
import base64
from collections.abc import Mapping

from tenfold_operator import metrics
from tenfold_operator.adapters.store import Store
from tenfold_operator.apply import Applier, is_owned
from tenfold_operator.handlers.listeners import Listeners
from tenfold_operator.handlers.outcome import carry_out
from tenfold_operator.journal import Journal
from tenfold_operator.model.generated import RedisTier
from tenfold_operator.model.manifest import Ref, at, object_at, ref_of, text_at
from tenfold_operator.model.names import APP
from tenfold_operator.model.observed import TierView
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan.actions import Apply, Plan
from tenfold_operator.plan.redis import form_opinion, plan_tier
from tenfold_operator.ports import Clock, Cluster, RedisAdmin

_LOOK_AGAIN_SECONDS = 5.0
"""Sentinels tell of failovers by themselves; this is for lag and for lost messages."""
_PATIENCE_SECONDS = 1.0
_HURRY_SECONDS = 0.2


class RedisTierHandler:
    """Brings one RedisTier at a time to what its spec and its Sentinels say."""

    def __init__(
        self,
        *,
        store: Store,
        cluster: Cluster,
        redis: RedisAdmin,
        applier: Applier,
        journal: Journal,
        clock: Clock,
        listeners: Listeners,
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._redis = redis
        self._applier = applier
        self._journal = journal
        self._clock = clock
        self._listeners = listeners

    async def reconcile(self, ref: Ref) -> float | None:
        """Observe, plan, apply; return in how many seconds to look again."""
        manifest = self._store.get(ref)
        if manifest is None or at(manifest, "metadata", "deletionTimestamp"):
            self._listeners.stop(ref)
            self._journal.forget(ref)
            return None
        tier = RedisTier.model_validate(manifest)
        password = await asyncio.to_thread(self._password, tier)
        view = await self._observe(ref, tier, password)
        now = self._clock.now()
        plan = plan_tier(view, now)
        self._journal.write(ref, plan, now)
        again = await asyncio.to_thread(
            carry_out, self._applier, tier, "RedisTier", plan, now, "Ready"
        )
        metrics.PRIMARY_CHANGES.labels(ref.namespace, ref.name).inc(_moves_primary(tier, plan))
        return _LOOK_AGAIN_SECONDS if again is None else min(again, _LOOK_AGAIN_SECONDS)

    def _password(self, tier: RedisTier) -> str | None:
        secret = self._cluster.get(Ref("Secret", tier.metadata.namespace, names.secret(tier)))
        encoded = text_at(secret or {}, "data", "password")
        return base64.b64decode(encoded).decode() if encoded else None

    async def _observe(self, ref: Ref, tier: RedisTier, password: str | None) -> TierView:
        related = self._store.related(ref)
        objects = {ref_of(each): each for each in related if is_owned(each, tier.metadata)}
        if password is None:
            return TierView(tier=tier, objects=objects, has_password=False)
        sentinels = self._addresses(ref, "redis-sentinel")
        self._listeners.follow(ref, sentinels.values(), password)
        claims = await self._redis.ask_sentinels(ref.name, sentinels, password, _HURRY_SECONDS)
        agreed = form_opinion(claims).primary
        if agreed is None:
            claims = await self._redis.ask_sentinels(
                ref.name, sentinels, password, _PATIENCE_SECONDS
            )
        # When the primary has moved, clients wait: servers that are gone must not delay them.
        patience = _PATIENCE_SECONDS if agreed == tier.status.primary else _HURRY_SECONDS
        servers = await self._redis.ask_servers(self._addresses(ref, "redis"), password, patience)
        return TierView(
            tier=tier, objects=objects, has_password=True, sentinels=claims, servers=servers
        )

    def _addresses(self, ref: Ref, app: str) -> Mapping[str, str]:
        """Return the addresses of the pods that run, as the watch last told them."""
        return {
            ref_of(pod).name: text_at(pod, "status", "podIP")
            for pod in self._store.related(ref)
            if pod["kind"] == "Pod"
            and object_at(pod, "metadata", "labels").get(APP) == app
            and text_at(pod, "status", "podIP")
            and text_at(pod, "status", "phase") == "Running"
        }


def _moves_primary(tier: RedisTier, plan: Plan) -> bool:
    service = Ref("Service", tier.metadata.namespace, tier.metadata.name)
    applied = [each for each in plan if isinstance(each, Apply)]
    return any(ref_of(each.manifest) == service and not each.is_new for each in applied)
