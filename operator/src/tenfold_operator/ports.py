"""What the operator needs of the outside, as protocols; adapters/ holds the real ones."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import Ref
from tenfold_operator.model.observed import Sample, SentinelAnswer, Series, ServerAnswer
from tenfold_operator.plan.actions import Announce


class Rejected(Exception):
    """The other side will not take what it was given; trying again changes nothing."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class Unavailable(Exception):
    """The other side could not be asked, or asks to come back later."""


class Cluster(Protocol):
    """The Kubernetes API. Calls block; they raise Rejected or Unavailable."""

    def get(self, ref: Ref) -> JsonObject | None:
        """Return the object, None when there is none."""

    def find(self, kind: str, namespace: str, selector: str) -> tuple[JsonObject, ...]:
        """Return the objects that the label selector matches; none when the kind is unknown."""

    def apply(self, manifest: JsonObject) -> None:
        """Apply on the server, as the field manager tenfold-operator."""

    def apply_status(self, ref: Ref, status: JsonObject) -> None:
        """Set the status of a custom resource; nothing when it is gone."""

    def create(self, manifest: JsonObject) -> None:
        """Create the object; nothing when it exists."""

    def scale(self, ref: Ref, replicas: int) -> None:
        """Set spec.replicas; nothing when the object is gone."""

    def delete(self, ref: Ref) -> None:
        """Delete the object with what it owns; nothing when it is gone."""

    def record(self, ref: Ref, uid: str, event: Announce, now: datetime) -> None:
        """Record a Kubernetes Event about the object."""


class RedisAdmin(Protocol):
    """Questions to Redis and its Sentinels. Who is silent for `patience` seconds has no answer."""

    async def ask_sentinels(
        self, tier: str, addresses: Mapping[str, str], password: str, patience: float
    ) -> tuple[SentinelAnswer, ...]:
        """Ask each Sentinel (address by pod) which pod is the primary."""

    async def ask_servers(
        self, addresses: Mapping[str, str], password: str, patience: float
    ) -> tuple[ServerAnswer, ...]:
        """Ask each server (address by pod) for its role and replicas."""

    async def listen(self, address: str, password: str, on_change: Callable[[str], None]) -> None:
        """Call `on_change` with the event's name whenever this Sentinel speaks of a failover.

        Returns when the connection is lost.
        """


class Metrics(Protocol):
    """Questions to Prometheus, or whatever speaks PromQL.

    They raise Unavailable when nobody answers, and Rejected for what does not parse.
    """

    async def query(self, expression: str) -> tuple[Sample, ...]:
        """Return the values of an instant vector or a scalar, none when it is empty."""

    async def query_range(
        self, expression: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        """Return the series of the range, none when there is no data."""


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the time in UTC."""
