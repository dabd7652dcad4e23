"""The service's Prometheus metrics, served on a port of their own."""

import prometheus_client

# A *_created series beside every counter would double what Prometheus has to keep.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]

# Seconds; the targets to be read off are 10 ms (routing) and 20 ms (p95 and mean at 10x).
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

REQUESTS = prometheus_client.Counter(
    "tenfold_gateway_requests",
    "Requests answered.",
    ["route", "method", "status"],
)
REQUEST_SECONDS = prometheus_client.Histogram(
    "tenfold_gateway_request_duration_seconds",
    "Time from a request's head to the end of its answer.",
    ["route", "method"],
    buckets=_BUCKETS,
)
REQUESTS_IN_FLIGHT = prometheus_client.Gauge(
    "tenfold_gateway_requests_in_flight",
    "Requests being answered now.",
)
REDIS_SECONDS = prometheus_client.Histogram(
    "tenfold_gateway_redis_operation_duration_seconds",
    "Time of one attempt at a Redis operation, reaching Redis included.",
    ["operation"],
    buckets=_BUCKETS,
)
REDIS_ERRORS = prometheus_client.Counter(
    "tenfold_gateway_redis_errors",
    "Attempts at a Redis operation that failed, those repeated with success included.",
    ["operation", "code"],
)
