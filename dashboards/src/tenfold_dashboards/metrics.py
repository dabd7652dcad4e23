"""Names of jobs, labels and metrics: rules, boards, the reference and the scraping use these."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Self

JOB_PODS = "pods"
JOB_KUBELET = "kubelet"
JOB_CADVISOR = "cadvisor"
JOB_RESOURCE = "resource"
JOB_APISERVER = "apiserver"
JOB_PROMETHEUS = "prometheus"

APP_TRAEFIK = "traefik"
APP_OPERATOR = "operator"

PER_WORKLOAD = "namespace, workload"
PER_REVISION = "namespace, workload, revision"
PER_TIER = "namespace, tier"
PER_SERVER = "namespace, tier, pod"
PER_SHARD = "namespace, tier, shard"
PER_DETECTOR = "namespace, detector"
PER_BACKUP = "namespace, backup"
PER_RESTORE = "namespace, restore"
PER_MARKETPLACE = "namespace, marketplace"
PER_NODE = "node, zone"
PER_POD = "namespace, pod"


class Kind(Enum):
    """What a metric counts as in Prometheus."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Metric(str):
    """A metric's name, with what the reference says of it.

    `appears` says after what it is there first, where a healthy platform may be without it.
    """

    source: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    appears: str

    def __new__(
        cls, source: str, kind: Kind, name: str, help: str, labels: tuple[str, ...], appears: str
    ) -> Self:
        """Make the name."""
        metric = super().__new__(cls, name)
        metric.source, metric.kind, metric.help = source, kind, help
        metric.labels, metric.appears = labels, appears
        return metric


@dataclass(frozen=True)
class _Source:
    title: str

    def counter(self, name: str, help: str, *labels: str, appears: str = "") -> Metric:
        return Metric(self.title, Kind.COUNTER, name, help, labels, appears)

    def gauge(self, name: str, help: str, *labels: str, appears: str = "") -> Metric:
        return Metric(self.title, Kind.GAUGE, name, help, labels, appears)

    def histogram(self, name: str, help: str, *labels: str, appears: str = "") -> Metric:
        return Metric(self.title, Kind.HISTOGRAM, name, help, labels, appears)


# https://doc.traefik.io/traefik/observability/metrics/overview/
_traefik = _Source("Traefik 3.6")
TRAEFIK_ENTRYPOINT_REQUESTS = _traefik.counter(
    "traefik_entrypoint_requests_total", "Requests answered.", "entrypoint", "method", "code"
)
TRAEFIK_ENTRYPOINT_SECONDS = _traefik.histogram(
    "traefik_entrypoint_request_duration_seconds",
    "Time to answer a request.",
    "entrypoint",
    "method",
    "code",
)
TRAEFIK_SERVICE_REQUESTS = _traefik.counter(
    "traefik_service_requests_total",
    "Requests sent to a backend, each revision of a Workload one.",
    "service",
    "method",
    "code",
)
TRAEFIK_SERVICE_SECONDS = _traefik.histogram(
    "traefik_service_request_duration_seconds",
    "Time that a backend took.",
    "service",
    "method",
    "code",
)
TRAEFIK_OPEN_CONNECTIONS = _traefik.gauge(
    "traefik_open_connections", "Connections open now.", "entrypoint"
)
TRAEFIK_RELOADS = _traefik.counter(
    "traefik_config_reloads_total", "How often routes and endpoints were taken over."
)
TRAEFIK_CERTIFICATE_END = _traefik.gauge(
    "traefik_tls_certs_not_after",
    "When a certificate expires, in seconds since 1970.",
    "cn",
    "sans",
    appears="the gateway has a certificate",
)

