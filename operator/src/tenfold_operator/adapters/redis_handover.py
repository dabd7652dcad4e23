"""Moving the primary of a tier on purpose.

FAILOVER alone holds the writes back until the replica's next acknowledgement, up to a second. Here
the operator holds them back itself, sees by the replica's own offset that it has everything, and
only then has FAILOVER go on without that acknowledgement. A lease on the server makes it safe
against an operator that is held up in between: the pause is longer than the lease, and once the
lease is over the server refuses the FAILOVER.
"""

import asyncio
import time
from typing import cast

import redis.asyncio

from tenfold_operator.adapters.redis_client import FAILURES, ask, call, connect, pairs
from tenfold_operator.model.observed import TierAccess
from tenfold_operator.plan.redis_names import QUORUM, REDIS_PORT, SENTINEL_PORT

_LEASE_KEY = "tenfold:hand-over"
_LEASE_MILLISECONDS = 600
_PAUSE_MILLISECONDS = 1000
_CATCH_UP_SECONDS = 0.15
_PROMOTION_SECONDS = 1.0
_PATIENCE_SECONDS = 0.5
_TOTAL_SECONDS = 3.0


async def hand_over(tier: TierAccess, primary: str, target: str) -> str:
    """Make `target` the primary; return why it was not done, empty when it was.

    The clients of the former primary stay paused: `follow` lets them go on.
    """
    try:
        # Both connections are made before anybody waits.
        async with (
            asyncio.timeout(_TOTAL_SECONDS),
            await connect(tier.servers[primary], REDIS_PORT, tier.login) as old,
            await connect(tier.servers[target], REDIS_PORT, tier.login) as new,
        ):
            return await _move(old, new, f"{target}.{tier.domain}")
    except FAILURES as error:
        return f"{primary} or {target}: {error or 'no answer'}"


async def _move(old: redis.asyncio.Redis, new: redis.asyncio.Redis, host: str) -> str:
    trouble = "interrupted"
    try:
        await call(old, "SET", _LEASE_KEY, "1", "PX", _LEASE_MILLISECONDS)
        await call(old, "WATCH", _LEASE_KEY)
        await call(old, "CLIENT", "PAUSE", _PAUSE_MILLISECONDS, "WRITE")
        behind = await _catch_up(new, await _offset(old, "master_repl_offset"))
        if behind:
            trouble = f"{host} was {behind} bytes behind after {_CATCH_UP_SECONDS} s of silence"
        else:
            trouble = await _fail_over(old, new, host)
    finally:
        if trouble:
            await _unpause(old)
    return trouble


async def _fail_over(old: redis.asyncio.Redis, new: redis.asyncio.Redis, host: str) -> str:
    await call(old, "MULTI")
    await call(old, "FAILOVER", "TO", host, REDIS_PORT, "FORCE", "TIMEOUT", 1)
    answers = await call(old, "EXEC")
    if not isinstance(answers, list):
        return "it took longer than the lease: the writes may have gone on"
    if isinstance(answers[0], Exception):
        return str(answers[0])
    if not await _promoted(old, new):
        await call(old, "FAILOVER", "ABORT")
        return f"{host} did not take over within {_PROMOTION_SECONDS} s"
    return ""


async def _catch_up(new: redis.asyncio.Redis, offset: int) -> int:
    """Return how many bytes the replica lacks after the time that it was given."""
    deadline = time.monotonic() + _CATCH_UP_SECONDS
    while (behind := offset - await _offset(new, "slave_repl_offset")) > 0:
        if time.monotonic() > deadline:
            return behind
        await asyncio.sleep(0.001)
    return 0


async def _promoted(old: redis.asyncio.Redis, new: redis.asyncio.Redis) -> bool:
    deadline = time.monotonic() + _PROMOTION_SECONDS
    while await _role(new) != "master":
        if time.monotonic() > deadline:
            return False
        # The failover goes on when the old primary has something to answer.
        await call(old, "PING")
        await asyncio.sleep(0.001)
    return True


