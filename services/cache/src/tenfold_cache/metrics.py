"""The library's Prometheus metrics; one set a registry."""

from __future__ import annotations

import prometheus_client

# Seconds. The figures to be read off are 0.8 ms (L1), 12.5 ms (L2), 45.2 ms (L3) and 85.7 ms (L4).
_BUCKETS = (
    *(0.00001, 0.0001, 0.0004, 0.0008, 0.002, 0.005),
    *(0.0125, 0.025, 0.0452, 0.0857, 0.25, 0.5, 1.0, 2.5, 5.0),
)


class Metrics:
    """Hit ratio of a tier: hits / (hits + stale + misses) of tenfold_cache_requests."""

    def __init__(self, registry: prometheus_client.CollectorRegistry) -> None:
        self.requests = prometheus_client.Counter(
            "tenfold_cache_requests",
            "Look-ups of a tier: hit, stale, miss, error (no answer), skipped (it rests).",
            ["tier", "outcome"],
            registry=registry,
        )
        self.seconds = prometheus_client.Histogram(
            "tenfold_cache_operation_duration_seconds",
            "Time that a tier took for an operation.",
            ["tier", "operation"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self.gets = prometheus_client.Counter(
            "tenfold_cache_gets",
            "What get returned: hit, stale, loaded, error.",
            ["outcome"],
            registry=registry,
        )
        self.load_seconds = prometheus_client.Histogram(
            "tenfold_cache_load_duration_seconds",
            "Time that the origin took.",
            ["outcome"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self.invalidations = prometheus_client.Counter(
            "tenfold_cache_invalidations",
            "Invalidations sent to other processes and received from them.",
            ["direction"],
            registry=registry,
        )
        self.evictions = prometheus_client.Counter(
            "tenfold_cache_evictions",
            "Entries given up in memory for others.",
            registry=registry,
        )
        self.memory_bytes = prometheus_client.Gauge(
            "tenfold_cache_memory_bytes", "Bytes held in memory.", registry=registry
        )
        self.memory_entries = prometheus_client.Gauge(
            "tenfold_cache_memory_entries", "Entries held in memory.", registry=registry
        )
        self.listening = prometheus_client.Gauge(
            "tenfold_cache_listening",
            "1 while invalidations of other processes are received.",
            registry=registry,
        )
        self.warmed_keys = prometheus_client.Gauge(
            "tenfold_cache_warmed_keys",
            "Keys that the warmer expects in the current interval.",
            registry=registry,
        )
        self.warm_accuracy = prometheus_client.Gauge(
            "tenfold_cache_warm_accuracy_ratio",
            "Share of the keys warmed for the last interval that were asked for in it.",
            registry=registry,
        )
        self.warm_coverage = prometheus_client.Gauge(
            "tenfold_cache_warm_coverage_ratio",
            "Share of the keys asked for in the last interval that were warmed for it.",
            registry=registry,
        )