_redis = _Source("redis_exporter 1.45")
REDIS_UP = _redis.gauge("redis_up", "1 while the server answers its exporter.")
REDIS_INSTANCE_INFO = _redis.gauge(
    "redis_instance_info", "1, with what the server is.", "role", "redis_mode", "maxmemory_policy"
)
REDIS_CONNECTED_REPLICAS = _redis.gauge(
    "redis_connected_slaves", "Replicas that follow this server."
)
REDIS_REPLICA_LAG = _redis.gauge(
    "redis_connected_slave_lag_seconds",
    "Time since a replica last acknowledged, as its primary sees it.",
    "slave_ip",
)
REDIS_HITS = _redis.counter("redis_keyspace_hits_total", "Keys that were asked for and found.")
REDIS_MISSES = _redis.counter("redis_keyspace_misses_total", "Keys that were asked for in vain.")
REDIS_COMMANDS = _redis.counter("redis_commands_processed_total", "Commands carried out.")
REDIS_COMMAND_SECONDS = _redis.counter(
    "redis_commands_duration_seconds_total", "Time spent on commands.", "cmd"
)
REDIS_FRAGMENTATION = _redis.gauge(
    "redis_mem_fragmentation_ratio", "Memory that the system gave, to memory in use."
)
REDIS_EVICTED = _redis.counter("redis_evicted_keys_total", "Keys given up for others.")
REDIS_CLIENTS = _redis.gauge("redis_connected_clients", "Clients connected.")
REDIS_MAX_CLIENTS = _redis.gauge("redis_config_maxclients", "The most that may connect.")
REDIS_MEMORY_USED = _redis.gauge("redis_memory_used_bytes", "Memory in use.")
REDIS_MEMORY_MAX = _redis.gauge("redis_memory_max_bytes", "Memory allowed for data.")

_gateway = _Source("The gateway service")
GATEWAY_REQUESTS = _gateway.counter(
    "tenfold_gateway_requests_total", "Requests answered.", "route", "method", "status"
)
GATEWAY_SECONDS = _gateway.histogram(
    "tenfold_gateway_request_duration_seconds",
    "Time from a request's head to the end of its answer.",
    "route",
    "method",
)
GATEWAY_IN_FLIGHT = _gateway.gauge(
    "tenfold_gateway_requests_in_flight", "Requests being answered now."
)
GATEWAY_REDIS_SECONDS = _gateway.histogram(
    "tenfold_gateway_redis_operation_duration_seconds",
    "Time of one attempt at a Redis operation.",
    "operation",
)
GATEWAY_REDIS_ERRORS = _gateway.counter(
    "tenfold_gateway_redis_errors_total",
    "Attempts at a Redis operation that failed.",
    "operation",
    "code",
    appears="an attempt has failed",
)
UPSTREAM_REQUESTS = _gateway.counter(
    "tenfold_gateway_upstream_requests_total",
    "Calls of marketplaces, each with its retries one.",
    "marketplace",
    "resource",
    "outcome",
)
UPSTREAM_SECONDS = _gateway.histogram(
    "tenfold_gateway_upstream_duration_seconds",
    "Time of one attempt at a marketplace.",
    "marketplace",
)
UPSTREAM_RETRIES = _gateway.counter(
    "tenfold_gateway_upstream_retries_total",
    "Attempts that were repeated.",
    "marketplace",
    appears="a marketplace has failed once",
)
UPSTREAM_IN_FLIGHT = _gateway.gauge(
    "tenfold_gateway_upstream_in_flight", "Calls that hold a place of the bulkhead.", "marketplace"
)
BREAKER_OPEN = _gateway.gauge(
    "tenfold_gateway_breaker_open", "1 while a marketplace's circuit is open.", "marketplace"
)
TRANSFORMATION_SECONDS = _gateway.histogram(
    "tenfold_gateway_transformation_duration_seconds",
    "Time to turn a marketplace's answer into the canonical one.",
    "marketplace",
)
VERIFICATION_SECONDS = _gateway.histogram(
    "tenfold_gateway_verification_duration_seconds",
    "Time to verify a request: token and rate limit.",
)
BREAKER_SECONDS = _gateway.histogram(
    "tenfold_gateway_breaker_duration_seconds", "Time that a circuit breaker took to decide."
)
GATEWAY_REFUSED = _gateway.counter(
    "tenfold_gateway_refused_total",
    "Requests refused before any work.",
    "cause",
    appears="a request was refused",
)
RATE_LIMIT_UNCHECKED = _gateway.counter(
    "tenfold_gateway_rate_limit_unchecked_total",
    "Requests let through because Redis did not answer.",
)

