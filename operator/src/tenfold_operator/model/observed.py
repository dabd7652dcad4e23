"""What was observed of a Workload and of a RedisTier, typed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import (
    AnomalyDetector,
    RedisBackup,
    RedisRestore,
    RedisTier,
    Workload,
    WorkloadScalingStatus,
)
from tenfold_operator.model.manifest import Ref
from tenfold_operator.model.tier_tls import Certificate, ServedCertificate
from tenfold_operator.model.tier_users import KnownUser, ReadRules, TierUser


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
class Reading:
    """What came of one question to Prometheus."""

    samples: tuple[Sample, ...] = ()
    trouble: str = ""
    """Why there is no answer; empty when there is one."""
    is_invalid: bool = False
    """Whether the question itself was refused: it does not parse, or answers no numbers."""


@dataclass(frozen=True, kw_only=True)
class Readings:
    """The answers that a judgement is made on, by the name of the question."""

    time: datetime
    by_name: Mapping[str, Reading]


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
    is_stuck: bool = False
    """Whether the Deployment says that its pods do not get ready in time."""
    restarts: int = 0
    """How often containers of its pods ended and were started again."""
    trouble: str = ""
    """What the Deployment and its pods complain of."""


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
class Peer:
    """Another Workload of the same group."""

    name: str
    step: int | None
    """The step that its rollout is at; None when it does not roll out."""
    done: bool
    """Whether that step is passed but for the group."""
    failed_at: datetime | None
    """When it gave up the revision that its template asks for."""
    failure: str = ""

    def is_behind(self, step: int) -> bool:
        """Tell whether its rollout has not passed this step yet."""
        return self.step is not None and (self.step, self.done) < (step, True)


@dataclass(frozen=True, kw_only=True)
class WorkloadView:
    """Everything that a plan for a Workload depends on."""

    workload: Workload
    revisions: tuple[Revision, ...]
    route: Route | None
    budget: JsonObject | None
    config: Mapping[str, str] = field(default_factory=dict)
    """Digests of the ConfigMaps and Secrets that the template names, by kind and name."""
    readings: Readings | None = None
    """What Prometheus said last; None where it was not asked."""
    peers: tuple[Peer, ...] = ()
    scaling: WorkloadScalingStatus | None = None
    """What scaling decided last; None where it is off or has not decided yet."""

    @property
    def total(self) -> int:
        """Pods for all of the traffic."""
        spec = self.workload.spec
        acts = spec.scaling is not None and spec.scaling.mode == "Auto"
        decided = self.scaling.replicas if self.scaling and acts else None
        return spec.replicas if decided is None else decided

    @property
    def live(self) -> Mapping[str, int]:
        """Weights of the revisions that the live route names."""
        return {each.revision: each.weight for each in (self.route.backends if self.route else ())}


Role = Literal["primary", "replica", "unknown"]


@dataclass(frozen=True)
class SentinelAnswer:
    """What a Sentinel says of the tier."""

    pod: str
    primary: str | None
    """The pod that it names as the primary; None when it did not answer or knows none."""
    is_failing_over: bool = False
    """Whether it holds the primary for down, or replaces it just now."""
    timers: tuple[int, int] | None = None
    """Milliseconds: a silent server is down, a failover is given up."""
    replicas: int = 0
    """How many replicas it has learnt of; it asks the primary every ten seconds."""
    passwords: frozenset[str] = frozenset()
    """Digests of those that it takes."""


@dataclass(frozen=True)
class Follower:
    """A replica as its primary sees it."""

    pod: str
    online: bool
    lag: int
    """Seconds since its last acknowledgement."""
    offset: int = 0
    """How far it has acknowledged the stream of writes, in bytes."""


Probe: TypeAlias = Mapping[str, float]
"""Seconds until each server answered in one look; infinite for one that did not."""


@dataclass(frozen=True)
class ServerAnswer:
    """What a Redis server says of itself; role unknown when it did not answer."""

    pod: str
    role: Role
    followers: tuple[Follower, ...] = ()
    upstream: str = ""
    """The pod that a replica is connected to; empty while it is not."""
    offset: int = 0
    """How far it has come in the stream of writes, in bytes."""
    history: str = ""
    """Names the stream; servers with the same one hold the same writes up to the lower offset."""
    earlier_history: str = ""
    """The stream that it followed before it was promoted."""
    earlier_end: int = 0
    """How far it had come in that stream when it was promoted."""
    keys: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    """The settings that may change while it runs, as CONFIG GET names them."""
    passwords: frozenset[str] = frozenset()
    """Digests of those that it takes from the operator and from the other servers."""
    users: Mapping[str, KnownUser] = field(default_factory=dict)
    """Those with a name of their own."""
    follows_by: str = ""
    """Digest of the one by which it follows a primary."""
    seconds: float = math.inf
    """How long its answer took."""


Slots: TypeAlias = int
"""A set of a Redis Cluster's 16384 slots: bit N is set when slot N is in it."""


