"""The operator's own Prometheus metrics."""

from datetime import datetime

from prometheus_client import Counter, Gauge, Histogram

from tenfold_operator.model.generated import WorkloadProgress
from tenfold_operator.model.observed import WorkloadView
from tenfold_operator.plan.rollout import Rollout, look

RECONCILE_SECONDS = Histogram(
    "tenfold_reconcile_duration_seconds",
    "Time from observing to having applied, by kind of resource.",
    ["kind"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
RECONCILE_ERRORS = Counter(
    "tenfold_reconcile_errors_total",
    "Reconciliations that failed, by kind and by cause (rejected, unavailable, bug).",
    ["kind", "cause"],
)
ACTIONS = Counter(
    "tenfold_actions_total",
    "Actions carried out, by kind of resource and action.",
    ["kind", "action"],
)
QUEUE_DEPTH = Gauge("tenfold_queue_depth", "Resources that wait to be reconciled.")
QUEUE_SECONDS = Histogram(
    "tenfold_queue_wait_seconds",
    "Time from an event to the start of its reconciliation.",
    buckets=(0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30),
)
PRIMARY_CHANGES = Counter(
    "tenfold_redis_primary_changes_total",
    "How often the primary of a tier, or of one of its shards, moved to another pod.",
    ["namespace", "tier"],
)
SLOTS_MOVED = Counter(
    "tenfold_redis_slots_moved_total",
    "Slots of a Redis Cluster that were moved to another shard.",
    ["namespace", "tier"],
)
ROLLOUT_SECONDS = Histogram(
    "tenfold_rollout_duration_seconds",
    "Time from a new revision to its end, by result: RolledOut, Replaced, or why it was given up.",
    ["namespace", "workload", "result"],
    buckets=(5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400),
)
VERDICTS = Counter(
    "tenfold_rollout_verdicts_total",
    "Verdicts on metrics of new revisions, by outcome.",
    ["namespace", "workload", "metric", "outcome"],
)
SCALING_CHANGES = Counter(
    "tenfold_scaling_changes_total",
    "Decisions for another number of pods, by direction: Out or In.",
    ["namespace", "workload", "direction"],
)
SCALING_ERRORS = Counter(
    "tenfold_scaling_errors_total", "Decisions that failed by a bug; the number of pods holds."
)
TRAININGS = Counter(
    "tenfold_forecast_trainings_total", "Trainings of forecasts, by result.", ["result"]
)
TRAINING_SECONDS = Histogram(
    "tenfold_forecast_training_duration_seconds",
    "Time from the question to Prometheus to a model that answers, waiting included.",
    buckets=(1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800),
)

TRAINING_JOBS = Counter(
    "tenfold_training_jobs_total",
    "Trainings carried out as Kubernetes Jobs, by result: fitted, failed or cancelled.",
    ["result"],
)
TRAINING_JOB_SECONDS = Histogram(
    "tenfold_training_job_duration_seconds",
    "Time from creating a training's Job to its model, waiting for a node included.",
    buckets=(1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800),
)


def count_rollout(view: WorkloadView, now: datetime) -> None:
    """Count what a look at a rollout finds: new verdicts, and its end."""
    meta, before = view.workload.metadata, view.workload.status.progress
    rollout = look(view, now)
    for each in rollout.verdicts:
        VERDICTS.labels(meta.namespace, meta.name, each.metric, each.outcome).inc()
    goes_on = rollout.progress and before and rollout.progress.attempt == before.attempt
    if before and not goes_on:
        seconds = (now - before.start_time).total_seconds()
        result = _result(before, rollout)
        ROLLOUT_SECONDS.labels(meta.namespace, meta.name, result).observe(seconds)


def _result(before: WorkloadProgress, rollout: Rollout) -> str:
    if before.revision == rollout.stable:
        return "RolledOut"
    failed = {each.attempt: each.reason for each in rollout.failures}
    return failed.get(before.attempt, "Replaced")
