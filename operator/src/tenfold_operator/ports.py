"""What the operator needs of the outside, as protocols; adapters/ holds the real ones."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import Ref
from tenfold_operator.model.observed import (
    Login,
    Member,
    Sample,
    SentinelAnswer,
    Series,
    ServerAnswer,
    Slots,
    TierAccess,
)
from tenfold_operator.model.tier_tls import ServedCertificate
from tenfold_operator.model.tier_users import ReadRules, UserSetting
from tenfold_operator.plan.actions import Announce
from tenfold_operator.plan.reachability import Node


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

    def merge(self, ref: Ref, patch: JsonObject) -> None:
        """Merge a patch into an object, null removes a field; nothing when the object is gone."""

    def delete(self, ref: Ref, *, alone: bool = False) -> None:
        """Delete the object with what it owns, or alone; nothing when it is gone."""

    def record(self, ref: Ref, uid: str, event: Announce, now: datetime) -> None:
        """Record a Kubernetes Event about the object."""


class RedisAdmin(Protocol):
    """Redis and its Sentinels. Who is silent for `patience` seconds has no answer."""

    async def ask_sentinels(self, tier: TierAccess, patience: float) -> tuple[SentinelAnswer, ...]:
        """Ask each Sentinel which pod is the primary, and how it is."""

    async def ask_servers(self, tier: TierAccess, patience: float) -> tuple[ServerAnswer, ...]:
        """Ask each server for its role, its replicas and how far it has come."""

    async def ask_members(self, tier: TierAccess, patience: float) -> tuple[Member, ...]:
        """Ask each server of a cluster about itself and the others; without those silent."""

    async def introduce(self, tier: TierAccess, pod: str, others: Sequence[str]) -> str:
        """Have `pod` meet the others where they are now; return why it was not done."""

    async def assign_slots(
        self, tier: TierAccess, pod: str, unassigned: Slots, orphaned: Mapping[str, Slots]
    ) -> str:
        """Give slots to `pod` that nobody holds, or a node that is gone; return why not."""

    async def replicate(self, tier: TierAccess, pod: str, primary: str) -> str:
        """Have `pod` follow the pod `primary`; return why it was not done."""

    async def forget_nodes(self, tier: TierAccess, ids: Sequence[str]) -> str:
        """Have every server forget these nodes; return why it was not done."""

    async def settle_slots(self, tier: TierAccess, pod: str, held: Slots) -> str:
        """Have `pod` take slots for neither leaving nor coming; return why it was not done."""

    async def move_slots(
        self, tier: TierAccess, source: str, target: str, held: Slots
    ) -> tuple[int, str]:
        """Move slots with their keys for a while; return how many, and why not all."""

    async def hand_over(self, tier: TierAccess, primary: str, target: str) -> str:
        """Make `target` the primary; return why it was not done, empty when it was.

        The clients of the former primary stay paused until `follow`.
        """

    async def tell_sentinels(self, tier: TierAccess, primary: str) -> None:
        """Have every Sentinel that answers name `primary`."""

    async def follow(self, tier: TierAccess, primary: str, former: str) -> None:
        """Let the clients of `former` go on, and every other server follow `primary`."""

    async def promote(self, tier: TierAccess, target: str) -> str:
        """Make `target` a primary, whoever else is one; return why it was not done."""

    async def fence(self, tier: TierAccess, pod: str) -> str:
        """Have a server take no more writes; return why it was not done."""

    async def configure(self, tier: TierAccess, pod: str, settings: Mapping[str, str]) -> str:
        """Change settings of a running server; return why it was not done."""

    async def set_timers(
        self, tier: TierAccess, sentinel: str, down_after: int, failover_timeout: int
    ) -> str:
        """Change a Sentinel's timers, in milliseconds; return why it was not done."""

    async def add_password(self, tier: TierAccess) -> None:
        """Have everybody take the first password beside the one that he knows, and use it."""

    async def drop_passwords(self, tier: TierAccess) -> None:
        """Have everybody take the first password alone."""

    async def ask_certificates(
        self, tier: TierAccess, patience: float
    ) -> Mapping[str, ServedCertificate]:
        """Ask each server for the certificate that it shows; without those silent."""

    async def read_rules(
        self, tier: TierAccess, rules: Mapping[str, str], patience: float
    ) -> Mapping[str, ReadRules]:
        """Ask each server what it makes of users' rules; nobody gets them by that."""

    async def set_users(
        self, tier: TierAccess, pod: str, users: Sequence[UserSetting], gone: Sequence[str]
    ) -> str:
        """Have a server know `users` as they are here, and forget `gone`; return why not."""

    async def listen(self, address: str, login: Login, on_change: Callable[[str], None]) -> None:
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


class NodeCluster(Protocol):
    """What the node guard needs of the Kubernetes API."""

    def find(self, kind: str, namespace: str, selector: str) -> tuple[JsonObject, ...]:
        """Return the objects that the label selector matches; nodes in the namespace ""."""

    def merge_status(self, ref: Ref, status: JsonObject) -> None:
        """Merge into the status of a built-in object, lists by key; nothing when it is gone."""


class JobCluster(Protocol):
    """What Jobs of trainings need of the Kubernetes API.

    Calls block; they raise Rejected or Unavailable.
    """

    def get(self, ref: Ref) -> JsonObject | None:
        """Return the object, None when there is none."""

    def find(self, kind: str, namespace: str, selector: str) -> tuple[JsonObject, ...]:
        """Return the objects that the label selector matches."""

    def create(self, manifest: JsonObject) -> None:
        """Create the object; nothing when it exists."""

    def delete(self, ref: Ref) -> None:
        """Delete the object with what it owns; nothing when it is gone."""

    def read_log(self, pod: Ref, most_bytes: int) -> str:
        """Return what a pod's only container has printed, cut at so many bytes."""


Probe = Callable[[Node, float], Awaitable[bool | None]]
"""Tells whether a node answers within so many seconds; None when that cannot be told."""
