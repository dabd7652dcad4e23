"""Names of jobs, labels and metrics: rules, boards and the operator's queries use these."""

from __future__ import annotations

JOB_PODS = "pods"
JOB_KUBELET = "kubelet"
JOB_CADVISOR = "cadvisor"
JOB_RESOURCE = "resource"
JOB_APISERVER = "apiserver"
JOB_PROMETHEUS = "prometheus"

APP_TRAEFIK = "traefik"
APP_OPERATOR = "operator"

# Traefik 3.6, https://doc.traefik.io/traefik/observability/metrics/overview/
TRAEFIK_ENTRYPOINT_REQUESTS = "traefik_entrypoint_requests_total"
TRAEFIK_ENTRYPOINT_SECONDS = "traefik_entrypoint_request_duration_seconds"
TRAEFIK_SERVICE_REQUESTS = "traefik_service_requests_total"
TRAEFIK_SERVICE_SECONDS = "traefik_service_request_duration_seconds"

# redis_exporter 1.45
REDIS_UP = "redis_up"
REDIS_INSTANCE_INFO = "redis_instance_info"
REDIS_CONNECTED_REPLICAS = "redis_connected_slaves"
REDIS_HITS = "redis_keyspace_hits_total"
REDIS_MISSES = "redis_keyspace_misses_total"
REDIS_COMMANDS = "redis_commands_processed_total"
REDIS_MEMORY_USED = "redis_memory_used_bytes"
REDIS_MEMORY_MAX = "redis_memory_max_bytes"

# The gateway service
GATEWAY_REQUESTS = "tenfold_gateway_requests_total"
GATEWAY_SECONDS = "tenfold_gateway_request_duration_seconds"

# The operator
RECONCILE_SECONDS = "tenfold_reconcile_duration_seconds"
RECONCILE_ERRORS = "tenfold_reconcile_errors_total"
WORKLOAD_CONDITION = "tenfold_workload_condition"
TIER_CONDITION = "tenfold_redistier_condition"

# kubelet 1.34: /metrics/resource and /metrics/cadvisor
POD_CPU_SECONDS = "pod_cpu_usage_seconds_total"
POD_MEMORY_BYTES = "pod_memory_working_set_bytes"
CONTAINER_START_SECONDS = "container_start_time_seconds"
NODE_CPU_SECONDS = "node_cpu_usage_seconds_total"
NODE_MEMORY_BYTES = "node_memory_working_set_bytes"
MACHINE_CORES = "machine_cpu_cores"
MACHINE_MEMORY_BYTES = "machine_memory_bytes"

# Recorded here: `level:metric:operation`
GATEWAY_RATE = "entrypoint:traefik_entrypoint_requests:rate1m"
GATEWAY_ERROR_RATIO = "entrypoint:traefik_entrypoint_errors:ratio_rate1m"
GATEWAY_MEAN_SECONDS = "entrypoint:traefik_entrypoint_request_duration_seconds:mean_rate1m"
GATEWAY_P50_SECONDS = "entrypoint:traefik_entrypoint_request_duration_seconds:p50_rate1m"
GATEWAY_P95_SECONDS = "entrypoint:traefik_entrypoint_request_duration_seconds:p95_rate1m"
GATEWAY_P99_SECONDS = "entrypoint:traefik_entrypoint_request_duration_seconds:p99_rate1m"
BACKEND_RATE = "service:traefik_service_requests:rate1m"
BACKEND_ERROR_RATIO = "service:traefik_service_errors:ratio_rate1m"
BACKEND_P95_SECONDS = "service:traefik_service_request_duration_seconds:p95_rate1m"
WORKLOAD_RATE = "workload:tenfold_gateway_requests:rate1m"
WORKLOAD_P95_SECONDS = "workload:tenfold_gateway_request_duration_seconds:p95_rate1m"
TIER_HIT_RATIO = "tier:redis_keyspace_hits:ratio_rate5m"
TIER_COMMANDS_RATE = "tier:redis_commands_processed:rate1m"
TIER_SERVERS = "tier:redis_up:sum"
TIER_PRIMARIES = "tier:redis_primaries:count"
TIER_REPLICAS_CONNECTED = "tier:redis_connected_slaves:sum"
TIER_MEMORY_RATIO = "tier:redis_memory_used:ratio"
RECONCILE_P95_SECONDS = "kind:tenfold_reconcile_duration_seconds:p95_rate5m"
RECONCILE_ERROR_RATIO = "kind:tenfold_reconcile_errors:ratio_rate5m"
POD_CPU_RATE = "pod:cpu_usage_seconds:rate1m"
POD_MEMORY = "pod:memory_working_set_bytes:max"
NODE_CPU_RATIO = "node:cpu_usage_seconds:ratio_rate1m"
NODE_MEMORY_RATIO = "node:memory_working_set_bytes:ratio"
JOB_UP_RATIO = "job:up:avg"
