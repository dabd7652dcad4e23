"""The only writer to the servers and Sentinels of a tier."""

import asyncio
from collections.abc import Iterable

import structlog

from tenfold_operator import metrics
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.observed import TierAccess
from tenfold_operator.plan.actions import (
    AddPassword,
    AssignSlots,
    ClusterAction,
    Configure,
    DropPasswords,
    Fence,
    ForgetNodes,
    HandOver,
    Introduce,
    MoveSlots,
    Promote,
    RedisAction,
    Replicate,
    SetTimers,
    SettleSlots,
    SetUsers,
    TellSentinels,
)
from tenfold_operator.ports import Cluster, RedisAdmin

# Clients wait longer for an answer (the gateway 0.7 s), and some of it is over by then.
_HOLD_SECONDS = 0.3

_log = structlog.get_logger()


class RedisApplier:
    """Carries out actions on servers and Sentinels in their order."""

    def __init__(self, redis: RedisAdmin, cluster: Cluster) -> None:
        self._redis = redis
        self._cluster = cluster

    async def run(self, tier: TierAccess, actions: Iterable[RedisAction]) -> str:
        """Carry out `actions`; return why one of them did not work, empty when all did."""
        for action in actions:
            trouble = await self._do(tier, action)
            metrics.ACTIONS.labels("RedisTier", type(action).__name__).inc()
            if trouble:
                _log.warning("redis action failed", tier=tier.tier, trouble=trouble)
                return trouble
        return ""

    async def _do(self, tier: TierAccess, action: RedisAction) -> str:
        redis = self._redis
        match action:
            case HandOver():
                return await self._hand_over(tier, action)
            case Promote(target=target, service=service):
                return await self._promote(tier, target, service)
            case TellSentinels(primary=primary):
                await redis.tell_sentinels(tier, primary)
                return ""
            case AddPassword():
                await redis.add_password(tier)
                return ""
            case DropPasswords():
                await redis.drop_passwords(tier)
                return ""
            case SetUsers(pod=pod, users=users, gone=gone):
                return await redis.set_users(tier, pod, users, gone)
            case Fence(pod=pod):
                return await redis.fence(tier, pod)
            case Configure(pod=pod, settings=settings):
                return await redis.configure(tier, pod, settings)
            case SetTimers(
                sentinel=sentinel,
                down_after_milliseconds=down_after,
                failover_timeout_milliseconds=failover_timeout,
            ):
                return await redis.set_timers(tier, sentinel, down_after, failover_timeout)

            case (
                Introduce()
                | AssignSlots()
                | Replicate()
                | ForgetNodes()
                | SettleSlots()
                | MoveSlots()
            ):
                return await self._change_cluster(tier, action)

    async def _change_cluster(self, tier: TierAccess, action: ClusterAction) -> str:
        redis = self._redis
        match action:
            case Introduce(pod=pod, others=others):
                return await redis.introduce(tier, pod, others)
            case AssignSlots(pod=pod, unassigned=unassigned, orphaned=orphaned):
                return await redis.assign_slots(tier, pod, unassigned, orphaned)
            case Replicate(pod=pod, primary=primary):
                return await redis.replicate(tier, pod, primary)
            case ForgetNodes(ids=ids):
                return await redis.forget_nodes(tier, ids)
            case SettleSlots(pod=pod, slots=slots):
                return await redis.settle_slots(tier, pod, slots)
            case MoveSlots(source=source, target=target, slots=slots):
                moved, trouble = await redis.move_slots(tier, source, target, slots)
                metrics.SLOTS_MOVED.labels(tier.namespace, tier.tier).inc(moved)
                return trouble

    async def _promote(self, tier: TierAccess, target: str, service: JsonObject) -> str:
        if trouble := await self._redis.promote(tier, target):
            return trouble
        await self._redis.tell_sentinels(tier, target)
        await asyncio.to_thread(self._cluster.apply, service)
        await self._redis.follow(tier, target, target)
        return ""

    async def _hand_over(self, tier: TierAccess, action: HandOver) -> str:
        trouble = await self._redis.hand_over(tier, action.primary, action.target)
        if trouble:
            return f"not handed over from {action.primary} to {action.target}: {trouble}"
        moving = asyncio.ensure_future(self._direct_clients(tier, action))
        # The writes that are held back must not wait until their clients give them up: then nobody
        # would know whether they were done. Let go too early they are refused, and tried again.
        await asyncio.wait({moving}, timeout=_HOLD_SECONDS)
        await self._redis.follow(tier, action.target, action.primary)
        await moving
        return ""

    async def _direct_clients(self, tier: TierAccess, action: HandOver) -> None:
        # The Service leads nowhere that the Sentinels do not name.
        await self._redis.tell_sentinels(tier, action.target)
        await asyncio.to_thread(self._cluster.apply, action.service)
