"""Users of single servers: what they know, what they make of rules, and changes while they run."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from tenfold_operator.adapters.each import ask_each
from tenfold_operator.adapters.redis_client import FAILURES, ask, connect
from tenfold_operator.model.observed import Login, TierAccess
from tenfold_operator.model.tier_users import KnownUser, ReadRules, UserSetting
from tenfold_operator.plan.redis_names import REDIS_PORT

_TRIAL = "tenfold:"
"""Begins the names of users that exist within one transaction, without a password."""
_PATIENCE_SECONDS = 1.0


def parse(acl_list: object) -> Mapping[str, KnownUser]:
    """Return the users by name, from what ACL LIST answers."""
    lines = acl_list if isinstance(acl_list, list) else []
    return dict(_user(str(line)) for line in lines)


def _user(line: str) -> tuple[str, KnownUser]:
    _, name, *words = line.split(" ")
    passwords = frozenset(each[1:] for each in words if each.startswith("#"))
    rules = " ".join(each for each in words if not each.startswith("#"))
    return name, KnownUser(passwords, rules)


async def read_rules(
    tier: TierAccess, rules: Mapping[str, str], patience: float
) -> Mapping[str, ReadRules]:
    """Ask each server what it makes of users' rules, without those that are silent.

    Redis has its own way to put rules, and refuses some. It tells by a user that nobody can be:
    made, looked at and removed in one transaction.
    """
    return await ask_each(
        tier.servers, lambda _, address: _read(address, tier.login, rules, patience)
    )


async def _read(
    address: str, login: Login, rules: Mapping[str, str], patience: float
) -> ReadRules | None:
    trials = {name: _TRIAL + name for name in rules}
    try:
        async with (
            asyncio.timeout(patience),
            await connect(address, REDIS_PORT, login) as client,
            client.pipeline(transaction=True) as transaction,
        ):
            for name, words in rules.items():
                transaction.execute_command(*_set(trials[name], (), words))
            transaction.execute_command("ACL", "LIST")
            transaction.execute_command("ACL", "DELUSER", *trials.values())
            *outcomes, known, _ = await transaction.execute(raise_on_error=False)
    except FAILURES:
        return None
    refused = {
        name: str(outcome)
        for name, outcome in zip(rules, outcomes, strict=True)
        if isinstance(outcome, Exception)
    }
    users = parse(known)
    taken = {name: users[trials[name]].rules for name in rules.keys() - refused.keys()}
    return ReadRules(taken, refused)


async def set_users(
    tier: TierAccess, pod: str, users: Iterable[UserSetting], gone: Sequence[str]
) -> str:
    """Have a server know `users` as they are here, and forget `gone`; return why not.

    What it knows it writes into its own configuration, from where its start script takes it up.
    """
    commands = [_set(each.name, each.passwords, each.rules) for each in users]
    if gone:
        commands.append(("ACL", "DELUSER", *gone))
    commands.append(("CONFIG", "REWRITE"))
    address = tier.servers[pod]
    answers = await ask(address, REDIS_PORT, tier.login, _PATIENCE_SECONDS, *commands)
    return "" if answers else f"{pod} does not take its users"


def _set(name: str, passwords: Iterable[str], rules: str) -> tuple[str, ...]:
    hashes = (f"#{each}" for each in passwords)
    return ("ACL", "SETUSER", name, "reset", "on", *hashes, *rules.split())
