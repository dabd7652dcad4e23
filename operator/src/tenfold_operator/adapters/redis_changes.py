"""Changes of single servers and Sentinels while they run."""

import asyncio
from collections.abc import Mapping, Sequence

from tenfold_operator.adapters.redis_client import ask
from tenfold_operator.model.observed import TierAccess
from tenfold_operator.plan.redis_config import FENCED
from tenfold_operator.plan.redis_names import REDIS_PORT, SENTINEL_PORT

_PATIENCE_SECONDS = 0.5
_HOLD_MILLISECONDS = 1000


async def promote(tier: TierAccess, target: str) -> str:
    """Make `target` a primary, whoever else is one; return why it was not done."""
    return await _server(tier, target, ("REPLICAOF", "NO", "ONE"), ("CONFIG", "REWRITE"))


async def fence(tier: TierAccess, pod: str) -> str:
    """Have a server take no more writes; return why it was not done.

    The pause stops what is on its way just now, the setting everything after it.
    """
    pause = ("CLIENT", "PAUSE", _HOLD_MILLISECONDS, "WRITE")
    return await _server(tier, pod, pause, ("CONFIG", "SET", "min-replicas-to-write", FENCED))


async def configure(tier: TierAccess, pod: str, settings: Mapping[str, str]) -> str:
    """Change settings of a running server; return why it was not done."""
    words = [word for pair in settings.items() for word in pair]
    return await _server(tier, pod, ("CONFIG", "SET", *words))


async def set_timers(
    tier: TierAccess, sentinel: str, down_after: int, failover_timeout: int
) -> str:
    """Change a Sentinel's timers, in milliseconds; return why it was not done."""
    timers = ("down-after-milliseconds", down_after, "failover-timeout", failover_timeout)
    command = ("SENTINEL", "SET", tier.tier, *timers)
    answers = await ask(
        tier.sentinels[sentinel], SENTINEL_PORT, tier.login, _PATIENCE_SECONDS, command
    )
    return "" if answers else f"{sentinel} does not take its timers"


async def _server(tier: TierAccess, pod: str, *commands: Sequence[str | int]) -> str:
    answers = await ask(tier.servers[pod], REDIS_PORT, tier.login, _PATIENCE_SECONDS, *commands)
    return "" if answers else f"{pod} does not take {' '.join(map(str, commands[0]))}"


async def add_password(tier: TierAccess) -> None:
    """Have everybody take the first password beside the one that he knows, and use it.

    First all take both, then each begins to use the new one: nobody is refused at any time.
    """
    new = tier.password
    both = ("ACL", "SETUSER", "default", f">{new}")
    await _everybody(tier, (both,), (both,))
    servers = (("CONFIG", "SET", "masterauth", new), ("CONFIG", "REWRITE"))
    sentinels = (
        ("SENTINEL", "CONFIG", "SET", "sentinel-pass", new),
        ("SENTINEL", "SET", tier.tier, "auth-pass", new),
        ("SENTINEL", "FLUSHCONFIG"),
    )
    await _everybody(tier, servers, sentinels)


async def drop_passwords(tier: TierAccess) -> None:
    """Have everybody take the first password alone."""
    alone = ("ACL", "SETUSER", "default", "resetpass", f">{tier.password}")
    await _everybody(tier, (alone, ("CONFIG", "REWRITE")), (alone, ("SENTINEL", "FLUSHCONFIG")))


async def _everybody(
    tier: TierAccess,
    servers: Sequence[Sequence[str | int]],
    sentinels: Sequence[Sequence[str | int]],
) -> None:
    groups = (
        (tier.servers, REDIS_PORT, servers),
        (tier.sentinels, SENTINEL_PORT, sentinels),
    )
    await asyncio.gather(
        *(
            ask(address, port, tier.login, _PATIENCE_SECONDS, *commands)
            for addresses, port, commands in groups
            for address in addresses.values()
        )
    )
