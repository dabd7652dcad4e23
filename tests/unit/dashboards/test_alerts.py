"""Every alert fires when it should, says the value, and does not fire otherwise."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tenfold_dashboards import metrics, promql
from tenfold_dashboards.alerts import ALERTS
from tenfold_dashboards.rules import Alert, Links

from tests.unit.dashboards.cases import CASES, Case, Samples
from tests.unit.dashboards.promtool import alone, run_tests, series

BY_NAME = {alert.alert: alert for alert in ALERTS}


def told(alert: Alert, case: Case, samples: Samples, expected: list[dict[str, Any]]) -> Any:
    return {
        "input_series": series(samples),
        "alert_rule_test": [
            {"eval_time": case.after, "alertname": alert.alert, "exp_alerts": expected}
        ],
    }


def filled_in(text: str, labels: dict[str, str]) -> str:
    return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: labels.get(match[1], ""), text)


@pytest.mark.parametrize("name", sorted(CASES))
def test_it_fires_when_it_should_and_not_otherwise(tmp_path: Path, name: str) -> None:
    alert, case = BY_NAME[name], CASES[name]
    labels = dict(case.labels)
    annotations = {
        "summary": case.says,
        "description": alert.description,
        "runbook_url": alert.runbook_url(Links()),
        "dashboard_url": filled_in(alert.dashboard_url(Links()), labels),
    }
    firing = {
        "exp_labels": {**labels, "severity": alert.severity.value},
        "exp_annotations": annotations,
    }
    tests = [told(alert, case, case.fires, [firing])]
    tests += [told(alert, case, samples, []) for samples in case.quiet.values()]
    run_tests(tmp_path, alone(alert), tests, case.every)


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    assert set(CASES) == set(BY_NAME)
    assert [name for name, case in CASES.items() if not case.fires or not case.quiet] == []


def test_each_alert_has_one_name() -> None:
    assert len(BY_NAME) == len(ALERTS)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.alert)
class TestEachAlert:
    def test_says_its_value_where_that_is_more_than_yes_or_no(self, alert: Alert) -> None:
        if not re.search(r"== [01]\b", alert.expr):
            assert "$value" in alert.summary

    def test_names_the_labels_that_it_has(self, alert: Alert) -> None:
        used = set(re.findall(r"\$labels\.(\w+)", alert.summary))
        assert used <= {each.strip() for each in alert.labels.split(",")}

    def test_reads_only_series_that_are_listed(self, alert: Alert) -> None:
        assert promql.series_in(alert.expr) <= set(metrics.by_series())

    def test_describes_itself_without_a_value_that_changes(self, alert: Alert) -> None:
        """A description that differed at every evaluation would be sent again and again."""
        assert "{{" not in alert.description
