"""The only writer to the servers and Sentinels of a tier."""

import asyncio
from collections.abc import Iterable

import structlog

from tenfold_operator import metrics
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.observed import TierAccess
from tenfold_operator.plan.actions import (
    AddPassword,
    Configure,
    DropPasswords,
    Fence,
    HandOver,
    Promote,
    RedisAction,
    SetTimers,
    TellSentinels,
)
from tenfold_operator.ports import Cluster, RedisAdmin

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
        # The Service leads nowhere that the Sentinels do not name.
        await self._redis.tell_sentinels(tier, action.target)
        try:
            await asyncio.to_thread(self._cluster.apply, action.service)
        finally:
            await self._redis.follow(tier, action.target, action.primary)
        return ""
