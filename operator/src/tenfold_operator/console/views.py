"""What the console's API answers, as models; openapi.py describes them."""

from typing import Literal, TypeAlias

from pydantic import AwareDatetime

from tenfold_operator.model.base import Model
from tenfold_operator.model.generated import (
    AnomalyDetectorSpec,
    AnomalyDetectorStatus,
    Condition,
    RedisBackupStatus,
    RedisRestoreStatus,
    RedisTierStatus,
    WorkloadFailedRevision,
    WorkloadProgress,
    WorkloadRollout,
    WorkloadScalingStatus,
)

State: TypeAlias = Literal["good", "working", "bad", "unknown"]
"""Fine; something goes on that will end; a person should look; not known."""

Role: TypeAlias = Literal["stable", "target", "failed", "drains", "kept"]
"""What a revision is to the rollout."""


class Summary(Model):
    """A resource in one line."""

    kind: str
    namespace: str
    name: str
    state: State
    reason: str = ""
    """Why, in one CamelCase word."""
    headline: str = ""
    """What goes on, in words."""
    since: AwareDatetime | None = None
    """When the state last changed."""


class WorkloadSummary(Summary):
    """A Workload in one line."""

    stable: str = ""
    target: str = ""
    weight: int | None = None
    """Share of the traffic that a rollout gives the target, in percent."""
    step: int | None = None
    """The present step of a rollout, counted from 1."""
    steps: int | None = None
    ready: int = 0
    """Pods ready, over all revisions."""
    wanted: int = 0
    """Pods wanted for all of the traffic."""
    model: str = ""
    """Version of the model that forecasts its load; empty where none does."""
    challenger: str = ""
    """Version of the one that is tried beside it."""
    model_note: str = ""
    """How the models do, in words."""
    confidence_percent: int | None = None
    """Confidence of the forecast."""


class TierSummary(Summary):
    """A RedisTier in one line."""

    primary: str = ""
    in_sync: int = 0
    """Replicas connected to the primary."""
    replicas: int = 0
    """Replicas wanted."""
    sentinels_agreeing: int = 0
    """Sentinels that name the same primary."""
    sentinels: int = 0
    """Sentinels in all; none in a cluster."""
    shards: int = 0
    """Shards of a cluster."""
    last_failover: AwareDatetime | None = None


class DetectorSummary(Summary):
    """An AnomalyDetector in one line."""

    verdict: str = "Unknown"
    score: float | None = None
    """Of the newest row; above 1 it is anomalous."""
    model: str = ""
    """Version of the model."""


class JobSummary(Summary):
    """A RedisBackup or RedisRestore in one line."""

    tier: str = ""
    """The RedisTier that it copies from or into."""
    last_good: AwareDatetime | None = None
    """When it last succeeded."""


AnySummary: TypeAlias = WorkloadSummary | TierSummary | DetectorSummary | JobSummary | Summary


class Overview(Model):
    """Every resource in one line, and up to which change they are told."""

    last_event: str
    """Id of the last server-sent event that is in it."""
    resources: tuple[AnySummary, ...]


class Change(Model):
    """A resource of which something new is known, in a server-sent event."""

    kind: str
    namespace: str
    name: str
    summary: AnySummary | None
    """None when it is gone."""


class DecisionView(Model):
    """One thing that the operator did or refused."""

    number: int
    """Counted from 1 since the operator started; older than 2000 are gone."""
    time: AwareDatetime
    kind: str
    namespace: str
    name: str
    what: str
    why: str
    refused: bool
    means: str = ""
    """What the reason of a refusal means, in words; empty for one that has none."""
    confidence_percent: int | None = None
    """How sure the forecast or measurement behind it is; absent where nothing was estimated."""


class Decisions(Model):
    """Decisions, newest first."""

    decisions: tuple[DecisionView, ...]
    next_before: int | None = None
    """`before` for the next page; absent when this is the last one."""


