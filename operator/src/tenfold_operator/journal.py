"""The last decisions in words, for the console and the log."""

from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

import structlog

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import Ref, ref_of
from tenfold_operator.plan.actions import (
    Action,
    AddPassword,
    Apply,
    Configure,
    Delete,
    DropPasswords,
    Fence,
    HandOver,
    MakePassword,
    Merge,
    Promote,
    Refuse,
    Scale,
    TellSentinels,
)

_KEPT = 20
_log = structlog.get_logger()


@dataclass(frozen=True)
class Decision:
    """One thing that was done or refused."""

    time: datetime
    what: str
    why: str
    refused: bool = False

    def to_json(self) -> JsonObject:
        """Return it for the console's API."""
        return {**asdict(self), "time": self.time.isoformat(timespec="seconds")}


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
        case Fence(pod=pod):
            return f"fence {pod}", action.why
        case Configure(pod=pod, settings=settings):
            words = " ".join(f"{name}={value!r}" for name, value in settings.items())
            return f"set {words} on {pod}", action.why
        case Refuse(reason=reason, message=message):
            return reason, message
    return None


class Journal:
    """The last decisions of each custom resource."""

    def __init__(self) -> None:
        self._decisions: dict[Ref, deque[Decision]] = {}

    def write(self, owner: Ref, actions: Iterable[Action], now: datetime) -> None:
        """Record what was decided; a refusal that goes on is recorded once."""
        kept = self._decisions.setdefault(owner, deque(maxlen=_KEPT))
        for action in actions:
            words = in_words(action)
            if words is None:
                continue
            decision = Decision(now, *words, refused=isinstance(action, Refuse))
            if decision.refused and any(_same(decision, each) for each in kept):
                continue
            kept.append(decision)
            _log.info("decision", owner=str(owner), what=words[0], why=words[1])

    def read(self, owner: Ref) -> tuple[Decision, ...]:
        """Return the last decisions, newest first."""
        return tuple(reversed(self._decisions.get(owner, ())))

    def forget(self, owner: Ref) -> None:
        """Drop what is known of a resource that is gone."""
        self._decisions.pop(owner, None)


def _same(one: Decision, other: Decision) -> bool:
    return (one.what, one.why) == (other.what, other.why)