@dataclass(frozen=True, kw_only=True)
class ClusterNode:
    """A node of a Redis Cluster, as one of the servers sees it."""

    id: str
    pod: str
    """By the host name that it announces; empty while the server does not know it."""
    address: str
    flags: frozenset[str]
    primary: str
    """Id of the node that it replicates; empty for a primary."""
    epoch: int
    """Of two that claim a slot, the one with the higher epoch has it."""
    slots: Slots


@dataclass(frozen=True, kw_only=True)
class Member:
    """What a server of a Redis Cluster says of itself and of the others."""

    server: ServerAnswer
    id: str
    nodes: tuple[ClusterNode, ...]
    """All that it knows, itself among them."""
    leaving: Mapping[int, str]
    """Slots that it is giving away, and the id of the node that they go to."""
    coming: Mapping[int, str]
    """Slots that it is taking over, and the id of the node that they come from."""
    is_ok: bool
    """Whether it serves: cluster_state is ok."""
    source: str = ""
    """Address at which it looks for its primary; empty for a primary."""

    @property
    def pod(self) -> str:
        """Its pod."""
        return self.server.pod

    @property
    def own(self) -> ClusterNode:
        """Itself among the nodes."""
        return next(each for each in self.nodes if each.id == self.id)


@dataclass(frozen=True)
class TierPod:
    """The pod of a Redis server or of a Sentinel."""

    name: str
    address: str
    """Empty while it does not run."""
    is_ready: bool
    is_ending: bool
    revision: str
    """Of the template that it was made from."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The claim of a Redis server's volume; sizes as Kubernetes writes them."""

    name: str
    requested: str
    capacity: str
    """What the volume has; empty while there is none."""
    storage_class: str
    notes: str = ""
    """What its conditions say: what resizing waits for, or why it failed."""


@dataclass(frozen=True, kw_only=True)
class TierView:
    """Everything that a plan for a RedisTier depends on."""

    tier: RedisTier
    objects: dict[Ref, JsonObject]
    """The objects that the tier owns."""
    has_password: bool
    passwords: tuple[str, ...] = ()
    """Digests of the Secret's password and, while it changes, of the previous one."""
    sentinels: tuple[SentinelAnswer, ...] = ()
    servers: tuple[ServerAnswer, ...] = ()
    members: tuple[Member, ...] = ()
    """The servers of a cluster that answered."""
    pods: tuple[TierPod, ...] = ()
    """The pods of the servers and of the Sentinels that exist."""
    claims: tuple[Claim, ...] = ()
    """Those of servers that went too: they keep the data until somebody deletes them."""
    growable: frozenset[str] = frozenset()
    """StorageClasses whose volumes may grow, of those that have volumes which should."""
    trouble: str = ""
    """Why the last thing that was done to the servers did not work."""
    certificate: Certificate | None = None
    """What the Secret of spec.tls holds; None without TLS."""
    served: Mapping[str, ServedCertificate] = field(default_factory=dict)
    """What the servers show, by pod, of those that answered."""
    users: tuple[TierUser, ...] = ()
    """Those that the spec names."""
    rules: Mapping[str, ReadRules] = field(default_factory=dict)
    """What each server makes of their rules, by pod, of those that answered."""
    detectors: Mapping[str, AnomalyDetector | None] = field(default_factory=dict)
    """Those that the spec names; None where there is none of that name."""
    probes: tuple[Probe, ...] = ()
    """Since one of them sees an anomaly, the newest last."""


@dataclass(frozen=True)
class JobAnswer:
    """A Job that has ended."""

    name: str
    ended: datetime
    succeeded: bool
    result: JsonObject
    """What its container said at the end."""


@dataclass(frozen=True, kw_only=True)
class BackupView:
    """Everything that a plan for a RedisBackup depends on."""

    backup: RedisBackup
    objects: dict[Ref, JsonObject]
    jobs: tuple[JobAnswer, ...]
    tier: RedisTier | None
    """The one that is backed up; None when there is no such tier."""


@dataclass(frozen=True, kw_only=True)
class RestoreView:
    """Everything that a plan for a RedisRestore depends on."""

    restore: RedisRestore
    backup: RedisBackup | None
    objects: dict[Ref, JsonObject]
    jobs: tuple[JobAnswer, ...]
    tier: RedisTier | None
    """The one that it goes into or, for a drill, that was backed up."""


@dataclass(frozen=True)
class Login:
    """How one shows who one is to a server or Sentinel, and is shown who that is."""

    passwords: tuple[str, ...] = field(repr=False)
    """The one that counts and, while it changes, the previous one."""
    authority: str = ""
    """Who may sign the other side's certificate, in PEM; empty without TLS."""


@dataclass(frozen=True)
class TierAccess:
    """How the servers and Sentinels of a tier are reached."""

    namespace: str
    tier: str
    login: Login
    servers: Mapping[str, str]
    """Address by pod, of those that run."""
    sentinels: Mapping[str, str]
    domain: str
    """Of the servers' names: POD.DOMAIN is what they call each other."""

    @property
    def password(self) -> str:
        """The one that counts."""
        return self.login.passwords[0]
