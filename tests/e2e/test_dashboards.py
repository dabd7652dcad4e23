"""No panel is empty, and no alert reads a series that is not there, on the platform under load."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from tenfold_dashboards import metrics, promql
from tenfold_dashboards.alerts import ALERTS
from tenfold_dashboards.boards import BOARDS

from tests.e2e.conftest import TENANT
from tests.e2e.shop_traffic import shop_traffic, token, webhook_secret
from tests.rollouts.demo import ANALYSIS, CANARY, serving
from tests.support import Kubectl, steady_load, wait_until

pytestmark = pytest.mark.cluster
DATA_SECONDS = 120.0
PRODUCED = {metrics.VERDICTS, metrics.ROLLOUT_SECONDS, metrics.GATEWAY_REFUSED}
"""What a healthy platform may be without, and the traffic of this test brings about."""
EMPTY_SELECTORS = {
    f'{metrics.ACTIONS}{{kind="RedisTier",action="Fence"}}': "no server was fenced",
    f'{metrics.TIER_CONDITION}{{condition="Balanced"}}': "the stack may have no Redis Cluster",
    f'{metrics.TIER_CONDITION}{{condition="UsersApplied"}}': "the stack's tiers may have no users",
}
VARIABLES = re.compile(r"\$(?!__)(?!1\b)[a-z_]+")
QUICK = {
    **CANARY,
    "steps": [{"weight": 20, "holdSeconds": 4}],
    "analysis": {**ANALYSIS, "minRequests": 30},
}


@pytest.fixture(scope="module")
def loaded(kubectl: Kubectl, entrances: dict[str, str]) -> Iterator[None]:
    """Load of every kind, during and after a rollout that was judged."""
    bearer, secret = token(kubectl, TENANT), webhook_secret(kubectl, TENANT)
    with (
        serving(kubectl, TENANT, "demo-boards", QUICK) as demo,
        steady_load(f"{entrances['gateway']}/{demo.name}", per_second=50),
        shop_traffic(entrances["gateway"], bearer, secret),
    ):
        demo.apply({"V": "2"}, QUICK)
        demo.wait_rolled_out()
        yield


def ask(prometheus: httpx.Client, expression: str) -> bool:
    """Return whether there is an answer; an expression that does not parse fails the test."""
    answer = prometheus.get("/query", params={"query": expression})
    assert answer.status_code == 200, f"{expression}: {answer.text}"
    return bool(answer.json()["data"]["result"])


def may_be_empty(expression: str) -> bool:
    by_series = metrics.by_series()
    used = {by_series[each] for each in promql.series_in(expression) if each in by_series}
    return any(each.appears for each in used - PRODUCED)


def wait_for_answers(prometheus: httpx.Client, wanted: dict[str, str]) -> None:
    """Wait until each expression, by where it stands, has an answer."""
    missing = dict(wanted)

    def all_answered() -> bool:
        for place, expression in list(missing.items()):
            if ask(prometheus, expression):
                del missing[place]
        return not missing

    try:
        wait_until(all_answered, seconds=DATA_SECONDS, what="every answer", every=3)
    except AssertionError:
        pytest.fail(f"without data: {missing}")


def test_every_panel_has_data(loaded: None, prometheus: httpx.Client) -> None:
    wanted = {}
    for board in BOARDS:
        for panel in board.panels:
            for query in panel.queries:
                expression = query.expr.replace("$__rate_interval", "1m")
                expression = VARIABLES.sub(".+", expression)
                ask(prometheus, expression)
                if not query.empty_until and not may_be_empty(query.expr):
                    wanted[f"{board.title} / {panel.title} / {query.legend}"] = expression
    wait_for_answers(prometheus, wanted)


def test_every_alert_parses_and_what_it_reads_is_there(
    loaded: None, prometheus: httpx.Client
) -> None:
    wanted = {}
    for alert in ALERTS:
        ask(prometheus, alert.expr)
        for name in promql.series_in(alert.expr):
            for selector in re.findall(rf"(?<![\w:]){name}(?![\w:])(?:{{[^}}]*}})?", alert.expr):
                if selector not in EMPTY_SELECTORS and not may_be_empty(selector):
                    wanted[f"{alert.alert} / {selector}"] = selector
    wait_for_answers(prometheus, wanted)
