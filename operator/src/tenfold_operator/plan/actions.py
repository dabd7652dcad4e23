"""The actions that a plan may consist of. What was refused is one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import Ref
from tenfold_operator.model.observed import Slots
from tenfold_operator.model.tier_users import UserSetting


@dataclass(frozen=True, kw_only=True)
class Apply:
    """Bring an object to this state by server-side apply."""

    manifest: JsonObject
    is_new: bool
    """Whether no such object of the same owner was seen; then a foreign one is not touched."""
    why: str


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Give a Deployment another number of pods."""

    ref: Ref
    replicas: int
    why: str
    confidence_percent: int | None = None
    """How sure the forecast behind it is; None where there is none."""


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Change fields of an object, also those that an Apply cannot take away (null)."""

    ref: Ref
    patch: JsonObject
    why: str


@dataclass(frozen=True, kw_only=True)
class Delete:
    """Delete an object."""

    ref: Ref
    why: str
    alone: bool = False
    """Whether what it owns stays, for another one to take it over."""


@dataclass(frozen=True, kw_only=True)
class MakePassword:
    """Create a Secret with a random password under the key `password`."""

    manifest: JsonObject
    """The Secret without its data."""
    why: str


@dataclass(frozen=True, kw_only=True)
class HandOver:
    """Move a tier's primary to a replica without losing a write, and the Service with it."""

    primary: str
    target: str
    service: JsonObject
    """The Service of the primary, as it leads to the target."""
    why: str


@dataclass(frozen=True, kw_only=True)
class Promote:
    """Make a server the primary where no majority of the Sentinels can, and the Service with it."""

    target: str
    service: JsonObject
    why: str


@dataclass(frozen=True, kw_only=True)
class TellSentinels:
    """Have the Sentinels name this pod as the primary."""

    primary: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Fence:
    """Have a server take no more writes."""

    pod: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Configure:
    """Change settings of a running server."""

    pod: str
    settings: Mapping[str, str]
    """As CONFIG SET takes them."""
    why: str


@dataclass(frozen=True, kw_only=True)
class SetTimers:
    """Change when a running Sentinel acts."""

    sentinel: str
    down_after_milliseconds: int
    failover_timeout_milliseconds: int


@dataclass(frozen=True, kw_only=True)
class AddPassword:
    """Have servers and Sentinels take the Secret's password beside the one that they know."""

    why: str


@dataclass(frozen=True, kw_only=True)
class DropPasswords:
    """Have servers and Sentinels take the Secret's password alone."""

    why: str


@dataclass(frozen=True, kw_only=True)
class SetUsers:
    """Have a server know users as they are here, and forget others."""

    pod: str
    users: tuple[UserSetting, ...]
    gone: tuple[str, ...]
    why: str


@dataclass(frozen=True, kw_only=True)
class Introduce:
    """Have a server of a Redis Cluster make the acquaintance of others."""

    pod: str
    others: tuple[str, ...]
    why: str


@dataclass(frozen=True, kw_only=True)
class AssignSlots:
    """Give slots that nobody has, or whose only holder is gone for good, to a primary."""

    pod: str
    unassigned: Slots
    orphaned: Mapping[str, Slots]
    """By the id of the holder that is gone."""
    why: str


@dataclass(frozen=True, kw_only=True)
class Replicate:
    """Have a server that holds nothing follow a shard's primary."""

    pod: str
    primary: str
    """Pod of the primary."""
    why: str


@dataclass(frozen=True, kw_only=True)
class ForgetNodes:
    """Have every server forget nodes that are gone for good and hold no slot."""

    ids: tuple[str, ...]
    why: str


@dataclass(frozen=True, kw_only=True)
class SettleSlots:
    """Have a server take slots for neither leaving nor coming."""

    pod: str
    slots: Slots
    why: str


@dataclass(frozen=True, kw_only=True)
class MoveSlots:
    """Move slots with their keys from one primary to another while clients go on.

    As many as a short time allows: what is left is found by the next look.
    """

    source: str
    target: str
    slots: Slots
    why: str


@dataclass(frozen=True, kw_only=True)
class SetStatus:
    """Write the status of a custom resource."""

    ref: Ref
    status: JsonObject


@dataclass(frozen=True, kw_only=True)
class Announce:
    """Record a Kubernetes Event."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Wait:
    """Do nothing for now."""

    reason: str
    until: datetime | None = None
    """When to look again at the latest; None when an event will tell."""


@dataclass(frozen=True, kw_only=True)
class Refuse:
    """Something was asked for that must not be done now."""

    reason: str
    """One CamelCase word."""
    message: str
    confidence_percent: int | None = None
    """How sure the measurement behind it is; None where nothing was estimated."""


ClusterAction: TypeAlias = (
    Introduce | AssignSlots | Replicate | ForgetNodes | SettleSlots | MoveSlots
)
"""What is done to the servers of a Redis Cluster."""
RedisAction: TypeAlias = (
    HandOver
    | Promote
    | TellSentinels
    | Fence
    | Configure
    | SetTimers
    | AddPassword
    | DropPasswords
    | SetUsers
    | ClusterAction
)
"""What is done to the servers and Sentinels of a tier themselves."""
Action: TypeAlias = (
    Apply
    | Scale
    | Merge
    | Delete
    | MakePassword
    | RedisAction
    | SetStatus
    | Announce
    | Wait
    | Refuse
)
Plan: TypeAlias = tuple[Action, ...]
