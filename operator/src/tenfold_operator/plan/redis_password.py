"""A password that changes while everything runs: for a time both are taken."""

from collections.abc import Iterator

from tenfold_operator.model.observed import TierView
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan import redis_pods as pods
from tenfold_operator.plan.actions import (
    Action,
    AddPassword,
    DropPasswords,
    MakePassword,
    Refuse,
)


def plan_secret(view: TierView, *, is_in_use: bool) -> Iterator[Action]:
    """Make a password where there is none, unless servers have one already or a person should."""
    if view.has_password:
        return
    name = names.secret(view.tier)
    if is_in_use:
        message = f"Secret {name} is gone; the servers still ask for its password: restore it"
        yield Refuse(reason="PasswordLost", message=message)
    elif view.tier.spec.auth.secret_name:
        message = f"Secret {name} has no key `password`: create it, or leave auth.secretName out"
        yield Refuse(reason="PasswordMissing", message=message)
    else:
        manifest = pods.head(view.tier, "Secret", name, "redis")
        yield MakePassword(manifest=manifest, why=f"{name} does not exist")


def plan_passwords(view: TierView) -> Iterator[Action]:
    """Add the Secret's password where it is not known; drop others once no previous one is named.

    The previous one is dropped only while all that run know the new one.
    """
    answers = {
        **{each.pod: each.passwords for each in view.servers if each.role != "unknown"},
        **{each.pod: each.passwords for each in view.sentinels if each.passwords},
    }
    if not answers or not view.passwords:
        return
    wanted = view.passwords[0]
    lacking = {pod for pod, known in answers.items() if wanted not in known}
    lacking |= {
        each.pod for each in view.servers if each.pod in answers and each.follows_by != wanted
    }
    if lacking:
        yield AddPassword(why=f"{', '.join(sorted(lacking))}: the Secret has another one")
    elif len(view.passwords) == 1 and any(known != {wanted} for known in answers.values()):
        yield DropPasswords(why="the Secret names no previous one")
