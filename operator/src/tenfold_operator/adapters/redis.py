"""Redis and its Sentinels through redis-py."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from tenfold_operator.adapters import redis_changes, redis_handover
from tenfold_operator.adapters.redis_client import FAILURES, ask, connect, pairs
from tenfold_operator.model.observed import (
    Follower,
    Role,
    SentinelAnswer,
    ServerAnswer,
    TierAccess,
    password_digest,
)
from tenfold_operator.plan.redis_config import LIVE_SETTINGS
from tenfold_operator.plan.redis_names import REDIS_PORT, SENTINEL_PORT

_CHANGES = (
    "+promoted-slave",
    "+failover-state-reconf-slaves",
    "+config-update-from",
    "+switch-master",
)
_FAILING = ("o_down", "failover_in_progress")
_ROLES: Mapping[str, Role] = {"master": "primary", "slave": "replica"}


class RedisClients:
    """Implements ports.RedisAdmin."""

    async def ask_sentinels(self, tier: TierAccess, patience: float) -> tuple[SentinelAnswer, ...]:
        """Ask each Sentinel which pod is the primary, and how it is."""
        questions = (("SENTINEL", "MASTER", tier.tier), ("ACL", "GETUSER", "default"))

        async def question_one(pod: str, address: str) -> SentinelAnswer:
            answers = await ask(address, SENTINEL_PORT, tier.passwords, patience, *questions)
            return _sentinel_answer(pod, *(answers or ({}, None)))

        return tuple(
            await asyncio.gather(*(question_one(*each) for each in tier.sentinels.items()))
        )

    async def ask_servers(self, tier: TierAccess, patience: float) -> tuple[ServerAnswer, ...]:
        """Ask each server for its role, its replicas and how far it has come."""
        settings = ("CONFIG", "GET", *LIVE_SETTINGS)
        user, masterauth = ("ACL", "GETUSER", "default"), ("CONFIG", "GET", "masterauth")
        info = ("INFO", "replication"), ("INFO", "keyspace")
        questions = (*info, settings, user, masterauth)

        async def question_one(pod: str, address: str) -> ServerAnswer:
            answers = await ask(address, REDIS_PORT, tier.passwords, patience, *questions)
            return _server_answer(
                pod, *cast(tuple[dict[str, Any], ...], answers or ({}, {}, {}, {}, {}))
            )

        return tuple(await asyncio.gather(*(question_one(*each) for each in tier.servers.items())))

    async def hand_over(self, tier: TierAccess, primary: str, target: str) -> str:
        """Make `target` the primary; return why it was not done, empty when it was."""
        return await redis_handover.hand_over(tier, primary, target)

    async def tell_sentinels(self, tier: TierAccess, primary: str) -> None:
        """Have every Sentinel that answers name `primary`."""
        await redis_handover.tell_sentinels(tier, primary)

    async def follow(self, tier: TierAccess, primary: str, former: str) -> None:
        """Let the clients of `former` go on, and every other server follow `primary`."""
        await redis_handover.follow(tier, primary, former)

    async def promote(self, tier: TierAccess, target: str) -> str:
        """Make `target` a primary, whoever else is one; return why it was not done."""
        return await redis_changes.promote(tier, target)

    async def fence(self, tier: TierAccess, pod: str) -> str:
        """Have a server take no more writes; return why it was not done."""
        return await redis_changes.fence(tier, pod)

    async def configure(self, tier: TierAccess, pod: str, settings: Mapping[str, str]) -> str:
        """Change settings of a running server; return why it was not done."""
        return await redis_changes.configure(tier, pod, settings)

    async def set_timers(
        self, tier: TierAccess, sentinel: str, down_after: int, failover_timeout: int
    ) -> str:
        """Change a Sentinel's timers, in milliseconds; return why it was not done."""
        return await redis_changes.set_timers(tier, sentinel, down_after, failover_timeout)

    async def add_password(self, tier: TierAccess) -> None:
        """Have everybody take the first password beside the one that he knows, and use it."""
        await redis_changes.add_password(tier)

    async def drop_passwords(self, tier: TierAccess) -> None:
        """Have everybody take the first password alone."""
        await redis_changes.drop_passwords(tier)

    async def listen(
        self, address: str, passwords: Sequence[str], on_change: Callable[[str], None]
    ) -> None:
        """Call `on_change` with the event's name whenever this Sentinel speaks of a failover."""
        try:
            async with (
                await connect(address, SENTINEL_PORT, passwords) as client,
                client.pubsub() as channel,
            ):
                await channel.subscribe(*_CHANGES)
                # The health check notices a peer that is gone without a word.
                while True:
                    message = await channel.get_message(True, timeout=None)
                    if message:
                        on_change(str(message["channel"]))
        except FAILURES:
            return


def _sentinel_answer(pod: str, master: object, user: object) -> SentinelAnswer:
    said = pairs(master)
    if not said:
        return SentinelAnswer(pod, None)
    flags = said["flags"].split(",")
    return SentinelAnswer(
        pod,
        said["ip"].partition(".")[0] or None,
        any(each in flags for each in _FAILING),
        (int(said["down-after-milliseconds"]), int(said["failover-timeout"])),
        int(said["num-slaves"]),
        _passwords(user),
    )


def _server_answer(
    pod: str,
    replication: Mapping[str, Any],
    keyspace: Mapping[str, Any],
    settings: Mapping[str, str],
    user: object,
    masterauth: Mapping[str, str],
) -> ServerAnswer:
    role = _ROLES.get(str(replication.get("role")), "unknown")
    if role == "unknown":
        return ServerAnswer(pod, role)
    entries = (replication.get(f"slave{n}") for n in range(int(replication["connected_slaves"])))
    followers = tuple(
        Follower(_pod(each["ip"]), each["state"] == "online", int(each["lag"]), int(each["offset"]))
        for each in entries
        if isinstance(each, dict)
    )
    connected = replication.get("master_link_status") == "up"
    own = "master_repl_offset" if role == "primary" else "slave_repl_offset"
    return ServerAnswer(
        pod,
        role,
        followers,
        upstream=_pod(replication["master_host"]) if connected else "",
        offset=int(replication[own]),
        history=str(replication["master_replid"]),
        earlier_history=str(replication["master_replid2"]),
        earlier_end=int(replication["second_repl_offset"]) - 1,
        keys=sum(int(each["keys"]) for each in keyspace.values() if isinstance(each, dict)),
        settings=pairs(settings),
        passwords=_passwords(user),
        follows_by=password_digest(str(pairs(masterauth).get("masterauth", ""))),
    )


def _passwords(user: object) -> frozenset[str]:
    """Return the digests of a user's passwords, as ACL GETUSER tells them."""
    found = user.get("passwords", []) if isinstance(user, dict) else []
    if isinstance(user, list):
        found = dict(zip(user[::2], user[1::2], strict=True))["passwords"]
    return frozenset(str(each) for each in found)


def _pod(host: object) -> str:
    return str(host).partition(".")[0]
