"""The service's Prometheus metrics."""

import prometheus_client

PREFIX = "tenfold_webhooks"

RECEIVED = prometheus_client.Counter(
    f"{PREFIX}_received", "Webhooks by what became of them at the door.", ["marketplace", "outcome"]
)
VERIFICATION_SECONDS = prometheus_client.Histogram(
    f"{PREFIX}_verification_duration_seconds",
    "Time to verify a webhook's signature and time.",
    buckets=(0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05),
)
HANDLED = prometheus_client.Counter(
    f"{PREFIX}_handled", "Attempts at events by how they ended.", ["marketplace", "outcome"]
)
APPLIED_SECONDS = prometheus_client.Histogram(
    f"{PREFIX}_applied_duration_seconds",
    "Time from receiving a webhook to its effect.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
)
DEAD = prometheus_client.Counter(
    f"{PREFIX}_dead_letters", "Events given up, by reason.", ["marketplace", "reason"]
)
LETTERS = prometheus_client.Gauge(
    f"{PREFIX}_letters",
    "Events that are waiting, by where: stream, retry or dead.",
    ["place"],
)
REDIS_ERRORS = prometheus_client.Counter(
    f"{PREFIX}_redis_errors", "Rounds of a worker that Redis ended."
)
