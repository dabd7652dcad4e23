"""The operator's own Prometheus metrics."""

from collections.abc import Iterable
from datetime import datetime

from prometheus_client import Counter, Gauge, Histogram

from tenfold_operator.model.generated import Workload, WorkloadProgress, WorkloadStatus
from tenfold_operator.plan.actions import Action, SetStatus

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
    "How often the primary Service moved to another pod.",
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


def count_rollout(workload: Workload, plan: Iterable[Action], now: datetime) -> None:
    """Count what a plan says of a rollout: its verdicts, and its end."""
    meta, before = workload.metadata, workload.status.progress
    for action in plan:
        if not isinstance(action, SetStatus):
            continue
        after = WorkloadStatus.model_validate(action.status)
        progress = after.progress
        if progress and progress.judged_time != (before and before.judged_time):
            for each in progress.verdicts:
                VERDICTS.labels(meta.namespace, meta.name, each.metric, each.outcome).inc()
        if before and (progress is None or progress.revision != before.revision):
            seconds = (now - before.start_time).total_seconds()
            result = _result(before, after)
            ROLLOUT_SECONDS.labels(meta.namespace, meta.name, result).observe(seconds)


def _result(before: WorkloadProgress, after: WorkloadStatus) -> str:
    if before.revision == after.stable_revision:
        return "RolledOut"
    failed = {each.attempt: each.reason for each in after.failed_revisions}
    return failed.get(before.attempt, "Replaced")
