"""Recording rules: what boards, alerts and the operator ask again and again.

A ratio or quantile without traffic is NaN, which says so; it is never turned into 0 or 1.
"""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards.rules import Group, Recording

_PRIMARY = m.REDIS_INSTANCE_INFO + '{role="master"}'
_WEB = '{entrypoint="web"}'


def _rate(metric: str, by: str, selector: str = "", window: str = "1m") -> str:
    return f"sum by ({by}) (rate({metric}{selector}[{window}]))"


def _share(part: str, whole: str) -> str:
    """Return part / whole; a part that never happened has no series, and counts as 0."""
    return f"({part} or 0 * {whole}) / {whole}"


def _error_ratio(requests: str, by: str, selector: str = "") -> str:
    """Return the share of answers with a 5xx code."""
    errors_selector = f'{{code=~"5..",{selector.strip("{}")}}}'.replace(",}", "}")
    return _share(_rate(requests, by, errors_selector), _rate(requests, by, selector))


def _mean(histogram: str, by: str, selector: str = "") -> str:
    seconds = _rate(f"{histogram}_sum", by, selector)
    return f"{seconds} / {_rate(f'{histogram}_count', by, selector)}"


def _quantile(
    quantile: float, histogram: str, by: str, selector: str = "", window: str = "1m"
) -> str:
    buckets = _rate(f"{histogram}_bucket", f"{by}, le", selector, window)
    return f"histogram_quantile({quantile}, {buckets})"


def _per_tier(expression: str) -> str:
    return f"by (namespace, tier) ({expression})"


_HITS = _rate(m.REDIS_HITS, "namespace, tier", window="5m")
_MISSES = _rate(m.REDIS_MISSES, "namespace, tier", window="5m")

GATEWAY = Group(
    name="gateway",
    rules=(
        Recording(
            record=m.GATEWAY_RATE,
            expr=_rate(m.TRAEFIK_ENTRYPOINT_REQUESTS, "entrypoint", _WEB),
        ),
        Recording(
            record=m.GATEWAY_ERROR_RATIO,
            expr=_error_ratio(m.TRAEFIK_ENTRYPOINT_REQUESTS, "entrypoint", _WEB),
        ),
        Recording(
            record=m.GATEWAY_MEAN_SECONDS,
            expr=_mean(m.TRAEFIK_ENTRYPOINT_SECONDS, "entrypoint", _WEB),
        ),
        *(
            Recording(
                record=record,
                expr=_quantile(quantile, m.TRAEFIK_ENTRYPOINT_SECONDS, "entrypoint", _WEB),
            )
            for record, quantile in (
                (m.GATEWAY_P50_SECONDS, 0.5),
                (m.GATEWAY_P95_SECONDS, 0.95),
                (m.GATEWAY_P99_SECONDS, 0.99),
            )
        ),
        Recording(record=m.BACKEND_RATE, expr=_rate(m.TRAEFIK_SERVICE_REQUESTS, "service")),
        Recording(
            record=m.BACKEND_ERROR_RATIO,
            expr=_error_ratio(m.TRAEFIK_SERVICE_REQUESTS, "service"),
        ),
        Recording(
            record=m.BACKEND_P95_SECONDS,
            expr=_quantile(0.95, m.TRAEFIK_SERVICE_SECONDS, "service"),
        ),
    ),
)

WORKLOADS = Group(
    name="workloads",
    rules=(
        Recording(
            record=m.WORKLOAD_RATE, expr=_rate(m.GATEWAY_REQUESTS, "namespace, workload, revision")
        ),
        Recording(
            record=m.WORKLOAD_P95_SECONDS,
            expr=_quantile(0.95, m.GATEWAY_SECONDS, "namespace, workload, revision"),
        ),
    ),
)

REDIS = Group(
    name="redis",
    rules=(
        Recording(record=m.TIER_HIT_RATIO, expr=f"{_HITS} / ({_HITS} + {_MISSES})"),
        Recording(record=m.TIER_COMMANDS_RATE, expr=_rate(m.REDIS_COMMANDS, "namespace, tier")),
        Recording(record=m.TIER_SERVERS, expr=f"sum {_per_tier(m.REDIS_UP)}"),
        Recording(
            record=m.TIER_PRIMARIES,
            expr=f"count {_per_tier(_PRIMARY)}",
        ),
        Recording(
            record=m.TIER_REPLICAS_CONNECTED, expr=f"sum {_per_tier(m.REDIS_CONNECTED_REPLICAS)}"
        ),
        Recording(
            record=m.TIER_MEMORY_RATIO,
            expr=f"max {_per_tier(f'{m.REDIS_MEMORY_USED} / {m.REDIS_MEMORY_MAX}')}",
        ),
    ),
)

OPERATOR = Group(
    name="operator",
    rules=(
        Recording(
            record=m.RECONCILE_P95_SECONDS,
            expr=_quantile(0.95, m.RECONCILE_SECONDS, "kind", window="5m"),
        ),
        Recording(
            record=m.RECONCILE_ERROR_RATIO,
            expr=_share(
                _rate(m.RECONCILE_ERRORS, "kind", window="5m"),
                _rate(f"{m.RECONCILE_SECONDS}_count", "kind", window="5m"),
            ),
        ),
    ),
)

MACHINES = Group(
    name="machines",
    rules=(
        Recording(record=m.POD_CPU_RATE, expr=_rate(m.POD_CPU_SECONDS, "namespace, pod")),
        Recording(record=m.POD_MEMORY, expr=f"max by (namespace, pod) ({m.POD_MEMORY_BYTES})"),
        Recording(
            record=m.NODE_CPU_RATIO,
            expr=f"{_rate(m.NODE_CPU_SECONDS, 'node, zone')}"
            f" / max by (node, zone) ({m.MACHINE_CORES})",
        ),
        Recording(
            record=m.NODE_MEMORY_RATIO,
            expr=f"max by (node, zone) ({m.NODE_MEMORY_BYTES})"
            f" / max by (node, zone) ({m.MACHINE_MEMORY_BYTES})",
        ),
    ),
)

SCRAPING = Group(
    name="scraping", rules=(Recording(record=m.JOB_UP_RATIO, expr="avg by (job) (up)"),)
)

GROUPS = (GATEWAY, WORKLOADS, REDIS, OPERATOR, MACHINES, SCRAPING)
