"""Boards are valid for Grafana, say what they show, and ask only for what exists."""

from __future__ import annotations

import importlib.metadata
import itertools
import json
import re

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Metric
from prometheus_client.registry import Collector
from tenfold_cache.metrics import Metrics as CacheMetrics
from tenfold_dashboards import metrics, promql
from tenfold_dashboards.alerts import ALERTS
from tenfold_dashboards.boards import BOARDS
from tenfold_dashboards.files import board_files
from tenfold_dashboards.metrics import Kind
from tenfold_dashboards.panels import Board, Panel
from tenfold_gateway import metrics as gateway
from tenfold_infra import images
from tenfold_marketplaces import metrics as marketplaces
from tenfold_operator import guard
from tenfold_operator import metrics as operator
from tenfold_operator.adapters.store import Store
from tenfold_operator.console.anomalies import AnomalyCollector
from tenfold_operator.console.collector import ResourceCollector
from tenfold_operator.plan.scaling import insight
from tenfold_runtime import metrics as runtime
from tenfold_webhooks import metrics as webhooks

from tests.unit.dashboards.promtool import RECORDINGS
from tests.unit.dashboards.schema import violations

SERVICES = (gateway, guard, marketplaces, operator, webhooks)
"""Importing them registers what they count."""
PANELS = [(board, panel) for board in BOARDS for panel in board.panels]
NAMES = [f"{board.uid}: {panel.title}" for board, panel in PANELS]
EVERY_PANEL = pytest.mark.parametrize(("board", "panel"), PANELS, ids=NAMES)
FILES = {name: json.loads(text) for name, text in board_files().items()}
EVERY_FILE = pytest.mark.parametrize("name", sorted(FILES))


@EVERY_FILE
def test_a_board_is_valid_for_the_schema(name: str) -> None:
    assert violations(FILES[name]) == []


def test_the_schema_finds_what_is_wrong() -> None:
    board = json.loads(next(iter(board_files().values())))
    board["titel"] = "misspelt"
    panel = next(each for each in board["panels"] if each["type"] == "timeseries")
    panel["gridPos"]["w"] = "wide"
    panel["options"]["tooltip"]["mode"] = "loud"
    panel["fieldConfig"]["defaults"]["custom"]["lineWidht"] = 3
    panel["targets"][0]["exprr"] = "up"
    found = " ".join(violations(board))
    assert "titel is not in the schema" in found
    assert "'wide', not int" in found
    assert "'loud', which TooltipDisplayMode has not" in found
    assert "lineWidht is not in the schema" in found
    assert "exprr is not in the schema" in found


def test_the_schema_is_that_of_the_grafana_that_is_installed() -> None:
    built_for = importlib.metadata.version("grafana-foundation-sdk").split("!")[-1]
    assert images.GRAFANA.reference.rsplit(":", 1)[1] == built_for


@EVERY_FILE
def test_panels_lie_beside_each_other_and_none_on_another(name: str) -> None:
    places = [panel["gridPos"] for panel in FILES[name]["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in itertools.combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)
    numbers = [panel["id"] for panel in FILES[name]["panels"]]
    assert len(numbers) == len(set(numbers))


@EVERY_FILE
def test_data_source_and_namespace_are_chosen_by_the_reader(name: str) -> None:
    board = FILES[name]
    chosen = [variable["name"] for variable in board["templating"]["list"]]
    assert chosen[:2] == ["datasource", "namespace"]
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@EVERY_PANEL
class TestEachPanel:
    def test_says_what_it_shows_and_in_which_unit(self, board: Board, panel: Panel) -> None:
        assert panel.description.endswith(".")
        assert panel.unit

    def test_asks_only_for_metrics_that_are_listed(self, board: Board, panel: Panel) -> None:
        for query in panel.queries:
            used = promql.series_in(query.expr) - {"ALERTS"}
            assert used <= set(metrics.by_series()), query.expr

    def test_uses_only_variables_of_its_board(self, board: Board, panel: Panel) -> None:
        known = {"datasource", "__rate_interval", *(each.name for each in board.variables)}
        for query in panel.queries:
            assert set(re.findall(r"\$([a-z_]+)", query.expr)) <= known

    def test_names_only_labels_that_an_answer_may_have(self, board: Board, panel: Panel) -> None:
        for query in panel.queries:
            grouped = re.match(r"(?:\d+ - )?(?:sum|max|min|count|avg) by \(([^)]*)\)", query.expr)
            if grouped:
                kept = {each.strip() for each in grouped[1].split(",")}
                assert set(re.findall(r"\{\{(\w+)\}\}", query.legend)) <= kept


def test_titles_are_told_apart() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert len({board.uid for board in BOARDS}) == len(BOARDS)


def test_alerts_point_at_boards_that_exist_and_at_variables_that_these_have() -> None:
    boards = {board.uid: {each.name for each in board.variables} for board in BOARDS}
    assert {alert.board for alert in ALERTS} <= set(boards)


def test_every_listed_metric_is_used() -> None:
    asked = [query.expr for _, panel in PANELS for query in panel.queries]
    asked += [alert.expr for alert in ALERTS]
    asked += [rule.expr for rule in RECORDINGS]
    used = set().union(*(promql.series_in(expression) for expression in asked))
    by_series = metrics.by_series()
    unused = set(metrics.all_metrics()) - {by_series[each] for each in used if each in by_series}
    known_only_to_the_reference = {metrics.SIMULATOR_ANSWERS, metrics.CACHE_MEMORY_ENTRIES}
    assert unused <= known_only_to_the_reference


OURS = tuple(
    each
    for each in metrics.all_metrics()
    if each.startswith("tenfold_") and each not in insight.DOCUMENTATION
)
"""Those of a scaling decision are made of what is known of it: their names are in a table."""


class TestMetricsExist:
    """What is listed as ours is what the code makes: name, kind and labels."""

    def test_in_the_services_and_the_operator(self) -> None:
        assert all(SERVICES)
        made = {**_registered(), **_collected()}
        wrong = {
            str(each): (each.kind.value, sorted(each.labels), made.get(str(each)))
            for each in OURS
            if made.get(str(each)) != (each.kind.value, sorted(each.labels))
        }
        assert wrong == {}

    def test_in_what_is_told_of_a_scaling_decision(self) -> None:
        source = "The operator's forecasts"
        listed = [each for each in metrics.all_metrics() if each.source == source]
        gauges = {str(each) for each in listed if each.kind is Kind.GAUGE}
        assert gauges == set(insight.DOCUMENTATION)


def _registered() -> dict[str, tuple[str, list[str]]]:
    """What importing the services and the operator registers."""
    runtime.requests(gateway.PREFIX)
    cache = CollectorRegistry()
    CacheMetrics(cache)
    found = {}
    for collector in {*REGISTRY._collector_to_names, *cache._collector_to_names}:
        labels = getattr(collector, "_labelnames", None)
        if labels is None:
            continue
        for family in collector.collect():
            suffix = "_total" if family.type == Kind.COUNTER.value else ""
            found[f"{family.name}{suffix}"] = (family.type, sorted(labels))
    return found


def _collected() -> dict[str, tuple[str, list[str]]]:
    collectors: list[Collector] = [ResourceCollector(Store()), AnomalyCollector(Store())]
    families: list[Metric] = [each for made in collectors for each in made.collect()]
    return {
        family.name: (family.type, sorted(getattr(family, "_labelnames", ())))
        for family in families
    }