class Waiting(Model):
    """What the operator waits for."""

    what: str
    until: AwareDatetime | None = None
    """When it acts at the latest; absent when an event will tell."""


class RevisionView(Model):
    """A revision of a Workload that exists."""

    name: str
    role: Role
    images: tuple[str, ...]
    weight: int
    """Share of the traffic in percent, as the route says."""
    replicas: int
    ready: int
    created_at: AwareDatetime | None = None


class Explanation(Model):
    """A reason in words for somebody who sees it for the first time."""

    reason: str
    means: str
    advice: str


class Failure(Model):
    """A revision that was given up, and why."""

    failed: WorkloadFailedRevision
    explanation: Explanation
    images: tuple[str, ...]
    """Its images; none where its Deployment is gone."""
    is_target: bool
    """Whether the template still asks for it."""


class WorkloadDetail(Model):
    """Everything that is known of a Workload."""

    summary: WorkloadSummary
    explanation: Explanation
    """Of what the rollout does or waits for."""
    rollout: WorkloadRollout
    progress: WorkloadProgress | None = None
    waiting: tuple[Waiting, ...]
    revisions: tuple[RevisionView, ...]
    failures: tuple[Failure, ...]
    """Newest first."""
    conditions: tuple[Condition, ...]
    scaling: WorkloadScalingStatus | None = None
    decisions: tuple[DecisionView, ...]


class PodView(Model):
    """A pod of a tier."""

    name: str
    is_ready: bool
    node: str = ""


class Copies(Model):
    """Backups or restores of a tier, with what they say."""

    summary: JobSummary
    mode: str = ""
    """Of a restore: copy, replace or drill."""
    schedule: str = ""
    """In cron form; empty for once."""
    backup: RedisBackupStatus | None = None
    restore: RedisRestoreStatus | None = None


class TierDetail(Model):
    """Everything that is known of a RedisTier."""

    summary: TierSummary
    explanation: Explanation
    memory: str
    eviction_policy: str
    persistence: str
    status: RedisTierStatus
    servers: tuple[PodView, ...]
    sentinels: tuple[PodView, ...]
    waiting: tuple[Waiting, ...]
    copies: tuple[Copies, ...]
    """Its backups, restores and drills."""
    hand_overs: tuple[DecisionView, ...]
    """Hand-overs and promotions that were decided or refused since the operator started."""
    decisions: tuple[DecisionView, ...]


class DetectorDetail(Model):
    """Everything that is known of an AnomalyDetector."""

    summary: DetectorSummary
    explanation: Explanation
    spec: AnomalyDetectorSpec
    status: AnomalyDetectorStatus
    waiting: tuple[Waiting, ...]
    decisions: tuple[DecisionView, ...]


LineRole: TypeAlias = Literal["stable", "target", "failed", "other", "expected", "lower", "upper"]
"""What a series is to its chart; `lower` and `upper` are the ends of a band."""


class Line(Model):
    """One series of a chart."""

    name: str
    role: LineRole
    values: tuple[float | None, ...]
    """One for each time of the chart; null where there is none."""


class Chart(Model):
    """Values over time."""

    key: str
    title: str
    unit: str
    """percent, per second, milliseconds, pods, score, bytes, seconds or empty."""
    bound: float | None = None
    """What the values are judged against."""
    bound_name: str = ""
    lines: tuple[Line, ...]


class Mark(Model):
    """Something that happened at a time."""

    time: AwareDatetime
    name: str
    state: State


class History(Model):
    """Charts of a resource over the same times."""

    start: AwareDatetime
    end: AwareDatetime
    step_seconds: int
    times: tuple[int, ...]
    """Unix seconds."""
    charts: tuple[Chart, ...]
    marks: tuple[Mark, ...] = ()
    trouble: str = ""
    """Why there is nothing: Prometheus' words."""


class Problem(Model):
    """Why a request was not answered."""

    title: str
    detail: str
