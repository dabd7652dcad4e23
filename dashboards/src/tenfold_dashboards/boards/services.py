"""Services: the gateway by marketplace, webhooks, and the cache tiers."""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards import promql
from tenfold_dashboards.boards import variables
from tenfold_dashboards.panels import (
    NAMESPACE,
    WINDOW,
    Board,
    Limit,
    Look,
    Panel,
    Query,
    Row,
    units,
)


def _rate(counter: str, by: str, where: str = "") -> str:
    both = ",".join(each for each in (where, NAMESPACE) if each)
    return promql.rate(counter, by, both, WINDOW)


def _p95(histogram: str, by: str = "") -> str:
    return promql.quantile(0.95, histogram, by, NAMESPACE, WINDOW)


def routes() -> Panel:
    """Requests by route."""
    return Panel(
        title="Requests by route",
        description="Requests a second that the gateway service answers.",
        unit=units.RequestsPerSecond,
        queries=(Query(_rate(m.GATEWAY_REQUESTS, "route"), "{{route}}"),),
    )


def statuses() -> Panel:
    """Requests by status."""
    return Panel(
        title="Answers by status",
        description="Requests a second by the status of their answer. 4xx are refusals with a"
        " reason, 5xx are marketplaces or Redis that do not answer.",
        unit=units.RequestsPerSecond,
        queries=(Query(_rate(m.GATEWAY_REQUESTS, "status"), "{{status}}"),),
    )


def route_latency() -> Panel:
    """Latency by route."""
    return Panel(
        title="Latency by route, 95th percentile",
        description="Time from a request's head to the end of its answer, in the service itself.",
        unit=units.Seconds,
        queries=(Query(_p95(m.GATEWAY_SECONDS, "route"), "{{route}}"),),
    )


def calls() -> Panel:
    """Calls of marketplaces."""
    return Panel(
        title="Calls of marketplaces",
        description="Calls a second by how they ended, each with its retries one.",
        unit=units.RequestsPerSecond,
        queries=(
            Query(
                _rate(m.UPSTREAM_REQUESTS, "marketplace, outcome"), "{{marketplace}} {{outcome}}"
            ),
        ),
    )


def call_latency() -> Panel:
    """How long marketplaces take."""
    return Panel(
        title="Time of a call, 95th percentile",
        description="Time of one attempt at a marketplace.",
        unit=units.Seconds,
        queries=(Query(_p95(m.UPSTREAM_SECONDS, "marketplace"), "{{marketplace}}"),),
    )


def breakers() -> Panel:
    """Circuits that are open."""
    return Panel(
        title="Circuits closed",
        description="No while calls of a marketplace are refused at once because it does not"
        " answer.",
        unit=units.NoUnit,
        queries=(
            Query(
                f"1 - max by ({m.PER_MARKETPLACE}) ({m.BREAKER_OPEN}{{{NAMESPACE}}})",
                "{{marketplace}}",
            ),
        ),
        look=Look.STATES,
    )


def retries() -> Panel:
    """Attempts that were repeated."""
    return Panel(
        title="Retries",
        description="Attempts a second that were repeated.",
        unit=units.RequestsPerSecond,
        queries=(Query(_rate(m.UPSTREAM_RETRIES, "marketplace"), "{{marketplace}}"),),
        width=6,
    )


def in_flight() -> Panel:
    """Places of the bulkheads."""
    return Panel(
        title="In flight",
        description="Requests that are being answered, and calls that hold a place of their"
        " marketplace's bulkhead.",
        unit=units.Short,
        queries=(
            Query(f"sum({m.GATEWAY_IN_FLIGHT}{{{NAMESPACE}}})", "requests"),
            Query(
                f"sum by (marketplace) ({m.UPSTREAM_IN_FLIGHT}{{{NAMESPACE}}})", "{{marketplace}}"
            ),
        ),
        width=6,
    )


def refused() -> Panel:
    """Requests refused."""
    return Panel(
        title="Refused",
        description="Requests a second that were refused before any work, and those that passed"
        " the rate limit because Redis did not answer.",
        unit=units.RequestsPerSecond,
        queries=(
            Query(_rate(m.GATEWAY_REFUSED, "cause"), "{{cause}}"),
            Query(_rate(m.RATE_LIMIT_UNCHECKED, "namespace"), "unchecked"),
        ),
        width=6,
    )


