"""Recording rules, evaluated by promtool on made-up series, and the rule files."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
import yaml
from tenfold_dashboards import metrics, recording
from tenfold_dashboards.alerts import ALERTS
from tenfold_dashboards.files import rule_files, rule_resource
from tenfold_dashboards.rules import Links, render_groups

from tests.unit.dashboards.cases import (
    BAD,
    L2,
    OK,
    OPERATOR,
    REPLICAS,
    TRAEFIK,
    WHOLE_TIER,
    rising,
    server,
    steady,
)
from tests.unit.dashboards.promtool import RECORDINGS, run_tests, series

Check = Callable[[Mapping[str, str], str, Sequence[tuple[str, float]]], None]
ALIVE = {TRAEFIK: steady(1), OPERATOR: steady(1)}
"""Without these two, alerts about their absence fire in every test."""


@pytest.fixture
def answers(tmp_path: Path) -> Check:
    """Check what a query answers ten minutes into the series, with all rules loaded."""
    groups = [group for text in rule_files().values() for group in yaml.safe_load(text)["groups"]]
    rules = yaml.safe_dump({"groups": groups})

    def check(
        samples: Mapping[str, str], query: str, expected: Sequence[tuple[str, float]]
    ) -> None:
        wanted = [{"labels": labels, "value": value} for labels, value in expected]
        test = {"expr": str(query), "eval_time": "10m", "exp_samples": wanted}
        document = {"input_series": series(samples), "promql_expr_test": [test]}
        run_tests(tmp_path, rules, [document], "10s")

    return check


@pytest.mark.parametrize("name", sorted(rule_files()))
def test_prometheus_takes_the_rule_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(rule_files()[name])
    command = ["promtool", "check", "rules", "--lint=all", "--lint-fatal", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_resource_has_the_same_groups_as_the_files() -> None:
    files = [group for text in rule_files().values() for group in yaml.safe_load(text)["groups"]]
    resource = yaml.safe_load(rule_resource())
    assert (resource["apiVersion"], resource["kind"]) == (
        "monitoring.coreos.com/v1",
        "PrometheusRule",
    )
    assert resource["spec"]["groups"] == sorted(files, key=resource["spec"]["groups"].index)


def test_links_are_those_of_the_stack() -> None:
    links = Links(runbooks="https://books.example.com", boards="https://grafana.example.com")
    alerts = yaml.safe_load(rule_files(links)["alerts.yaml"])
    annotations = [rule["annotations"] for group in alerts["groups"] for rule in group["rules"]]
    assert {each["runbook_url"].split("/")[2] for each in annotations} == {"books.example.com"}
    assert {each["dashboard_url"].split("/")[2] for each in annotations} == {"grafana.example.com"}


@pytest.mark.parametrize(
    ("alert", "page"),
    [
        ("RolloutFailed", "#/workloads/{{ $labels.namespace }}/{{ $labels.workload }}"),
        ("RedisPrimaryMissing", "#/redistiers/{{ $labels.namespace }}/{{ $labels.tier }}"),
        ("AnomalyFound", "#/anomalydetectors/{{ $labels.namespace }}/{{ $labels.detector }}"),
        ("NodeBusy", "#/"),
    ],
)
def test_without_grafana_an_alert_leads_to_the_consoles_page(alert: str, page: str) -> None:
    links = Links(boards=None, console="https://console.example.com")
    (found,) = (each for each in ALERTS if each.alert == alert)
    assert found.dashboard_url(links) == f"https://console.example.com/{page}"


def test_every_recorded_name_is_in_the_list_of_names() -> None:
    recorded = [rule.record for rule in RECORDINGS]
    listed = [each for each in metrics.all_metrics() if each.source == "Recording rules"]
    assert sorted(recorded) == sorted(listed)


class TestRatios:
    """Nothing, none and some are three different answers."""

    LABELS = f'{metrics.GATEWAY_ERROR_RATIO}{{entrypoint="web"}}'

    def test_requests_without_failures_are_zero(self, answers: Check) -> None:
        answers({OK: rising(100)}, metrics.GATEWAY_ERROR_RATIO, [(self.LABELS, 0)])

    def test_failures_are_their_share(self, answers: Check) -> None:
        samples = {OK: rising(75), BAD: rising(25)}
        answers(samples, metrics.GATEWAY_ERROR_RATIO, [(self.LABELS, 0.25)])

    def test_no_requests_are_no_number(self, answers: Check) -> None:
        answers({OK: steady(7)}, f"{metrics.GATEWAY_ERROR_RATIO} >= 0", [])
        nan = f"{metrics.GATEWAY_ERROR_RATIO} != {metrics.GATEWAY_ERROR_RATIO}"
        answers({OK: steady(7)}, f"count({nan})", [("{}", 1)])

    def test_no_gateway_is_no_answer(self, answers: Check) -> None:
        answers(ALIVE, metrics.GATEWAY_ERROR_RATIO, [])


def test_hit_ratio_is_of_the_tier_and_not_of_its_servers(answers: Check) -> None:
    samples = {
        f'redis_keyspace_hits_total{{{L2},pod="l2-0"}}': rising(90),
        f'redis_keyspace_misses_total{{{L2},pod="l2-0"}}': rising(5),
        f'redis_keyspace_hits_total{{{L2},pod="l2-1"}}': rising(0),
        f'redis_keyspace_misses_total{{{L2},pod="l2-1"}}': rising(5),
    }
    answers(samples, metrics.TIER_HIT_RATIO, [(f"{metrics.TIER_HIT_RATIO}{{{L2}}}", 0.9)])


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param(ALIVE | dict(WHOLE_TIER) | {OK: rising(100)}, set(), id="all is well"),
        pytest.param(
            {OPERATOR: steady(1), TRAEFIK: steady(0)},
            {"GatewayAbsent", "TargetDown"},
            id="no gateway answers",
        ),
        pytest.param(
            ALIVE | dict(server("l2-0", "slave")) | dict(REPLICAS),
            {"RedisPrimaryMissing"},
            id="no primary",
        ),
        pytest.param(
            ALIVE | dict(server("l2-0", "master", 2)) | dict(server("l2-1", "master")),
            {"RedisTwoPrimaries"},
            id="two primaries",
        ),
    ],
)
def test_trouble_is_told_once(
    answers: Check, samples: Mapping[str, str], expected: set[str]
) -> None:
    firing = 'group by (alertname) (ALERTS{alertstate="firing"})'
    answers(samples, firing, [(f'{{alertname="{name}"}}', 1) for name in expected])


def test_groups_are_rendered_in_their_order() -> None:
    rendered = yaml.safe_load(render_groups(recording.GROUPS, Links()))
    assert [group["name"] for group in rendered["groups"]] == [g.name for g in recording.GROUPS]
