"""Prometheus sees every part, and every recording rule has something to record."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support import steady_load, wait_until

pytestmark = pytest.mark.cluster
SCRAPE_SECONDS = 90.0
SCRAPED_APPS = {"traefik", "operator", "gateway", "redis"}
SCRAPED_JOBS = {"kubelet", "cadvisor", "resource", "apiserver", "prometheus", "pods"}


def _query(prometheus: httpx.Client, expression: str) -> list[dict[str, Any]]:
    answer = prometheus.get("/query", params={"query": expression}).raise_for_status().json()
    result: list[dict[str, Any]] = answer["data"]["result"]
    return result


def _labels(prometheus: httpx.Client, expression: str, label: str) -> set[str]:
    return {sample["metric"].get(label, "") for sample in _query(prometheus, expression)}


def test_targets_of_every_part_are_up(prometheus: httpx.Client) -> None:
    wait_until(
        lambda: (
            _labels(prometheus, "up == 1", "app") >= SCRAPED_APPS
            and _labels(prometheus, "up == 1", "job") >= SCRAPED_JOBS
        ),
        seconds=SCRAPE_SECONDS,
        what=f"targets of {SCRAPED_APPS | SCRAPED_JOBS}",
    )
    # Not `up == 0`: of targets that went while Prometheus was down it tells for five minutes more.
    down: dict[str, str] = {}

    def all_up() -> bool:
        targets = prometheus.get("/targets", params={"state": "active"}).json()["data"]
        down.clear()
        down.update(
            {
                target["scrapeUrl"]: target["lastError"]
                for target in targets["activeTargets"]
                if target["health"] != "up"
            }
        )
        return not down

    try:
        wait_until(all_up, seconds=SCRAPE_SECONDS, what="every target")
    except AssertionError:
        pytest.fail(f"targets that are down: {down}")


def test_every_recording_rule_returns_data(
    prometheus: httpx.Client, entrances: dict[str, str]
) -> None:
    groups = prometheus.get("/rules", params={"type": "record"}).json()["data"]["groups"]
    names = {rule["name"] for group in groups for rule in group["rules"]}
    assert names
    empty = set(names)

    def all_recorded() -> bool:
        empty.difference_update({name for name in empty if _query(prometheus, name)})
        return not empty

    with steady_load(f"{entrances['gateway']}/v1/counters/e2e-monitoring", per_second=20):
        try:
            wait_until(all_recorded, seconds=SCRAPE_SECONDS, what="data of every rule", every=2)
        except AssertionError:
            pytest.fail(f"recording rules without data: {sorted(empty)}")


def test_no_rule_fails_to_evaluate(prometheus: httpx.Client) -> None:
    groups = prometheus.get("/rules").json()["data"]["groups"]
    failing = {
        rule["name"]: rule["lastError"]
        for group in groups
        for rule in group["rules"]
        if rule["health"] == "err"
    }
    assert failing == {}


def test_what_an_alert_links_to_is_there(prometheus: httpx.Client) -> None:
    groups = prometheus.get("/rules", params={"type": "alert"}).json()["data"]["groups"]
    alerts = [rule for group in groups for rule in group["rules"]]
    assert alerts
    for alert in alerts:
        runbook = httpx.get(alert["annotations"]["runbook_url"])
        assert runbook.status_code == 200, runbook.url
        assert f"<h1>{alert['name']}</h1>" in runbook.text
    # What follows the # is the page's own to read; tests/unit/console opens each kind of page.
    consoles = {alert["annotations"]["dashboard_url"].partition("#")[0] for alert in alerts}
    assert {httpx.get(each).status_code for each in consoles} == {200}
