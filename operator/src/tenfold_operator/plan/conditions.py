"""Status conditions in the usual Kubernetes form, and the events of their transitions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tenfold_operator.model.generated import Condition
from tenfold_operator.plan.actions import Announce

State = Literal["True", "False", "Unknown"]


@dataclass(frozen=True)
class Verdict:
    """What a condition says now."""

    type: str
    status: State
    reason: str
    message: str


def update(
    before: Iterable[Condition], verdicts: Sequence[Verdict], generation: int, now: datetime
) -> tuple[Condition, ...]:
    """Return the conditions for `verdicts`; the transition time moves only with the status."""
    known = {each.type: each for each in before}
    return tuple(
        Condition(
            type=verdict.type,
            status=verdict.status,
            reason=verdict.reason,
            message=verdict.message,
            observed_generation=generation,
            last_transition_time=_since(known.get(verdict.type), verdict, now),
        )
        for verdict in verdicts
    )


def _since(before: Condition | None, verdict: Verdict, now: datetime) -> datetime:
    same = before is not None and before.status == verdict.status
    return before.last_transition_time if before and same else now.replace(microsecond=0)


def transitions(before: Iterable[Condition], after: Iterable[Condition]) -> tuple[Announce, ...]:
    """Return an event for each condition whose status or reason changed."""
    known = {each.type: (each.status, each.reason) for each in before}
    return tuple(
        Announce(
            type="Warning" if each.status == "False" and each.type in known else "Normal",
            reason=each.reason,
            message=f"{each.type} is {each.status}: {each.message}",
        )
        for each in after
        if known.get(each.type) != (each.status, each.reason)
    )


def find(conditions: Iterable[Condition], type_: str) -> Condition | None:
    """Return the condition of this type."""
    return next((each for each in conditions if each.type == type_), None)
