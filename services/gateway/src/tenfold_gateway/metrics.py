"""The gateway's Prometheus metrics, served on a port of their own."""

import prometheus_client
from tenfold_runtime import metrics

PREFIX = "tenfold_gateway"

REDIS = metrics.redis(PREFIX)

UPSTREAM_REQUESTS = prometheus_client.Counter(
    f"{PREFIX}_upstream_requests",
    "Calls of marketplaces, each with its retries one, by how they ended.",
    ["marketplace", "resource", "outcome"],
)
UPSTREAM_SECONDS = prometheus_client.Histogram(
    f"{PREFIX}_upstream_duration_seconds",
    "Time of one attempt at a marketplace.",
    ["marketplace"],
    buckets=metrics.BUCKETS,
)
UPSTREAM_RETRIES = prometheus_client.Counter(
    f"{PREFIX}_upstream_retries", "Attempts that were repeated.", ["marketplace"]
)
UPSTREAM_IN_FLIGHT = prometheus_client.Gauge(
    f"{PREFIX}_upstream_in_flight", "Calls that hold a place of the bulkhead.", ["marketplace"]
)
BREAKER_SECONDS = prometheus_client.Histogram(
    f"{PREFIX}_breaker_duration_seconds",
    "Time that a circuit breaker took to let a call through or to refuse it.",
    buckets=(0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01),
)
BREAKER_OPEN = prometheus_client.Gauge(
    f"{PREFIX}_breaker_open", "1 while a marketplace's circuit is open.", ["marketplace"]
)
TRANSFORMATION_SECONDS = prometheus_client.Histogram(
    f"{PREFIX}_transformation_duration_seconds",
    "Time to turn a marketplace's answer into the canonical one.",
    ["marketplace"],
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1),
)
VERIFICATION_SECONDS = prometheus_client.Histogram(
    f"{PREFIX}_verification_duration_seconds",
    "Time to verify a request: token and rate limit.",
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1),
)
REFUSED = prometheus_client.Counter(
    f"{PREFIX}_refused", "Requests refused before any work, by cause.", ["cause"]
)
RATE_LIMIT_UNCHECKED = prometheus_client.Counter(
    f"{PREFIX}_rate_limit_unchecked", "Requests let through because Redis did not answer."
)
