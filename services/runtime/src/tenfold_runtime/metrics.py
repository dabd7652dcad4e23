"""Prometheus metrics that every service has, under the service's own prefix."""

import dataclasses
import functools
import sys

import prometheus_client

# A *_created series beside every counter would double what Prometheus has to keep.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]

# Seconds; the targets to be read off are 10 ms (routing) and 20 ms (p95 and mean at 10x).
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


@dataclasses.dataclass(frozen=True)
class Requests:
    """Requests that a service answers."""

    total: prometheus_client.Counter
    seconds: prometheus_client.Histogram
    in_flight: prometheus_client.Gauge


@functools.cache
def requests(prefix: str) -> Requests:
    """Register a service's request metrics; once for each prefix."""
    return Requests(
        prometheus_client.Counter(
            f"{prefix}_requests", "Requests answered.", ["route", "method", "status"]
        ),
        prometheus_client.Histogram(
            f"{prefix}_request_duration_seconds",
            "Time from a request's head to the end of its answer.",
            ["route", "method"],
            buckets=BUCKETS,
        ),
        prometheus_client.Gauge(f"{prefix}_requests_in_flight", "Requests being answered now."),
    )


@dataclasses.dataclass(frozen=True)
class Redis:
    """Operations on Redis."""

    seconds: prometheus_client.Histogram
    errors: prometheus_client.Counter


@functools.cache
def redis(prefix: str) -> Redis:
    """Register a service's Redis metrics; once for each prefix."""
    return Redis(
        prometheus_client.Histogram(
            f"{prefix}_redis_operation_duration_seconds",
            "Time of one attempt at a Redis operation, reaching Redis included.",
            ["operation"],
            buckets=BUCKETS,
        ),
        prometheus_client.Counter(
            f"{prefix}_redis_errors",
            "Attempts at a Redis operation that failed, those repeated with success included.",
            ["operation", "code"],
        ),
    )


def serve(port: int, host: str) -> None:
    """Serve the metrics, or end the process where the port is taken."""
    try:
        # On a thread: metrics stay readable while the loop is busy and until the very end.
        prometheus_client.start_http_server(port, host)
    except OSError as error:
        sys.exit(
            f"Metrics cannot be served on port {port}: {error}."
            " Set TENFOLD_METRICS_PORT to a free port."
        )
