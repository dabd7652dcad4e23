"""The users of a tier: every server knows those that the spec names, and no others.

What is wanted is compared with what the servers say alone. A password that is replaced counts for a
while longer: the servers themselves remember it, and the status tells until when.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenfold_operator.model.generated import RedisTierUser, RedisTierUserStatus
from tenfold_operator.model.observed import ServerAnswer, TierView
from tenfold_operator.model.tier_users import KnownUser, TierUser, UserSetting
from tenfold_operator.plan.actions import Action, Refuse, SetUsers
from tenfold_operator.plan.conditions import Verdict

_FORMER = timedelta(seconds=300)
"""Clients and mounted Secrets need a while to take up a new password."""

_NEVER = "-@admin"
"""Whatever the rules say: who may CONFIG, ACL or SYNC has all data and all rights."""


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """What the servers should know of a user now."""

    user: TierUser
    passwords: tuple[str, ...]
    """Digests, the newest first; none where the user has to stay as it is."""
    until: datetime | None
    """When the last of them is dropped, where that is a matter of time."""
    obstacle: Refuse | None


def rules_of(user: RedisTierUser) -> str:
    """Return a user's rules, as a server is told them."""
    return f"{user.rules} {_NEVER}"


def plan_users(view: TierView, now: datetime) -> Iterator[Action]:
    """Bring every server that answers to the users of the spec."""
    wanted = _all_wanted(view, now)
    names = {each.user.name for each in wanted}
    for each in wanted:
        if each.obstacle:
            yield each.obstacle
    for server in _answering(view):
        changed = tuple(
            UserSetting(each.user.name, each.passwords, each.user.rules)
            for each in wanted
            if each.passwords and not each.obstacle and not _is_exact(view, server, each)
        )
        gone = tuple(sorted(server.users.keys() - names))
        if changed or gone:
            yield SetUsers(
                pod=server.pod, users=changed, gone=gone, why="the spec and its Secrets ask for it"
            )


def user_states(view: TierView, now: datetime) -> tuple[RedisTierUserStatus, ...]:
    """Return how far each user of the spec is."""
    if not view.users and view.tier.spec.users:
        return view.tier.status.users  # nobody could be asked
    before = {each.name: each for each in view.tier.status.users}
    states = []
    for each in _all_wanted(view, now):
        name = each.user.name
        known = before.get(name, RedisTierUserStatus(name=name))
        since = (known.applied_at or _seconds(now)) if _is_applied(view, each) else None
        states.append(
            RedisTierUserStatus(
                name=name,
                applied_at=since if _answering(view) else known.applied_at,
                accepts_previous_until=each.until,
            )
        )
    return tuple(states)


def verdicts(view: TierView, now: datetime) -> tuple[Verdict, ...]:
    """Say whether the users are as they should be, where there are or were some."""
    wanted, servers = _all_wanted(view, now), _answering(view)
    strangers = {name for each in servers for name in each.users}
    strangers -= {each.user.name for each in wanted}
    if not wanted and not strangers:
        return ()
    if not servers:
        return (Verdict("UsersApplied", "Unknown", "NoServerAnswers", "no server answers"),)
    if obstacle := next((each.obstacle for each in wanted if each.obstacle), None):
        return (Verdict("UsersApplied", "False", obstacle.reason, obstacle.message),)
    late = {each.user.name for each in wanted if not _is_applied(view, each)} | strangers
    if late:
        message = f"not yet as they should be on every server: {_listed(late)}"
        return (Verdict("UsersApplied", "False", "UsersChanging", message),)
    message = f"{_listed(each.user.name for each in wanted)} on {len(servers)} servers"
    return (Verdict("UsersApplied", "True", "UsersKnown", message),)


def _all_wanted(view: TierView, now: datetime) -> tuple[_Wanted, ...]:
    until = {each.name: each.accepts_previous_until for each in view.tier.status.users}
    return tuple(_wanted(view, each, until.get(each.name), now) for each in view.users)


def _wanted(view: TierView, user: TierUser, until: datetime | None, now: datetime) -> _Wanted:
    if obstacle := _obstacle(view, user):
        return _Wanted(user=user, passwords=(), until=until, obstacle=obstacle)
    if user.previous is not None:
        named = tuple(dict.fromkeys(each for each in (user.password, user.previous) if each))
        return _Wanted(user=user, passwords=named, until=None, obstacle=None)
    known = [each.users[user.name] for each in _answering(view) if user.name in each.users]
    told = [each.passwords for each in known if user.password in each.passwords]
    if not known:
        former = frozenset[str]()
    elif told and until:
        former = frozenset.union(*told) if now < until else frozenset()
    else:
        # Only what all of them take: a server that comes back after days with a password of that
        # time does not make it count again.
        former = frozenset.intersection(*(each.passwords for each in known))
        until = _seconds(now) + _FORMER
    former -= {user.password}
    return _Wanted(
        user=user,
        passwords=(user.password, *sorted(former)),
        until=until if former or not known else None,
        obstacle=None,
    )


def _obstacle(view: TierView, user: TierUser) -> Refuse | None:
    """Return why the user stays as it is: without a password, or with rules that Redis refuses."""
    if not user.password:
        (spec,) = [each.password_secret for each in view.tier.spec.users if each.name == user.name]
        message = f"{user.name}: Secret {spec.name} has no key {spec.key}: the user stays as it is"
        return Refuse(reason="UserPasswordMissing", message=message)
    for pod, rules in view.rules.items():
        if user.name in rules.refused:
            message = f"{user.name}: {pod} does not take its rules: {rules.refused[user.name]}"
            return Refuse(reason="UserRulesRefused", message=message)
    return None


def _is_exact(view: TierView, server: ServerAnswer, wanted: _Wanted) -> bool:
    known = _with_rules(view, server, wanted.user.name)
    return known is not None and known.passwords == set(wanted.passwords)


def _is_applied(view: TierView, wanted: _Wanted) -> bool:
    """Whether every server that answers takes the password and has the rules."""
    known = (_with_rules(view, server, wanted.user.name) for server in _answering(view))
    return all(each is not None and wanted.user.password in each.passwords for each in known)


def _with_rules(view: TierView, server: ServerAnswer, name: str) -> KnownUser | None:
    """Return a user as a server knows it; None where it does not, or by other rules."""
    known = server.users.get(name)
    has_rules = known is not None and known.rules == view.rules[server.pod].taken.get(name)
    return known if has_rules else None


def _answering(view: TierView) -> tuple[ServerAnswer, ...]:
    return tuple(
        each
        for each in view.servers
        if each.role != "unknown" and (each.pod in view.rules or not view.users)
    )


def _seconds(now: datetime) -> datetime:
    return now.replace(microsecond=0)


def _listed(users: Iterable[str]) -> str:
    return ", ".join(sorted(users))