async def _offset(client: redis.asyncio.Redis, name: str) -> int:
    info = cast(dict[str, str], await call(client, "INFO", "replication"))
    return int(info[name])


async def _role(client: redis.asyncio.Redis) -> object:
    return cast(list[object], await call(client, "ROLE"))[0]


async def _unpause(client: redis.asyncio.Redis) -> None:
    try:
        await call(client, "CLIENT", "UNPAUSE")
    except FAILURES:
        return  # the pause ends by itself


async def follow(tier: TierAccess, primary: str, former: str) -> None:
    """Let the clients of `former` go on, and every other server follow `primary`.

    Without it the other replicas would follow the former primary until a Sentinel puts it right.
    """

    async def tell(pod: str, address: str) -> None:
        await ask(address, REDIS_PORT, tier.login, _PATIENCE_SECONDS, *commands[pod])

    host = f"{primary}.{tier.domain}"
    rewrite = ("CONFIG", "REWRITE")
    commands: dict[str, tuple[tuple[str | int, ...], ...]] = dict.fromkeys(
        tier.servers, (("REPLICAOF", host, REDIS_PORT), rewrite)
    )
    commands[primary] = (rewrite,)
    commands[former] = (("CLIENT", "UNPAUSE"), rewrite)
    await asyncio.gather(*(tell(*each) for each in tier.servers.items()))


async def tell_sentinels(tier: TierAccess, primary: str) -> None:
    """Have every Sentinel that answers name `primary`, as after a failover of its own.

    Sentinels tell each other of a failover by a message with the new address and a higher epoch;
    they go on knowing the replicas and each other. After REMOVE and MONITOR they would not, for a
    few seconds in which a crash would not be covered.
    """
    known = dict(
        zip(
            tier.sentinels,
            await asyncio.gather(*(_peers(tier, each) for each in tier.sentinels.values())),
            strict=True,
        )
    )
    epoch = 1 + max((epoch for epoch, _ in known.values()), default=0)
    host = f"{primary}.{tier.domain}"

    async def tell(pod: str, address: str) -> None:
        _, peers = known[pod]
        master = (tier.tier, host, REDIS_PORT)
        if not peers:
            await _monitor(tier, address, host)
            return
        peer = peers[0]
        hello = (peer["ip"], peer["port"], peer["runid"], epoch, *master, epoch)
        message = ",".join(map(str, hello))
        publish = ("PUBLISH", "__sentinel__:hello", message)
        await ask(address, SENTINEL_PORT, tier.login, _PATIENCE_SECONDS, publish)

    await asyncio.gather(*(tell(*each) for each in tier.sentinels.items()))


async def _peers(tier: TierAccess, address: str) -> tuple[int, list[dict[str, str]]]:
    """Return a Sentinel's epoch of the present primary, and the Sentinels that it knows."""
    answers = await ask(
        address,
        SENTINEL_PORT,
        tier.login,
        _PATIENCE_SECONDS,
        ("SENTINEL", "MASTER", tier.tier),
        ("SENTINEL", "SENTINELS", tier.tier),
    )
    if answers is None:
        return 0, []
    master, peers = answers
    listed = [dict(pairs(each)) for each in peers] if isinstance(peers, list) else []
    return int(pairs(master)["config-epoch"]), listed


async def _monitor(tier: TierAccess, address: str, host: str) -> None:
    """Have a Sentinel that knows no other one begin anew."""
    name = tier.tier
    await ask(address, SENTINEL_PORT, tier.login, _PATIENCE_SECONDS, ("SENTINEL", "REMOVE", name))
    await ask(
        address,
        SENTINEL_PORT,
        tier.login,
        _PATIENCE_SECONDS,
        ("SENTINEL", "MONITOR", name, host, REDIS_PORT, QUORUM),
        ("SENTINEL", "SET", name, "auth-pass", tier.password),
    )
