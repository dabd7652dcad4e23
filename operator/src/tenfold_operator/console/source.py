"""What is known now, for whoever shows it."""

from collections.abc import Iterable
from datetime import datetime

from tenfold_operator.adapters.store import Store
from tenfold_operator.console.reasons import explain
from tenfold_operator.console.views import DecisionView, State, Waiting
from tenfold_operator.journal import Decision, Journal
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import Condition
from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan import conditions

NOT_LOOKED = "the operator has not looked at it yet"


class Source:
    """The store and the journal, read together."""

    def __init__(self, store: Store, journal: Journal) -> None:
        self.store = store
        self.journal = journal

    def manifest(self, ref: Ref) -> JsonObject | None:
        """Return the resource as it was last seen."""
        return self.store.get(ref)

    def waiting(self, ref: Ref) -> tuple[Waiting, ...]:
        """Return what a resource waits for."""
        found = self.journal.waits(ref)
        return tuple(Waiting(what=each.reason, until=each.until) for each in found)

    def decisions(self, ref: Ref) -> tuple[DecisionView, ...]:
        """Return the last decisions on a resource, newest first."""
        return tuple(map(decision_view, self.journal.read(ref)))


def decision_view(decision: Decision) -> DecisionView:
    """Return a decision as the API tells it."""
    owner = decision.owner
    return DecisionView(
        number=decision.number,
        time=decision.time,
        kind=owner.kind,
        namespace=owner.namespace,
        name=owner.name,
        what=decision.what,
        why=decision.why,
        refused=decision.refused,
        means=explain(decision.what).means if decision.refused else "",
        confidence_percent=decision.confidence_percent,
    )


def since(found: Iterable[Condition], type_: str = "Ready") -> datetime | None:
    """Return when a condition last changed."""
    condition = conditions.find(found, type_)
    return condition.last_transition_time if condition else None


def state_of(condition: Condition | None, passing: Iterable[str] = ()) -> State:
    """Return the state that a Ready condition says; `passing` are those that end."""
    if condition is None or condition.status == "Unknown":
        return "unknown"
    if condition.status == "True":
        return "good"
    return "working" if condition.reason in passing else "bad"
