"""The last decisions in words, for the console and the log."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog

from tenfold_operator.model.manifest import Ref, ref_of
from tenfold_operator.plan.actions import (
    Action,
    AddPassword,
    Apply,
    AssignSlots,
    Configure,
    Delete,
    DropPasswords,
    Fence,
    ForgetNodes,
    HandOver,
    Introduce,
    MakePassword,
    Merge,
    MoveSlots,
    Promote,
    Refuse,
    Replicate,
    Scale,
    SettleSlots,
    SetUsers,
    TellSentinels,
    Wait,
)

_KEPT = 20
"""Decisions of one resource."""
_LOGGED = 2000
"""Decisions in all: about 1 MB."""
_log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One thing that was done or refused."""

    time: datetime
    owner: Ref
    """The custom resource that it was decided for."""
    number: int
    """Which decision of this run of the operator it is, counted from 1."""
    what: str
    why: str
    refused: bool = False
    confidence_percent: int | None = None
    """How sure the forecast or measurement behind it is; None where nothing was estimated."""


def in_words(action: Action) -> tuple[str, str] | None:
    """Return what an action does and why; None for those that only report."""
    match action:
        case Apply(manifest=manifest, is_new=is_new):
            return f"{'create' if is_new else 'update'} {ref_of(manifest)}", action.why
        case MakePassword(manifest=manifest):
            return f"create {ref_of(manifest)}", action.why
        case Scale(ref=ref, replicas=replicas):
            return f"scale {ref} to {replicas}", action.why
        case Merge(ref=ref):
            return f"change {ref}", action.why
        case Delete(ref=ref):
            return f"delete {ref}", action.why
        case HandOver(primary=primary, target=target):
            return f"hand over from {primary} to {target}", action.why
        case Promote(target=target):
            return f"promote {target}", action.why
        case TellSentinels(primary=primary):
            return f"tell the Sentinels of {primary}", action.why
        case AddPassword():
            return "add the new password", action.why
        case DropPasswords():
            return "drop the previous password", action.why
        case SetUsers(pod=pod, users=users, gone=gone):
            told = [each.name for each in users] + [f"no {name}" for name in gone]
            return f"set users of {pod}: {', '.join(told)}", action.why
        case Fence(pod=pod):
            return f"fence {pod}", action.why
        case Configure(pod=pod, settings=settings):
            words = " ".join(f"{name}={value!r}" for name, value in settings.items())
            return f"set {words} on {pod}", action.why
        case Introduce(pod=pod, others=others):
            return f"have {pod} meet {', '.join(others)}", action.why
        case AssignSlots(pod=pod, unassigned=slots, orphaned=orphaned):
            count = sum(each.bit_count() for each in (slots, *orphaned.values()))
            return f"give {count} slots to {pod}", action.why
        case Replicate(pod=pod, primary=primary):
            return f"have {pod} follow {primary}", action.why
        case ForgetNodes(ids=ids):
            return f"forget nodes {', '.join(each[:8] for each in ids)}", action.why
        case SettleSlots(pod=pod, slots=slots):
            return f"settle {slots.bit_count()} slots of {pod}", action.why
        case MoveSlots(source=source, target=target):
            return f"move slots from {source} to {target}", action.why
        case Refuse(reason=reason, message=message):
            return reason, message
    return None


class Journal:
    """The last decisions of each custom resource, and the last of all of them together.

    Bounded: what is old is dropped. Nothing of it survives a restart; the status does.
    """

    def __init__(self) -> None:
        self._kept: dict[Ref, deque[Decision]] = {}
        self._log: deque[Decision] = deque(maxlen=_LOGGED)
        self._waits: dict[Ref, tuple[Wait, ...]] = {}
        self._number = 0
        self._listeners: list[Callable[[Ref], None]] = []

    def subscribe(self, listener: Callable[[Ref], None]) -> None:
        """Have `listener` called with the resource of which something new is known."""
        self._listeners.append(listener)

    def write(self, owner: Ref, actions: Iterable[Action], now: datetime) -> None:
        """Record what was decided; a refusal that goes on is recorded once."""
        plan = tuple(actions)
        kept = self._kept.setdefault(owner, deque(maxlen=_KEPT))
        before = self._number, self._waits.get(owner, ())
        self._waits[owner] = tuple(each for each in plan if isinstance(each, Wait))
        for action in plan:
            words = in_words(action)
            if words is None:
                continue
            decision = Decision(
                time=now,
                owner=owner,
                number=self._number + 1,
                what=words[0],
                why=words[1],
                refused=isinstance(action, Refuse),
                confidence_percent=_confidence(action),
            )
            if decision.refused and any(_same(decision, each) for each in kept):
                continue
            self._number = decision.number
            kept.append(decision)
            self._log.append(decision)
            _log.info("decision", owner=str(owner), what=words[0], why=words[1])
        if before != (self._number, self._waits[owner]):
            self._tell(owner)

    def read(self, owner: Ref) -> tuple[Decision, ...]:
        """Return the last decisions, newest first."""
        return tuple(reversed(self._kept.get(owner, ())))

    def waits(self, owner: Ref) -> tuple[Wait, ...]:
        """Return what is waited for since the last plan, and until when."""
        return self._waits.get(owner, ())

    def log(self) -> Iterator[Decision]:
        """Return the last decisions on all resources, also on those that are gone, newest first."""
        return reversed(self._log)

    def forget(self, owner: Ref) -> None:
        """Drop what is known of a resource that is gone; the common log keeps it."""
        self._kept.pop(owner, None)
        self._waits.pop(owner, None)
        self._tell(owner)

    def _tell(self, owner: Ref) -> None:
        for listener in self._listeners:
            listener(owner)


def _confidence(action: Action) -> int | None:
    return action.confidence_percent if isinstance(action, Scale | Refuse) else None


def _same(one: Decision, other: Decision) -> bool:
    return (one.what, one.why) == (other.what, other.why)
