"""The only writer to the servers and Sentinels of a tier."""

import asyncio
from collections.abc import Iterable

import structlog

from tenfold_operator import metrics
from tenfold_operator.model.observed import TierAccess
from tenfold_operator.plan.actions import HandOver, RedisAction
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
            match action:
                case HandOver():
                    trouble = await self._hand_over(tier, action)
            metrics.ACTIONS.labels("RedisTier", type(action).__name__).inc()
            if trouble:
                _log.warning("redis action failed", tier=tier.tier, trouble=trouble)
                return trouble
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
