"""Redis and its Sentinels through redis-py."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from tenfold_operator.adapters import (
    redis_changes,
    redis_cluster,
    redis_handover,
    redis_tls,
    redis_users,
)
from tenfold_operator.adapters.each import ask_each
from tenfold_operator.adapters.redis_client import FAILURES, ask, connect, pairs
from tenfold_operator.model.observed import (
    Follower,
    Login,
    Member,
    Role,
    SentinelAnswer,
    ServerAnswer,
    Slots,
    TierAccess,
)
from tenfold_operator.model.tier_tls import ServedCertificate
from tenfold_operator.model.tier_users import ReadRules, UserSetting, password_digest
from tenfold_operator.plan.redis_config import LIVE_SETTINGS
from tenfold_operator.plan.redis_names import REDIS_PORT, SENTINEL_PORT

_CHANGES = (
    "+promoted-slave",
    "+failover-state-reconf-slaves",
    "+config-update-from",
    "+switch-master",
)
_QUESTIONS = (
    ("INFO", "replication"),
    ("INFO", "keyspace"),
    ("CONFIG", "GET", *LIVE_SETTINGS),
    ("ACL", "LIST"),
    ("CONFIG", "GET", "masterauth"),
)
_OWN_USER = "default"
_FAILING = ("o_down", "failover_in_progress")
_ROLES: Mapping[str, Role] = {"master": "primary", "slave": "replica"}


class RedisClients:
    """Implements ports.RedisAdmin."""

    async def ask_sentinels(self, tier: TierAccess, patience: float) -> tuple[SentinelAnswer, ...]:
        """Ask each Sentinel which pod is the primary, and how it is."""
        questions = (("SENTINEL", "MASTER", tier.tier), ("ACL", "GETUSER", _OWN_USER))

        async def question_one(pod: str, address: str) -> SentinelAnswer:
            answers = await ask(address, SENTINEL_PORT, tier.login, patience, *questions)
            return _sentinel_answer(pod, *(answers or ({}, None)))

        return tuple((await ask_each(tier.sentinels, question_one)).values())

    async def ask_servers(self, tier: TierAccess, patience: float) -> tuple[ServerAnswer, ...]:
        """Ask each server for its role, its replicas and how far it has come."""

        async def question_one(pod: str, address: str) -> ServerAnswer:
            start = time.monotonic()
            answers = await ask(address, REDIS_PORT, tier.login, patience, *_QUESTIONS)
            seconds = time.monotonic() - start if answers else math.inf
            return replace(_server_answer(pod, answers), seconds=seconds)

        return tuple((await ask_each(tier.servers, question_one)).values())

    async def ask_members(self, tier: TierAccess, patience: float) -> tuple[Member, ...]:
        """Ask each server of a cluster about itself and the others; without those silent."""

        async def question_one(pod: str, address: str) -> Member | None:
            questions = (*redis_cluster.QUESTIONS, *_QUESTIONS)
            answers = await ask(address, REDIS_PORT, tier.login, patience, *questions)
            if answers is None:
                return None
            nodes, info, *others = answers
            own, known, leaving, coming = redis_cluster.parse_nodes(str(nodes))
            return Member(
                server=_server_answer(pod, others),
                id=own,
                nodes=known,
                leaving=leaving,
                coming=coming,
                is_ok="cluster_state:ok" in str(info),
                source=str(cast(dict[str, Any], others[0]).get("master_host", "")),
            )

        return tuple((await ask_each(tier.servers, question_one)).values())

    async def introduce(self, tier: TierAccess, pod: str, others: Sequence[str]) -> str:
        """Have `pod` meet the others where they are now; return why it was not done."""
        return await redis_cluster.introduce(tier, pod, others)

    async def assign_slots(
        self, tier: TierAccess, pod: str, unassigned: Slots, orphaned: Mapping[str, Slots]
    ) -> str:
        """Give slots to `pod` that nobody holds, or a node that is gone; return why not."""
        return await redis_cluster.assign(tier, pod, unassigned, orphaned)

    async def replicate(self, tier: TierAccess, pod: str, primary: str) -> str:
        """Have `pod` follow the pod `primary`; return why it was not done."""
        return await redis_cluster.replicate(tier, pod, primary)

    async def forget_nodes(self, tier: TierAccess, ids: Sequence[str]) -> str:
        """Have every server forget these nodes; return why it was not done."""
        return await redis_cluster.forget(tier, ids)

    async def settle_slots(self, tier: TierAccess, pod: str, held: Slots) -> str:
        """Have `pod` take slots for neither leaving nor coming; return why it was not done."""
        return await redis_cluster.settle(tier, pod, held)

    async def move_slots(
        self, tier: TierAccess, source: str, target: str, held: Slots
    ) -> tuple[int, str]:
        """Move slots with their keys for a while; return how many, and why not all."""
        return await redis_cluster.move_slots(tier, source, target, held)

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

    async def ask_certificates(
        self, tier: TierAccess, patience: float
    ) -> Mapping[str, ServedCertificate]:
        """Ask each server for the certificate that it shows; without those silent."""
        return await redis_tls.ask_certificates(tier, patience)

    async def read_rules(
        self, tier: TierAccess, rules: Mapping[str, str], patience: float
    ) -> Mapping[str, ReadRules]:
        """Ask each server what it makes of users' rules; nobody gets them by that."""
        return await redis_users.read_rules(tier, rules, patience)

    async def set_users(
        self, tier: TierAccess, pod: str, users: Sequence[UserSetting], gone: Sequence[str]
    ) -> str:
        """Have a server know `users` as they are here, and forget `gone`; return why not."""
        return await redis_users.set_users(tier, pod, users, gone)

    async def listen(self, address: str, login: Login, on_change: Callable[[str], None]) -> None:
        """Call `on_change` with the event's name whenever this Sentinel speaks of a failover."""
        try:
            async with (
                await connect(address, SENTINEL_PORT, login) as client,
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


def _server_answer(pod: str, answers: Sequence[object] | None) -> ServerAnswer:
    """Return what the answers to _QUESTIONS say; that it is silent where there are none."""
    replication, keyspace, settings, acl, masterauth = cast(
        tuple[dict[str, Any], ...], answers or ({}, {}, {}, {}, {})
    )
    role = _ROLES.get(str(replication.get("role")), "unknown")
    if role == "unknown":
        return ServerAnswer(pod, role)
    entries = (replication.get(f"slave{n}") for n in range(int(replication["connected_slaves"])))
    followers = tuple(
        Follower(_pod(each["ip"]), each["state"] == "online", int(each["lag"]), int(each["offset"]))
        for each in entries
        if isinstance(each, dict)
    )
    users = dict(redis_users.parse(acl))
    own_user = users.pop(_OWN_USER)
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
        passwords=own_user.passwords,
        users=users,
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
