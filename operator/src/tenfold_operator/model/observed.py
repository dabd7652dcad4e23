"""What was observed of a Workload and of a RedisTier, typed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import RedisTier, Workload
from tenfold_operator.model.manifest import Ref


@dataclass(frozen=True)
class Sample:
    """One value that Prometheus answered."""

    labels: Mapping[str, str]
    time: float
    """Unix seconds."""
    value: float
    """May be NaN or infinite."""


@dataclass(frozen=True)
class Series:
    """The values of one series over a range, oldest first; gaps are left out."""

    labels: Mapping[str, str]
    times: tuple[float, ...]
    """Unix seconds."""
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Revision:
    """A revision of a Workload: its Deployment and Service as they are."""

    name: str
    """The hash of the template."""
    deployment: JsonObject
    service: JsonObject | None
    replicas: int
    """Pods wanted of the Deployment."""
    pods: int
    """Pods that exist and do not end."""
    ready: int
    """Pods that are ready and run the Deployment's present template."""
    endpoints: int
    """Addresses that the Service gives out as ready."""
    created: datetime
    trouble: str = ""
    """What the Deployment complains of."""


@dataclass(frozen=True)
class Backend:
    """One of the backends that the live route names."""

    revision: str
    port: int
    weight: int


@dataclass(frozen=True, kw_only=True)
class Route:
    """The HTTPRoute as it is, and what its Gateway says of it."""

    manifest: JsonObject
    generation: int
    backends: tuple[Backend, ...]
    accepted: bool | None
    """Whether the Gateway accepts this generation; None while it has not said so."""
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class WorkloadView:
    """Everything that a plan for a Workload depends on."""

    workload: Workload
    revisions: tuple[Revision, ...]
    route: Route | None
    budget: JsonObject | None


Role = Literal["primary", "replica", "unknown"]


@dataclass(frozen=True)
class SentinelAnswer:
    """Which pod a Sentinel names as the primary; None when it did not answer or knows none."""

    pod: str
    primary: str | None


@dataclass(frozen=True)
class Follower:
    """A replica as its primary sees it."""

    pod: str
    online: bool
    lag: int
    """Seconds since its last acknowledgement."""


@dataclass(frozen=True)
class ServerAnswer:
    """What a Redis server says of itself; role unknown when it did not answer."""

    pod: str
    role: Role
    followers: tuple[Follower, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TierView:
    """Everything that a plan for a RedisTier depends on."""

    tier: RedisTier
    objects: dict[Ref, JsonObject]
    """The objects that the tier owns."""
    has_password: bool
    sentinels: tuple[SentinelAnswer, ...] = ()
    servers: tuple[ServerAnswer, ...] = ()