_webhooks = _Source("The webhooks service")
WEBHOOKS_RECEIVED = _webhooks.counter(
    "tenfold_webhooks_received_total",
    "Webhooks by what became of them at the door.",
    "marketplace",
    "outcome",
)
WEBHOOKS_VERIFICATION_SECONDS = _webhooks.histogram(
    "tenfold_webhooks_verification_duration_seconds", "Time to verify a webhook."
)
WEBHOOKS_HANDLED = _webhooks.counter(
    "tenfold_webhooks_handled_total",
    "Attempts at events by how they ended.",
    "marketplace",
    "outcome",
)
WEBHOOKS_APPLIED_SECONDS = _webhooks.histogram(
    "tenfold_webhooks_applied_duration_seconds", "Time from receiving a webhook to its effect."
)
WEBHOOKS_DEAD = _webhooks.counter(
    "tenfold_webhooks_dead_letters_total",
    "Events given up, by reason.",
    "marketplace",
    "reason",
    appears="an event was given up",
)
WEBHOOKS_LETTERS = _webhooks.gauge(
    "tenfold_webhooks_letters", "Events that wait: in stream, retry or dead.", "place"
)
WEBHOOKS_REDIS_ERRORS = _webhooks.counter(
    "tenfold_webhooks_redis_errors_total", "Rounds of a worker that Redis ended."
)

_cache = _Source("The cache library")
CACHE_REQUESTS = _cache.counter(
    "tenfold_cache_requests_total", "Look-ups of a cache tier.", "tier", "outcome"
)
CACHE_SECONDS = _cache.histogram(
    "tenfold_cache_operation_duration_seconds",
    "Time that a cache tier took for an operation.",
    "tier",
    "operation",
)
CACHE_GETS = _cache.counter("tenfold_cache_gets_total", "What get returned.", "outcome")
CACHE_LOAD_SECONDS = _cache.histogram(
    "tenfold_cache_load_duration_seconds", "Time that the origin took.", "outcome"
)
CACHE_INVALIDATIONS = _cache.counter(
    "tenfold_cache_invalidations_total",
    "Invalidations sent and received.",
    "direction",
    appears="a value was invalidated",
)
CACHE_EVICTIONS = _cache.counter(
    "tenfold_cache_evictions_total", "Entries given up in memory for others."
)
CACHE_MEMORY_BYTES = _cache.gauge("tenfold_cache_memory_bytes", "Bytes held in memory.")
CACHE_MEMORY_ENTRIES = _cache.gauge("tenfold_cache_memory_entries", "Entries held in memory.")
CACHE_LISTENING = _cache.gauge(
    "tenfold_cache_listening", "1 while invalidations of other processes are received."
)
CACHE_WARMED_KEYS = _cache.gauge(
    "tenfold_cache_warmed_keys", "Keys that the warmer expects in the current interval."
)
CACHE_WARM_ACCURACY = _cache.gauge(
    "tenfold_cache_warm_accuracy_ratio", "Share of the warmed keys that were asked for."
)
CACHE_WARM_COVERAGE = _cache.gauge(
    "tenfold_cache_warm_coverage_ratio", "Share of the keys asked for that were warmed."
)

_simulator = _Source("The simulated marketplaces")
SIMULATOR_ANSWERS = _simulator.counter(
    "tenfold_marketplaces_answers_total",
    "Answers of the simulated marketplaces.",
    "marketplace",
    "resource",
    "status",
)