def overhead() -> Panel:
    """What the gateway itself costs."""
    return Panel(
        title="Verification and mapping, 95th percentile",
        description="What the gateway itself adds: verifying a token and the rate limit, and"
        " turning a marketplace's answer into ours. The platform report's goals are 5 and 10 ms.",
        unit=units.Seconds,
        queries=(
            Query(_p95(m.VERIFICATION_SECONDS), "verification"),
            Query(_p95(m.TRANSFORMATION_SECONDS, "marketplace"), "mapping {{marketplace}}"),
        ),
        limit=Limit(0.01),
        width=6,
    )


def breaker_time() -> Panel:
    """What breakers cost."""
    return Panel(
        title="Decision of a breaker, 99th percentile",
        description="Time that a circuit breaker takes to let a call through or not. The platform"
        " report's goal is a millisecond.",
        unit=units.Seconds,
        queries=(
            Query(
                promql.quantile(0.99, m.BREAKER_SECONDS, "", NAMESPACE, WINDOW), "99th percentile"
            ),
        ),
        limit=Limit(0.001),
    )


def gateway_redis() -> Panel:
    """The gateway's Redis."""
    return Panel(
        title="Redis, 95th percentile",
        description="Time of the gateway's operations on Redis.",
        unit=units.Seconds,
        queries=(Query(_p95(m.GATEWAY_REDIS_SECONDS, "operation"), "{{operation}}"),),
        width=12,
    )


def gateway_redis_errors() -> Panel:
    """Failures of the gateway's Redis."""
    return Panel(
        title="Redis errors",
        description="Attempts a second at a Redis operation that failed, those repeated with"
        " success included.",
        unit=units.OpsPerSecond,
        queries=(
            Query(_rate(m.GATEWAY_REDIS_ERRORS, "operation, code"), "{{operation}} {{code}}"),
        ),
        width=12,
    )


def webhooks_received() -> Panel:
    """Webhooks at the door."""
    return Panel(
        title="Webhooks received",
        description="Webhooks a second by what became of them at the door.",
        unit=units.RequestsPerSecond,
        queries=(
            Query(
                _rate(m.WEBHOOKS_RECEIVED, "marketplace, outcome"), "{{marketplace}} {{outcome}}"
            ),
        ),
    )


def webhooks_handled() -> Panel:
    """Events worked on."""
    return Panel(
        title="Events handled",
        description="Attempts a second at events by how they ended.",
        unit=units.OpsPerSecond,
        queries=(
            Query(_rate(m.WEBHOOKS_HANDLED, "marketplace, outcome"), "{{marketplace}} {{outcome}}"),
        ),
    )


def webhooks_time() -> Panel:
    """From receipt to effect."""
    return Panel(
        title="Time to effect, 95th percentile",
        description="Time from receiving a webhook to its effect, pauses before further attempts"
        " included, and the time to verify one.",
        unit=units.Seconds,
        queries=(
            Query(_p95(m.WEBHOOKS_APPLIED_SECONDS), "effect"),
            Query(_p95(m.WEBHOOKS_VERIFICATION_SECONDS), "verification"),
        ),
    )


def letters() -> Panel:
    """Events that wait."""
    return Panel(
        title="Events that wait",
        description="Events in the stream, waiting for another attempt, and given up. Somebody has"
        " to replay the dead ones.",
        unit=units.Short,
        queries=(
            Query(
                f"max by (namespace, place) ({m.WEBHOOKS_LETTERS}{{{NAMESPACE}}})",
                "{{namespace}} {{place}}",
            ),
        ),
        width=12,
    )


def dead_letters() -> Panel:
    """Events given up."""
    return Panel(
        title="Events given up",
        description="Events a second that were given up, by reason, and rounds of a worker that"
        " Redis ended.",
        unit=units.OpsPerSecond,
        queries=(
            Query(_rate(m.WEBHOOKS_DEAD, "marketplace, reason"), "{{marketplace}} {{reason}}"),
            Query(_rate(m.WEBHOOKS_REDIS_ERRORS, "namespace"), "Redis"),
        ),
        width=12,
    )


def cache_hits() -> Panel:
    """The whole cache's hit ratio."""
    hits = _rate(m.CACHE_GETS, "", 'outcome="hit"')
    return Panel(
        title="Hit ratio of the cache",
        description="Share of the gets that were answered by some tier and not by the origin. The"
        " line is the platform report's goal.",
        unit=units.PercentUnit,
        queries=(Query(f"{hits} / {_rate(m.CACHE_GETS, '')}", "hits"),),
        limit=Limit(0.98, is_goal=True),
    )


