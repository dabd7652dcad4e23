"""What has to be declared of a marketplace that sends webhooks."""

import dataclasses
from collections.abc import Callable, Mapping

import pydantic

from tenfold_webhooks.events import Event, Status
from tenfold_webhooks.signature import Claim


@dataclasses.dataclass(frozen=True)
class Source:
    """How a marketplace signs, and how its body says what happened."""

    name: str
    claim: Callable[[Mapping[str, str]], Claim]
    """Headers, by lower-case names, to what they claim; raises NotAuthentic."""
    model: type[Event]


def one_of(meanings: Mapping[str, Status]) -> pydantic.BeforeValidator:
    """Return the unit of a status: the marketplace's word to ours."""

    def convert(value: object) -> Status:
        if isinstance(value, str) and value in meanings:
            return meanings[value]
        raise ValueError(f"is none of: {', '.join(meanings)}")

    return pydantic.BeforeValidator(convert)