_operator = _Source("The operator")
RECONCILE_SECONDS = _operator.histogram(
    "tenfold_reconcile_duration_seconds", "Time from observing to having applied.", "kind"
)
RECONCILE_ERRORS = _operator.counter(
    "tenfold_reconcile_errors_total",
    "Reconciliations that failed: rejected, unavailable or bug.",
    "kind",
    "cause",
    appears="a reconciliation has failed",
)
ACTIONS = _operator.counter("tenfold_actions_total", "Actions carried out.", "kind", "action")
QUEUE_DEPTH = _operator.gauge("tenfold_queue_depth", "Resources that wait to be reconciled.")
QUEUE_SECONDS = _operator.histogram(
    "tenfold_queue_wait_seconds", "Time from an event to the start of its reconciliation."
)
PRIMARY_CHANGES = _operator.counter(
    "tenfold_redis_primary_changes_total",
    "How often the primary Service moved to another pod.",
    "namespace",
    "tier",
)
ROLLOUT_SECONDS = _operator.histogram(
    "tenfold_rollout_duration_seconds",
    "Time from a new revision to its end, by result: RolledOut, Replaced, or why it was given up.",
    "namespace",
    "workload",
    "result",
    appears="a rollout has ended since the operator started",
)
VERDICTS = _operator.counter(
    "tenfold_rollout_verdicts_total",
    "Verdicts on metrics of new revisions.",
    "namespace",
    "workload",
    "metric",
    "outcome",
    appears="a rollout was judged since the operator started",
)
WORKLOAD_CONDITION = _operator.gauge(
    "tenfold_workload_condition",
    "1 when the Workload's condition is True.",
    "namespace",
    "workload",
    "condition",
)
REVISION_WEIGHT = _operator.gauge(
    "tenfold_workload_revision_weight",
    "A revision's share of the traffic in percent.",
    "namespace",
    "workload",
    "revision",
)
REVISION_READY = _operator.gauge(
    "tenfold_workload_revision_ready_replicas",
    "A revision's pods that are ready.",
    "namespace",
    "workload",
    "revision",
)
TIER_CONDITION = _operator.gauge(
    "tenfold_redistier_condition",
    "1 when the RedisTier's condition is True.",
    "namespace",
    "tier",
    "condition",
)
DETECTOR_CONDITION = _operator.gauge(
    "tenfold_anomalydetector_condition",
    "1 when the AnomalyDetector's condition is True.",
    "namespace",
    "detector",
    "condition",
    appears="there is an AnomalyDetector",
)
BACKUP_CONDITION = _operator.gauge(
    "tenfold_redisbackup_condition",
    "1 when the RedisBackup's condition is True.",
    "namespace",
    "backup",
    "condition",
    appears="there is a RedisBackup",
)
RESTORE_CONDITION = _operator.gauge(
    "tenfold_redisrestore_condition",
    "1 when the RedisRestore's condition is True.",
    "namespace",
    "restore",
    "condition",
    appears="there is a RedisRestore",
)
TIER_CERTIFICATE_END = _operator.gauge(
    "tenfold_redis_tier_certificate_expires_timestamp_seconds",
    "When the first of the certificates expires that a RedisTier's servers show.",
    "namespace",
    "tier",
    appears="there is a RedisTier with tls",
)
_backed_up, _restored = "a backup has succeeded", "a restore or drill has ended"
BACKUP_TIME = _operator.gauge(
    "tenfold_redis_backup_last_timestamp_seconds",
    "When the last backup ended.",
    "namespace",
    "backup",
    appears=_backed_up,
)
BACKUP_BYTES = _operator.gauge(
    "tenfold_redis_backup_bytes",
    "Size of the backup's data set.",
    "namespace",
    "backup",
    appears=_backed_up,
)
BACKUP_KEYS = _operator.gauge(
    "tenfold_redis_backup_keys", "Keys in the backup.", "namespace", "backup", appears=_backed_up
)
BACKUP_SECONDS = _operator.gauge(
    "tenfold_redis_backup_duration_seconds",
    "How long the last backup took.",
    "namespace",
    "backup",
    appears=_backed_up,
)
BACKUP_REPOSITORY_BYTES = _operator.gauge(
    "tenfold_redis_backup_repository_bytes",
    "Size of the whole repository.",
    "namespace",
    "backup",
    appears=_backed_up,
)
DRILL_TIME = _operator.gauge(
    "tenfold_redis_restore_last_good_timestamp_seconds",
    "When a restore or drill last found the copy equal.",
    "namespace",
    "restore",
    appears=_restored,
)
DRILL_SECONDS = _operator.gauge(
    "tenfold_redis_restore_duration_seconds",
    "How long the last restore or drill took.",
    "namespace",
    "restore",
    appears=_restored,
)
DRILL_DIFFERENT = _operator.gauge(
    "tenfold_redis_restore_different_keys",
    "Keys that differed after it.",
    "namespace",
    "restore",
    appears=_restored,
)
_scored = "a detector's warm-up is over"
ANOMALY_SCORE = _operator.gauge(
    "tenfold_anomaly_score",
    "Score of the newest row; above 1 it is anomalous.",
    "namespace",
    "detector",
    appears=_scored,
)
ANOMALY_EXPECTED = _operator.gauge(
    "tenfold_anomaly_expected",
    "Where the first query's value was expected.",
    "namespace",
    "detector",
    appears=_scored,
)
ANOMALY_LOWER = _operator.gauge(
    "tenfold_anomaly_lower",
    "Lower end of the band around it.",
    "namespace",
    "detector",
    appears=_scored,
)
ANOMALY_UPPER = _operator.gauge(
    "tenfold_anomaly_upper",
    "Upper end of the band around it.",
    "namespace",
    "detector",
    appears=_scored,
)
ANOMALY_VERDICT = _operator.gauge(
    "tenfold_anomaly_verdict",
    "1 when the verdict is Anomalous, 0 when it is Normal.",
    "namespace",
    "detector",
    appears=_scored,
)

