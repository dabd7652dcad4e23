"""What the service reads from its environment."""

from collections.abc import Mapping
from typing import Annotated

import pydantic
from tenfold_runtime import settings

from tenfold_webhooks.sources import SOURCES


def _declared(name: str) -> str:
    if name not in SOURCES:
        raise ValueError(f"no such source; declared are: {', '.join(SOURCES)}")
    return name


Secrets = Annotated[tuple[pydantic.SecretStr, ...], pydantic.Field(min_length=1)]


class Working(settings.UsingRedis):
    """How events are worked on."""

    attempts: int = pydantic.Field(default=8, ge=1)
    """After so many an event that still fails is a dead letter."""
    first_pause_seconds: float = pydantic.Field(default=0.5, gt=0)
    """The pause before the second attempt; it doubles with each, up to the longest."""
    longest_pause_seconds: float = pydantic.Field(default=300.0, gt=0)
    abandoned_seconds: float = pydantic.Field(default=10.0, gt=0)
    """An event that a worker took so long ago is given to another."""
    crashes: int = pydantic.Field(default=3, ge=1)
    """After so many workers that died over it an event is a dead letter."""
    block_seconds: float = pydantic.Field(default=1.0, gt=0)


class Settings(settings.Serving, Working):
    """The service's environment variables."""

    secrets: Mapping[Annotated[str, pydantic.AfterValidator(_declared)], Secrets]
    """As JSON: {"n11": ["new", "old"]}; any of a source's secrets verifies, so that they rotate."""
    tolerance_seconds: float = pydantic.Field(default=300.0, gt=0)
    """How far a webhook's own time may be from ours: the replay window."""
    acknowledging_replicas: int = pydantic.Field(default=0, ge=0)
    """A webhook is accepted when so many replicas of Redis have it."""
    acknowledging_seconds: float = pydantic.Field(default=0.5, gt=0)
    workers: int = pydantic.Field(default=2, ge=0)
    """Workers in this process; with none it only receives."""
