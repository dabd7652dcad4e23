"""Recording rules and alerts, evaluated by promtool on made-up series."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from tenfold_dashboards import alerts, metrics, recording
from tenfold_dashboards.files import rule_files
from tenfold_dashboards.rules import Alert, Recording

Samples = dict[str, str]
Check = Callable[..., None]

TRAEFIK_UP = 'up{job="pods",app="traefik"}'
OPERATOR_UP = 'up{job="pods",app="operator"}'
ALIVE = {TRAEFIK_UP: "1x60", OPERATOR_UP: "1x60"}
"""Without these two, alerts about their absence fire in every test."""

TIER = 'namespace="shop",tier="l2"'


def server(pod: str, role: str, replicas: int) -> Samples:
    labels = f'{TIER},pod="{pod}"'
    return {
        f"redis_up{{{labels}}}": "1x60",
        f'redis_instance_info{{{labels},role="{role}"}}': "1x60",
        f"redis_connected_slaves{{{labels}}}": f"{replicas}x60",
    }


PRIMARY = server("l2-0", "master", 2)
REPLICAS = server("l2-1", "slave", 0) | server("l2-2", "slave", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in rule_files().items():
        (tmp_path / name).write_text(text)
    return tmp_path


def promtool(folder: Path, document: dict[str, Any]) -> None:
    path = folder / "test.yml"
    path.write_text(
        yaml.safe_dump(
            {
                "rule_files": sorted(rule_files()),
                "evaluation_interval": "10s",
                "tests": [{"interval": "10s"} | document],
            }
        )
    )
    done = subprocess.run(
        ["promtool", "test", "rules", str(path)], capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr


def series(samples: Samples) -> list[dict[str, str]]:
    return [{"series": name, "values": values} for name, values in samples.items()]


@pytest.fixture
def answers(folder: Path) -> Check:
    """Check what a query answers ten minutes into the series."""

    def check(samples: Samples, query: str, expected: Sequence[tuple[str, float]]) -> None:
        wanted = [{"labels": labels, "value": value} for labels, value in expected]
        test = {"expr": query, "eval_time": "10m", "exp_samples": wanted}
        promtool(folder, {"input_series": series(samples), "promql_expr_test": [test]})

    return check


RULES = [rule for group in (*recording.GROUPS, *alerts.GROUPS) for rule in group.rules]
ALERTS = [rule for rule in RULES if isinstance(rule, Alert)]


@pytest.mark.parametrize("name", sorted(rule_files()))
def test_prometheus_takes_the_rule_files(folder: Path, name: str) -> None:
    command = ["promtool", "check", "rules", "--lint=all", "--lint-fatal", str(folder / name)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_recorded_name_is_in_the_list_of_names() -> None:
    known = {value for value in vars(metrics).values() if isinstance(value, str)}
    recorded = [rule.record for rule in RULES if isinstance(rule, Recording)]
    assert set(recorded) <= known
    assert len(set(recorded)) == len(recorded)


def test_alerts_read_only_series_that_are_recorded_or_scraped() -> None:
    known = {value for value in vars(metrics).values() if isinstance(value, str)} | {"up"}
    for alert in ALERTS:
        without_strings = re.sub(r'"[^"]*"', "", alert.expr)
        used = set(re.findall(r"\b[a-z]+(?:[_:][a-z0-9_:]+)+\b", without_strings))
        assert used <= known, alert.alert


def test_each_alert_has_one_name() -> None:
    names = [alert.alert for alert in ALERTS]
    assert len(names) == len(set(names))


class TestRatios:
    """Nothing, none and some are three different answers."""

    OK = 'traefik_entrypoint_requests_total{entrypoint="web",code="200"}'
    BAD = 'traefik_entrypoint_requests_total{entrypoint="web",code="502"}'
    LABELS = f'{metrics.GATEWAY_ERROR_RATIO}{{entrypoint="web"}}'

    def test_requests_without_failures_are_zero(self, answers: Check) -> None:
        answers({self.OK: "0+100x60"}, metrics.GATEWAY_ERROR_RATIO, [(self.LABELS, 0)])

    def test_failures_are_their_share(self, answers: Check) -> None:
        samples = {self.OK: "0+75x60", self.BAD: "0+25x60"}
        answers(samples, metrics.GATEWAY_ERROR_RATIO, [(self.LABELS, 0.25)])

    def test_no_requests_are_no_number(self, answers: Check) -> None:
        answers({self.OK: "7x60"}, f"{metrics.GATEWAY_ERROR_RATIO} >= 0", [])
        nan = f"{metrics.GATEWAY_ERROR_RATIO} != {metrics.GATEWAY_ERROR_RATIO}"
        answers({self.OK: "7x60"}, f"count({nan})", [("{}", 1)])

    def test_no_gateway_is_no_answer(self, answers: Check) -> None:
        answers(ALIVE, metrics.GATEWAY_ERROR_RATIO, [])


def test_hit_ratio_is_of_the_tier_and_not_of_its_servers(answers: Check) -> None:
    samples = {
        f'redis_keyspace_hits_total{{{TIER},pod="l2-0"}}': "0+90x60",
        f'redis_keyspace_misses_total{{{TIER},pod="l2-0"}}': "0+5x60",
        f'redis_keyspace_hits_total{{{TIER},pod="l2-1"}}': "0+0x60",
        f'redis_keyspace_misses_total{{{TIER},pod="l2-1"}}': "0+5x60",
    }
    answers(samples, metrics.TIER_HIT_RATIO, [(f"{metrics.TIER_HIT_RATIO}{{{TIER}}}", 0.9)])


class TestAlerts:
    """Who is told of what."""

    @pytest.mark.parametrize(
        ("samples", "expected"),
        [
            pytest.param(
                ALIVE | PRIMARY | REPLICAS | {TestRatios.OK: "0+100x60"}, set(), id="all is well"
            ),
            pytest.param(
                ALIVE | {TestRatios.OK: "0+95x60", TestRatios.BAD: "0+5x60"},
                {"GatewayErrorRatioHigh"},
                id="requests fail",
            ),
            pytest.param(
                ALIVE | {TestRatios.OK: "7x60", TestRatios.BAD: "7x60"},
                set(),
                id="failures of long ago",
            ),
            pytest.param({OPERATOR_UP: "1x60"}, {"GatewayAbsent"}, id="there is no gateway at all"),
            pytest.param(
                ALIVE | {TRAEFIK_UP: "0x60"},
                {"GatewayAbsent", "TargetDown"},
                id="no gateway answers",
            ),
            pytest.param({TRAEFIK_UP: "1x60"}, {"OperatorAbsent"}, id="no operator"),
            pytest.param(
                ALIVE | server("l2-0", "slave", 0) | REPLICAS,
                {"RedisPrimaryCount", "RedisReplicaMissing"},
                id="no primary",
            ),
            pytest.param(
                ALIVE | PRIMARY | server("l2-1", "master", 0) | server("l2-2", "slave", 0),
                {"RedisPrimaryCount"},
                id="two primaries",
            ),
            pytest.param(
                ALIVE | server("l2-0", "master", 1) | REPLICAS,
                {"RedisReplicaMissing"},
                id="a replica follows nobody",
            ),
            pytest.param(
                ALIVE | {f'tenfold_redistier_condition{{{TIER},condition="Ready"}}': "0x60"},
                {"RedisTierNotReady"},
                id="a tier is not ready",
            ),
            pytest.param(
                ALIVE | {'container_start_time_seconds{namespace="shop",pod="a"}': "0+30x60"},
                {"ContainerRestarting"},
                id="a container restarts over and over",
            ),
        ],
    )
    def test_trouble_is_told_and_nothing_else(
        self, answers: Check, samples: Samples, expected: set[str]
    ) -> None:
        firing = 'group by (alertname) (ALERTS{alertstate="firing"})'
        answers(samples, firing, [(f'{{alertname="{name}"}}', 1) for name in expected])