_clustered = "there is a tier of topology cluster"
SHARD_SLOTS = _operator.gauge(
    "tenfold_redis_shard_slots",
    "Slots that a shard of a Redis Cluster holds.",
    "namespace",
    "tier",
    "shard",
    appears=_clustered,
)
SHARD_REPLICAS = _operator.gauge(
    "tenfold_redis_shard_replicas",
    "Replicas connected to a shard's primary.",
    "namespace",
    "tier",
    "shard",
    appears=_clustered,
)
SLOTS_MOVED = _operator.counter(
    "tenfold_redis_slots_moved_total",
    "Slots that were moved to another shard.",
    "namespace",
    "tier",
    appears=_clustered,
)
SCALING_ERRORS = _operator.counter(
    "tenfold_scaling_errors_total",
    "Decisions about a number of pods that failed by a bug; the number holds.",
)

# Prometheus calls the guard's own label `exported_node`: `node` is where the guard runs.
_guard = _Source("The node guard")
NODE_REACHABLE = _guard.gauge(
    "tenfold_guard_node_reachable", "1 while the node answers this guard.", "node"
)
PODS_MARKED = _guard.counter(
    "tenfold_guard_pods_marked_total",
    "Pods whose traffic was taken away since their node is cut off.",
    "namespace",
    "node",
    appears="a node was cut off",
)

_forecast = _Source("The operator's forecasts")
_forecasting = "a Workload is scaled by forecasts"


def _of_workload(name: str, help: str, *labels: str) -> Metric:
    return _forecast.gauge(name, help, "namespace", "workload", *labels, appears=_forecasting)


FORECAST_EXPECTED = _of_workload(
    "tenfold_forecast_expected", "Requests a second expected when pods started now are ready."
)
FORECAST_LOWER = _of_workload("tenfold_forecast_lower", "Lower end of the 90% band around it.")
FORECAST_UPPER = _of_workload("tenfold_forecast_upper", "Upper end of the 90% band around it.")
FORECAST_CONFIDENCE = _of_workload(
    "tenfold_forecast_confidence", "How far the forecast may be believed, from 0 to 1."
)
FORECAST_ERROR_RATIO = _of_workload(
    "tenfold_forecast_error_ratio",
    "Mean absolute error over the mean load: the ensemble, its families, the last value.",
    "model",
)
FORECAST_WEIGHT = _of_workload(
    "tenfold_forecast_weight", "A model family's say in the forecast.", "model"
)
FORECAST_MODEL_INFO = _of_workload(
    "tenfold_forecast_model_info", "1, with a model's version and role.", "version", "role"
)
FORECAST_MODEL_TRAINED = _of_workload(
    "tenfold_forecast_model_trained_timestamp_seconds", "When the champion was fitted."
)
FORECAST_DRIFT_ERRORS = _of_workload(
    "tenfold_forecast_drift_error_ratio", "Errors of the last day over those at the fit."
)
FORECAST_DRIFT_POPULATION = _of_workload(
    "tenfold_forecast_drift_population_shift", "Population stability index of the load."
)
FORECAST_TRAINING_SECONDS = _forecast.histogram(
    "tenfold_forecast_training_duration_seconds", "Time of a fit.", appears=_forecasting
)
FORECAST_TRAININGS = _forecast.counter(
    "tenfold_forecast_trainings_total",
    "Fits by how they ended.",
    "result",
    appears=_forecasting,
)
_by_jobs = "forecasts are fitted by Kubernetes Jobs"
TRAINING_JOB_SECONDS = _forecast.histogram(
    "tenfold_training_job_duration_seconds",
    "Time of a fit by a Kubernetes Job, waiting for a node included.",
    appears=_by_jobs,
)
TRAINING_JOBS = _forecast.counter(
    "tenfold_training_jobs_total",
    "Fits by Kubernetes Jobs, by how they ended.",
    "result",
    appears=_by_jobs,
)
SCALING_REPLICAS = _of_workload("tenfold_scaling_replicas", "Pods that were decided on.")
SCALING_WANTED = _of_workload(
    "tenfold_scaling_wanted_replicas", "Pods wanted before limits on how fast they change."
)
SCALING_REACTIVE = _of_workload(
    "tenfold_scaling_reactive_replicas", "Pods wanted for the present load."
)
SCALING_PREDICTED = _of_workload(
    "tenfold_scaling_predicted_replicas", "Pods wanted for the load that is forecast."
)
SCALING_LOAD = _of_workload("tenfold_scaling_load", "Requests a second that were measured.")
SCALING_POD_CAPACITY = _of_workload(
    "tenfold_scaling_pod_capacity", "Requests a second that one pod carries."
)
SCALING_HORIZON_SECONDS = _of_workload(
    "tenfold_scaling_horizon_seconds", "Time that pods take to become ready."
)
SCALING_HELD = _of_workload(
    "tenfold_scaling_held", "1 while the number of pods is held, by the reason.", "reason"
)
SCALING_CHANGES = _forecast.counter(
    "tenfold_scaling_changes_total",
    "Changes of the number of pods.",
    "namespace",
    "workload",
    "direction",
    appears=_forecasting,
)

