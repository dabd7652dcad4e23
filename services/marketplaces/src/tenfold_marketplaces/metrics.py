"""The simulator's Prometheus metrics."""

import prometheus_client

PREFIX = "tenfold_marketplaces"

ANSWERS = prometheus_client.Counter(
    f"{PREFIX}_answers",
    "Answers of the simulated marketplaces.",
    ["marketplace", "resource", "status"],
)
