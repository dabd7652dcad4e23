"""The marketplaces' gateway, webhooks and the cache."""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards.alerts.words import PERCENT, ROUGHLY, VALUE, place
from tenfold_dashboards.promql import rate
from tenfold_dashboards.rules import Alert, Group, Severity

_BOARD = "tenfold-services"


def _letters(where: str) -> str:
    """Return the events in a place: each pod tells of the same ones."""
    return f'max by (namespace) ({m.WEBHOOKS_LETTERS}{{place="{where}"}})'


GROUP = Group(
    name="service-alerts",
    rules=(
        Alert(
            alert="MarketplaceBreakerOpen",
            # It half-opens again and again to try: what counts is how much of the time it is open.
            expr=f"avg by ({m.PER_MARKETPLACE}) (avg_over_time({m.BREAKER_OPEN}[5m])) > 0.5",
            hold="1m",
            severity=Severity.WARNING,
            summary=f"The circuit to {place('marketplace')} was open for {PERCENT} of 5 minutes",
            description="The marketplace does not answer, or answers with errors. Requests for it"
            " are refused at once; products are served from the cache.",
            labels=m.PER_MARKETPLACE,
            board=_BOARD,
        ),
        Alert(
            alert="RateLimitUnchecked",
            expr=f"{rate(m.RATE_LIMIT_UNCHECKED, 'namespace', window='5m')} > 0",
            hold="5m",
            severity=Severity.WARNING,
            summary=f"{ROUGHLY} requests a second pass the rate limit of"
            " {{ $labels.namespace }} unchecked",
            description="The gateway does not reach its Redis tier, and lets everybody through.",
            labels="namespace",
            board=_BOARD,
        ),
        Alert(
            alert="WebhookDeadLetters",
            expr=f"{_letters('dead')} > 0",
            hold="5m",
            severity=Severity.WARNING,
            summary=f"{VALUE} webhooks of {{{{ $labels.namespace }}}} were given up",
            description="Their effect is missing until somebody replays them:"
            " `tenfold-webhooks dead list` has the causes.",
            labels="namespace",
            board=_BOARD,
        ),
        Alert(
            alert="WebhooksBehind",
            expr=f"{_letters('stream')} > 1000",
            hold="5m",
            severity=Severity.WARNING,
            summary=f"{VALUE} webhooks of {{{{ $labels.namespace }}}} wait",
            description="The workers are slower than what comes in, or have stopped.",
            labels="namespace",
            board=_BOARD,
        ),
        Alert(
            alert="CacheNotListening",
            expr=f"count by ({m.PER_WORKLOAD}) ({m.CACHE_LISTENING} == 0) > 0",
            hold="5m",
            severity=Severity.WARNING,
            summary=f"{VALUE} pods of {place('workload')} hear no invalidations",
            description="They serve from memory for a few seconds longer than others, and ask"
            " Redis more often. Look at the tier that they use.",
            labels=m.PER_WORKLOAD,
            board=_BOARD,
        ),
    ),
)
