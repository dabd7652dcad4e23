"""Searching the decision log."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tenfold_operator.console.source import decision_view
from tenfold_operator.console.views import Decisions
from tenfold_operator.journal import Decision, Journal

_Text = Annotated[str, Field(max_length=200)]


class Search(BaseModel):
    """What to look for; what is left out matches everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: _Text = ""
    """Words that all occur, in any case, in the resource's name, in what was done or in why."""
    kind: _Text = ""
    namespace: _Text = ""
    name: _Text = ""
    refused: bool | None = None
    before: int | None = None
    """Only decisions with a smaller number: the next page."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


def search(journal: Journal, wanted: Search) -> Decisions:
    """Return the newest decisions that match."""
    found = list(islice(_matches(journal, wanted), wanted.limit + 1))
    page = found[: wanted.limit]
    return Decisions(
        decisions=tuple(map(decision_view, page)),
        next_before=page[-1].number if len(found) > wanted.limit else None,
    )


def _matches(journal: Journal, wanted: Search) -> Iterator[Decision]:
    words = wanted.text.lower().split()
    for each in journal.log():
        owner = each.owner
        told = f"{owner.kind} {owner.namespace}/{owner.name} {each.what} {each.why}".lower()
        if (
            (wanted.before is None or each.number < wanted.before)
            and wanted.kind in ("", owner.kind)
            and wanted.namespace in ("", owner.namespace)
            and wanted.name in ("", owner.name)
            and wanted.refused in (None, each.refused)
            and all(word in told for word in words)
        ):
            yield each
