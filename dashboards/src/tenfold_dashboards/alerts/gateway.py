"""The way in: error budgets of all requests, and whether there is a gateway at all."""

from __future__ import annotations

from tenfold_dashboards import metrics as m
from tenfold_dashboards import slo
from tenfold_dashboards.alerts.words import PERCENT, VALUE
from tenfold_dashboards.rules import Alert, Group, Severity

_BOARD = "tenfold-overview"
_WHERE = f"Compare the backends by {m.BACKEND_ERROR_RATIO}: one of them, or all?"
_SLOW_WHERE = (
    f"Compare the backends by {m.BACKEND_P95_SECONDS} and the nodes by {m.NODE_CPU_RATIO}."
)
_LIMIT = f"{slo.target('p95_seconds') * 1000:g} ms"

GROUP = Group(
    name="gateway-alerts",
    rules=(
        Alert(
            alert="GatewayErrorBudgetFast",
            expr=slo.burns(slo.AVAILABILITY, slo.FAST),
            hold="30s",
            severity=Severity.CRITICAL,
            summary=f"{PERCENT} of the requests through the gateway fail",
            description=f"At this rate a month's budget lasts for days. {_WHERE}",
            labels="entrypoint",
            board=_BOARD,
        ),
        Alert(
            alert="GatewayErrorBudgetSlow",
            expr=slo.burns(slo.AVAILABILITY, slo.SLOW),
            hold="5m",
            severity=Severity.WARNING,
            summary=f"{PERCENT} of the requests through the gateway have failed for hours",
            description=f"At this rate a month's budget does not last the month. {_WHERE}",
            labels="entrypoint",
            board=_BOARD,
        ),
        Alert(
            alert="GatewayLatencyBudgetFast",
            expr=slo.burns(slo.LATENCY, slo.FAST),
            hold="30s",
            severity=Severity.CRITICAL,
            summary=f"{PERCENT} of the requests take more than {_LIMIT}",
            description=f"One in twenty may. {_SLOW_WHERE}",
            labels="entrypoint",
            board=_BOARD,
        ),
        Alert(
            alert="GatewayLatencyBudgetSlow",
            expr=slo.burns(slo.LATENCY, slo.SLOW),
            hold="5m",
            severity=Severity.WARNING,
            summary=f"{PERCENT} of the requests have taken more than {_LIMIT} for hours",
            description=f"One in twenty may. {_SLOW_WHERE}",
            labels="entrypoint",
            board=_BOARD,
        ),
        Alert(
            alert="GatewayAbsent",
            expr=f'(sum({m.UP}{{job="{m.JOB_PODS}",app="{m.APP_TRAEFIK}"}}) or vector(0)) == 0',
            hold="1m",
            severity=Severity.CRITICAL,
            summary=f"{VALUE} gateway pods answer Prometheus",
            description="Nothing may be getting in. Look at the pods in tenfold-gateway.",
            board=_BOARD,
        ),
    ),
)