_kubelet = _Source("Kubernetes 1.34")
POD_CPU_SECONDS = _kubelet.counter(
    "pod_cpu_usage_seconds_total", "Processor time of a pod.", "namespace", "pod"
)
POD_MEMORY_BYTES = _kubelet.gauge(
    "pod_memory_working_set_bytes",
    "Memory of a pod that cannot be taken back.",
    "namespace",
    "pod",
)
CONTAINER_START_SECONDS = _kubelet.gauge(
    "container_start_time_seconds",
    "When a container started, in seconds since 1970.",
    "namespace",
    "pod",
    "container",
)
NODE_CPU_SECONDS = _kubelet.counter("node_cpu_usage_seconds_total", "Processor time of a node.")
NODE_MEMORY_BYTES = _kubelet.gauge(
    "node_memory_working_set_bytes", "Memory of a node that cannot be taken back."
)
MACHINE_CORES = _kubelet.gauge("machine_cpu_cores", "Cores of a node.")
MACHINE_MEMORY_BYTES = _kubelet.gauge("machine_memory_bytes", "Memory of a node.")
CLIENT_CERTIFICATE_SECONDS = _kubelet.histogram(
    "apiserver_client_certificate_expiration_seconds",
    "Time that is left of the client certificates that the API server was shown.",
)

_prometheus = _Source("Prometheus")
UP = _prometheus.gauge("up", "1 when a target's last scrape succeeded.", "job", "instance")
RULE_FAILURES = _prometheus.counter(
    "prometheus_rule_evaluation_failures_total", "Rules that could not be evaluated.", "rule_group"
)
NOTIFICATION_ERRORS = _prometheus.counter(
    "prometheus_notifications_errors_total",
    "Alerts that Alertmanager did not take.",
    "alertmanager",
)
SERIES = _prometheus.gauge("prometheus_tsdb_head_series", "Series in memory.")

