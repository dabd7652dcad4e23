"""What Prometheus is asked about a Workload's load and capacity, and how its answers are read.

The load is what the gateway sends to any revision. These are Traefik's and the kubelet's names;
another gateway's differ in this module alone.
"""

import math
from collections.abc import Mapping, Sequence

from tenfold_operator.model.observed import Sample, Series
from tenfold_operator.plan.scaling.capacity import Usage

LOOK_BACK_SECONDS = 3600
SAMPLE_SECONDS = 15
FORECAST_STEP_SECONDS = 60

LOAD = "load"
"""Range over LOOK_BACK_SECONDS every SAMPLE_SECONDS: requests a second."""
LATENCY = "latency"
"""The same range: 95th percentile in seconds."""
PODS = "pods"
"""The same range: pods of all revisions."""
CPU = "cpu"
"""The same range: CPU cores that they use together."""
ERRORS = "errors"
"""Instant: requests a second that fail; no such series means none while TARGETS are up."""
TARGETS = "targets"
"""Instant: share of the gateway's pods that are scraped."""
HISTORY = "history"
"""Range as long as a model is trained on, every FORECAST_STEP_SECONDS: requests a second."""

Values = Mapping[float, float]
"""A series: unix seconds to value."""


def queries(namespace: str, name: str) -> Mapping[str, str]:
    """Return the PromQL expressions for a Workload, by name."""
    both = f"{namespace}-{name}"
    service = f'service=~"httproute-{both}-gw-.*-svc-{both}-[0-9a-f]{{10}}-[0-9]+@.*"'
    pods = f'namespace="{namespace}",pod=~"{name}-[0-9a-f]{{10}}-.*"'
    requests = "traefik_service_requests_total"
    buckets = "traefik_service_request_duration_seconds_bucket"
    return {
        LOAD: f"sum(rate({requests}{{{service}}}[30s]))",
        LATENCY: f"histogram_quantile(0.95, sum by (le) (rate({buckets}{{{service}}}[1m])))",
        PODS: f"count(pod_cpu_usage_seconds_total{{{pods}}})",
        CPU: f"sum(rate(pod_cpu_usage_seconds_total{{{pods}}}[1m]))",
        ERRORS: f'sum(rate({requests}{{{service},code=~"5.."}}[30s]))',
        TARGETS: 'avg(up{job="pods",app="traefik"})',
        HISTORY: f"sum(rate({requests}{{{service}}}[{FORECAST_STEP_SECONDS}s]))",
    }


def values(answer: Sequence[Series]) -> Values:
    """Return the samples of the one series that a range answers; none where it has none."""
    return {
        time: value
        for series in answer[:1]
        for time, value in zip(series.times, series.values, strict=True)
    }


def value(answer: Sequence[Sample]) -> float | None:
    """Return the one value that an instant answers; None where it has none."""
    return answer[0].value if answer else None


def usages(
    load: Values, pods: Values, latency: Values, cpu: Values, cores: float | None
) -> tuple[Usage, ...]:
    """Return what the pods did at each moment at which load and pods are known.

    Args:
        load: Answer to LOAD.
        pods: Answer to PODS.
        latency: Answer to LATENCY.
        cpu: Answer to CPU.
        cores: CPU limit, or else request, of one pod in cores; None when it has none.
    """
    return tuple(
        Usage(
            load=load[time] / pods[time],
            latency=latency.get(time, math.nan),
            cpu=cpu.get(time, math.nan) / pods[time] / cores if cores else math.nan,
        )
        for time in sorted(load.keys() & pods.keys())
        if pods[time] > 0
    )
