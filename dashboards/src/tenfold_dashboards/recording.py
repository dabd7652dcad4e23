"""Recording rules: what boards, alerts and the operator ask again and again."""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards import slo
from tenfold_dashboards.promql import error_ratio, mean, quantile, rate, share
from tenfold_dashboards.rules import Group, Recording

_PRIMARY = m.REDIS_INSTANCE_INFO + '{role="master",redis_mode!="cluster"}'


def _per_tier(expression: str) -> str:
    return f"by ({m.PER_TIER}) ({expression})"


_HITS = rate(m.REDIS_HITS, m.PER_TIER, window="5m")
_MISSES = rate(m.REDIS_MISSES, m.PER_TIER, window="5m")

GATEWAY = Group(
    name="gateway",
    rules=(
        Recording(
            record=m.GATEWAY_RATE,
            expr=rate(m.TRAEFIK_ENTRYPOINT_REQUESTS, "entrypoint", slo.WEB),
        ),
        Recording(
            record=m.GATEWAY_ERROR_RATIO,
            expr=error_ratio(m.TRAEFIK_ENTRYPOINT_REQUESTS, "entrypoint", slo.WEB),
        ),
        Recording(
            record=m.GATEWAY_MEAN_SECONDS,
            expr=mean(m.TRAEFIK_ENTRYPOINT_SECONDS, "entrypoint", slo.WEB),
        ),
        *(
            Recording(
                record=record,
                expr=quantile(level, m.TRAEFIK_ENTRYPOINT_SECONDS, "entrypoint", slo.WEB),
            )
            for record, level in (
                (m.GATEWAY_P50_SECONDS, 0.5),
                (m.GATEWAY_P95_SECONDS, 0.95),
                (m.GATEWAY_P99_SECONDS, 0.99),
            )
        ),
        Recording(record=m.BACKEND_RATE, expr=rate(m.TRAEFIK_SERVICE_REQUESTS, "service")),
        Recording(
            record=m.BACKEND_ERROR_RATIO,
            expr=error_ratio(m.TRAEFIK_SERVICE_REQUESTS, "service"),
        ),
        Recording(
            record=m.BACKEND_P95_SECONDS,
            expr=quantile(0.95, m.TRAEFIK_SERVICE_SECONDS, "service"),
        ),
    ),
)

REDIS = Group(
    name="redis",
    rules=(
        Recording(record=m.TIER_HIT_RATIO, expr=f"{_HITS} / ({_HITS} + {_MISSES})"),
        Recording(record=m.TIER_COMMANDS_RATE, expr=rate(m.REDIS_COMMANDS, m.PER_TIER)),
        Recording(record=m.TIER_SERVERS, expr=f"sum {_per_tier(m.REDIS_UP)}"),
        Recording(
            record=m.TIER_PRIMARIES,
            expr=f"count {_per_tier(_PRIMARY)}",
        ),
        Recording(
            record=m.TIER_REPLICAS_CONNECTED, expr=f"sum {_per_tier(m.REDIS_CONNECTED_REPLICAS)}"
        ),
        Recording(record=m.TIER_LAG, expr=f"max {_per_tier(m.REDIS_REPLICA_LAG)}"),
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
            expr=quantile(0.95, m.RECONCILE_SECONDS, "kind", window="5m"),
        ),
        Recording(
            record=m.RECONCILE_ERROR_RATIO,
            expr=share(
                rate(m.RECONCILE_ERRORS, "kind", window="5m"),
                rate(f"{m.RECONCILE_SECONDS}_count", "kind", window="5m"),
            ),
        ),
    ),
)

MACHINES = Group(
    name="machines",
    rules=(
        Recording(record=m.POD_CPU_RATE, expr=rate(m.POD_CPU_SECONDS, m.PER_POD)),
        Recording(record=m.POD_MEMORY, expr=f"max by ({m.PER_POD}) ({m.POD_MEMORY_BYTES})"),
        Recording(
            record=m.NODE_CPU_RATIO,
            expr=f"{rate(m.NODE_CPU_SECONDS, m.PER_NODE)}"
            f" / max by ({m.PER_NODE}) ({m.MACHINE_CORES})",
        ),
        Recording(
            record=m.NODE_MEMORY_RATIO,
            expr=f"max by ({m.PER_NODE}) ({m.NODE_MEMORY_BYTES})"
            f" / max by ({m.PER_NODE}) ({m.MACHINE_MEMORY_BYTES})",
        ),
    ),
)

SCRAPING = Group(
    name="scraping", rules=(Recording(record=m.JOB_UP_RATIO, expr=f"avg by (job) ({m.UP})"),)
)

GROUPS = (GATEWAY, slo.RECORDINGS, REDIS, OPERATOR, MACHINES, SCRAPING)