# Recorded here: `level:metric:operation`
_recorded = _Source("Recording rules")
GATEWAY_RATE = _recorded.gauge(
    "entrypoint:traefik_entrypoint_requests:rate1m", "Requests a second.", "entrypoint"
)
GATEWAY_ERROR_RATIO = _recorded.gauge(
    "entrypoint:traefik_entrypoint_errors:ratio_rate1m", "Share answered 5xx.", "entrypoint"
)
GATEWAY_MEAN_SECONDS = _recorded.gauge(
    "entrypoint:traefik_entrypoint_request_duration_seconds:mean_rate1m",
    "Mean time of a request.",
    "entrypoint",
)
GATEWAY_P50_SECONDS = _recorded.gauge(
    "entrypoint:traefik_entrypoint_request_duration_seconds:p50_rate1m",
    "Median time of a request.",
    "entrypoint",
)
GATEWAY_P95_SECONDS = _recorded.gauge(
    "entrypoint:traefik_entrypoint_request_duration_seconds:p95_rate1m",
    "95th percentile of the time of a request.",
    "entrypoint",
)
GATEWAY_P99_SECONDS = _recorded.gauge(
    "entrypoint:traefik_entrypoint_request_duration_seconds:p99_rate1m",
    "99th percentile of the time of a request.",
    "entrypoint",
)
BACKEND_RATE = _recorded.gauge(
    "service:traefik_service_requests:rate1m", "Requests a second to a backend.", "service"
)
BACKEND_ERROR_RATIO = _recorded.gauge(
    "service:traefik_service_errors:ratio_rate1m", "Share a backend answered 5xx.", "service"
)
BACKEND_P95_SECONDS = _recorded.gauge(
    "service:traefik_service_request_duration_seconds:p95_rate1m",
    "95th percentile of a backend's time.",
    "service",
)
SLO_REQUESTS = _recorded.gauge(
    "entrypoint:slo_requests:rate5m", "Requests a second, for error budgets.", "entrypoint"
)
SLO_ERRORS = _recorded.gauge(
    "entrypoint:slo_errors:rate5m", "Requests answered 5xx a second.", "entrypoint"
)
SLO_SLOW = _recorded.gauge(
    "entrypoint:slo_slow:rate5m", "Requests a second that took too long.", "entrypoint"
)
TIER_HIT_RATIO = _recorded.gauge(
    "tier:redis_keyspace_hits:ratio_rate5m", "Share of keys found.", "namespace", "tier"
)
TIER_COMMANDS_RATE = _recorded.gauge(
    "tier:redis_commands_processed:rate1m", "Commands a second.", "namespace", "tier"
)
TIER_SERVERS = _recorded.gauge("tier:redis_up:sum", "Servers that answer.", "namespace", "tier")
TIER_PRIMARIES = _recorded.gauge(
    "tier:redis_primaries:count",
    "Servers that claim to be primary, of a replicated tier.",
    "namespace",
    "tier",
)
TIER_REPLICAS_CONNECTED = _recorded.gauge(
    "tier:redis_connected_slaves:sum", "Replicas that follow a primary.", "namespace", "tier"
)
TIER_LAG = _recorded.gauge(
    "tier:redis_connected_slave_lag_seconds:max",
    "Lag of the replica that is furthest behind.",
    "namespace",
    "tier",
)
TIER_MEMORY_RATIO = _recorded.gauge(
    "tier:redis_memory_used:ratio", "Share of the memory in use.", "namespace", "tier"
)
RECONCILE_P95_SECONDS = _recorded.gauge(
    "kind:tenfold_reconcile_duration_seconds:p95_rate5m",
    "95th percentile of the operator's time for a look.",
    "kind",
)
RECONCILE_ERROR_RATIO = _recorded.gauge(
    "kind:tenfold_reconcile_errors:ratio_rate5m", "Share of the looks that failed.", "kind"
)
POD_CPU_RATE = _recorded.gauge(
    "pod:cpu_usage_seconds:rate1m", "Cores that a pod uses.", "namespace", "pod"
)
POD_MEMORY = _recorded.gauge(
    "pod:memory_working_set_bytes:max", "Memory of a pod.", "namespace", "pod"
)
NODE_CPU_RATIO = _recorded.gauge(
    "node:cpu_usage_seconds:ratio_rate1m", "Share of a node's cores in use.", "node", "zone"
)
NODE_MEMORY_RATIO = _recorded.gauge(
    "node:memory_working_set_bytes:ratio", "Share of a node's memory in use.", "node", "zone"
)
JOB_UP_RATIO = _recorded.gauge("job:up:avg", "Share of a job's targets that answer.", "job")


def all_metrics() -> tuple[Metric, ...]:
    """Return every metric, in the order of this file."""
    return tuple(each for each in globals().values() if isinstance(each, Metric))


def by_series() -> dict[str, Metric]:
    """Return each series' metric: a histogram has three series."""
    parts = {Kind.HISTOGRAM: ("_bucket", "_count", "_sum")}
    return {f"{each}{part}": each for each in all_metrics() for part in parts.get(each.kind, ("",))}