def cache_tiers() -> Panel:
    """Hit ratio by tier."""
    asked = _rate(m.CACHE_REQUESTS, "tier", 'outcome=~"hit|stale|miss"')
    hits = _rate(m.CACHE_REQUESTS, "tier", 'outcome="hit"')
    return Panel(
        title="Hit ratio by tier",
        description="Share of what reaches a tier that it has. Each sees only what those above"
        " missed.",
        unit=units.PercentUnit,
        queries=(Query(f"{hits} / {asked}", "{{tier}}"),),
    )


def cache_latency() -> Panel:
    """Time of each tier."""
    return Panel(
        title="Time of a tier, 95th percentile",
        description="Time that each tier takes for an operation.",
        unit=units.Seconds,
        queries=(Query(_p95(m.CACHE_SECONDS, "tier, operation"), "{{tier}} {{operation}}"),),
    )


def cache_loads() -> Panel:
    """Loads from the origin."""
    return Panel(
        title="Loads",
        description="Time that the origin takes, 95th percentile, by how it ended.",
        unit=units.Seconds,
        queries=(Query(_p95(m.CACHE_LOAD_SECONDS, "outcome"), "{{outcome}}"),),
        width=6,
    )


def cache_memory() -> Panel:
    """Memory of L1."""
    return Panel(
        title="L1",
        description="Bytes that each process holds in memory.",
        unit=units.BytesIEC,
        queries=(Query(f"{m.CACHE_MEMORY_BYTES}{{{NAMESPACE}}}", "{{pod}}"),),
        width=6,
    )


def cache_churn() -> Panel:
    """Entries that leave."""
    return Panel(
        title="Evictions and invalidations",
        description="Entries a second given up in memory for others, and invalidations sent and"
        " received.",
        unit=units.OpsPerSecond,
        queries=(
            Query(_rate(m.CACHE_EVICTIONS, "workload"), "{{workload}} evicted"),
            Query(_rate(m.CACHE_INVALIDATIONS, "direction"), "{{direction}}"),
        ),
        width=6,
    )


def cache_listening() -> Panel:
    """Whether invalidations arrive."""
    return Panel(
        title="Listening",
        description="No while a process does not hear of other processes' invalidations.",
        unit=units.NoUnit,
        queries=(Query(f"{m.CACHE_LISTENING}{{{NAMESPACE}}}", "{{pod}}"),),
        look=Look.STATES,
        width=6,
    )


def warmer() -> Panel:
    """The warmer's accuracy."""
    return Panel(
        title="Warmer",
        description="Share of the warmed keys that were asked for (accuracy; the platform"
        " report's is 87.3%), and share of the keys asked for that were warmed (coverage).",
        unit=units.PercentUnit,
        queries=(
            Query(f"max({m.CACHE_WARM_ACCURACY}{{{NAMESPACE}}})", "accuracy"),
            Query(f"max({m.CACHE_WARM_COVERAGE}{{{NAMESPACE}}})", "coverage"),
        ),
        limit=Limit(0.873, is_goal=True),
        width=12,
    )


def warmed() -> Panel:
    """Keys warmed."""
    return Panel(
        title="Keys warmed",
        description="Keys that the warmer expects in the current interval.",
        unit=units.Short,
        queries=(Query(f"max({m.CACHE_WARMED_KEYS}{{{NAMESPACE}}})", "keys"),),
        width=12,
    )


BOARD = Board(
    uid="tenfold-services",
    title="Tenfold / Services",
    description="The gateway by marketplace, the webhooks, and the cache tiers.",
    variables=(variables.NAMESPACE,),
    rows=(
        Row("Gateway", (routes(), statuses(), route_latency())),
        Row("Marketplaces", (calls(), call_latency(), breakers())),
        Row("What the gateway does", (retries(), in_flight(), refused(), overhead())),
        Row("The gateway's Redis", (gateway_redis(), gateway_redis_errors())),
        Row("Breakers", (breaker_time(),)),
        Row(
            "Webhooks",
            (
                webhooks_received(),
                webhooks_handled(),
                webhooks_time(),
                letters(),
                dead_letters(),
            ),
        ),
        Row(
            "Cache",
            (
                cache_hits(),
                cache_tiers(),
                cache_latency(),
                cache_loads(),
                cache_memory(),
                cache_churn(),
                cache_listening(),
                warmer(),
                warmed(),
            ),
        ),
    ),
)
