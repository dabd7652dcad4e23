"""The operator's own Prometheus metrics."""

from prometheus_client import Counter, Gauge, Histogram

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
