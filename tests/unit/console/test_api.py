"""The console's API."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from tenfold_operator.console import reasons, views
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan.actions import Scale

from tests.support import REPOSITORY
from tests.unit.console.scene import DETECTOR, Scene
from tests.unit.console.site import Site


def get(site: Site, path: str, **parameters: Any) -> Any:
    answer = httpx.get(f"{site.url}/api/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def problem(site: Site, path: str, **parameters: Any) -> tuple[int, str]:
    answer = httpx.get(f"{site.url}/api/{path}", params=parameters)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    return answer.status_code, str(answer.json()["detail"])


def test_the_overview_tells_every_resource_and_its_state(site: Site) -> None:
    found = {each["kind"]: each for each in get(site, "overview")["resources"]}
    assert (found["Workload"]["state"], found["Workload"]["reason"]) == ("bad", "RolledBack")
    assert (found["RedisTier"]["state"], found["RedisTier"]["primary"]) == ("good", "l2-1")
    assert found["RedisBackup"]["tier"] == found["RedisRestore"]["tier"] == "l2"
    assert found["AnomalyDetector"]["verdict"] == "Normal"


def test_a_rollback_is_told_with_what_was_measured_and_since_when(site: Site) -> None:
    found = get(site, "workloads/shop/web")
    failure, failed = found["failures"][0], found["failures"][0]["failed"]
    assert failure["isTarget"] is True
    assert failure["images"] == ["example.com/web:v2"]
    assert failure["explanation"]["means"]
    assert (failed["reason"], failed["weight"]) == ("AnalysisFailed", 20)
    assert failed["startTime"] < failed["time"]
    verdicts = {each["metric"]: each["outcome"] for each in failed["verdicts"]}
    assert verdicts["errorRatio"] == "Failed"
    assert [each["role"] for each in found["revisions"]] == ["failed", "stable"]


def test_a_rollback_is_a_decision_with_its_confidence(site: Site) -> None:
    (found,) = get(site, "decisions", refused=True, kind="Workload")["decisions"]
    assert (found["what"], found["confidencePercent"]) == ("AnalysisFailed", 95)


def test_a_rollout_tells_its_step_its_verdicts_and_until_when_it_waits() -> None:
    scene = Scene()
    scene.begin("v2")
    with Site(scene).running() as site:
        found = get(site, "workloads/shop/web")
    assert (found["summary"]["step"], found["summary"]["steps"]) == (1, 3)
    assert {each["outcome"] for each in found["progress"]["verdicts"]} == {"Passed"}
    (waiting,) = found["waiting"]
    assert "20% of the traffic until" in waiting["what"]
    assert waiting["until"] > found["progress"]["servedTime"]


def test_a_tier_tells_its_topology_copies_and_hand_overs(site: Site) -> None:
    found = get(site, "redistiers/shop/l2")
    assert [each["name"] for each in found["sentinels"]] == [f"l2-sentinel-{n}" for n in range(3)]
    assert [each["node"] for each in found["servers"]] == ["node-0", "node-1", "node-2"]
    assert [each["mode"] for each in found["copies"]] == ["", "drill"]
    assert [each["refused"] for each in found["handOvers"]] == [False, True]


def test_a_cluster_tells_its_shards_and_has_no_sentinels(site: Site) -> None:
    site.do(site.scene.add_cluster)
    found = get(site, "redistiers/shop/l4")
    summary = found["summary"]
    assert (summary["state"], summary["shards"], summary["sentinels"]) == ("bad", 3, 0)
    assert (summary["inSync"], summary["replicas"]) == (2, 3)
    assert found["explanation"]["means"]


def test_scaling_tells_the_pods_the_forecast_and_its_models(site: Site) -> None:
    site.do(site.scene.scale)
    found = get(site, "workloads/shop/web")
    assert found["scaling"]["predictedReplicas"] == 9
    summary = found["summary"]
    assert (summary["wanted"], summary["confidencePercent"]) == (7, 81)
    assert (summary["model"], summary["challenger"]) == ("0a1b2c3d4e5f", "f5e4d3c2b1a0")
    charts = get(site, "workloads/shop/web/history")["charts"]
    assert {"forecast", "decided", "skill", "shares"} <= {each["key"] for each in charts}
    asked = [each for each in site.scene.past.asked if "forecast_expected" in each]
    assert asked
    assert all("offset 120s" in each for each in asked), "shown at the time that it was said of"


def test_a_detail_follows_what_changes(site: Site) -> None:
    get(site, "anomalydetectors/shop/checkout")
    site.do(lambda: site.scene.add_detector("Anomalous"))
    assert get(site, "anomalydetectors/shop/checkout")["summary"]["state"] == "bad"
    assert get(site, "redistiers/shop/l2")["copies"]
    site.do(lambda: site.scene.store.drop(Ref("RedisRestore", "shop", "drill")))
    assert len(get(site, "redistiers/shop/l2")["copies"]) == 1


def test_decisions_are_searched_filtered_and_paged(site: Site) -> None:
    def write() -> None:
        scaled = [Scale(ref=DETECTOR, replicas=n, why=f"number {n}") for n in range(120)]
        site.scene.journal.write(DETECTOR, scaled, site.scene.world.now)

    site.do(write)
    assert len(get(site, "decisions")["decisions"]) == 50
    page = get(site, "decisions", text="SCALE number", limit=100)
    assert [each["why"] for each in page["decisions"][:2]] == ["number 119", "number 118"]
    rest = get(site, "decisions", text="SCALE number", limit=100, before=page["nextBefore"])
    assert len(rest["decisions"]) == 20
    assert "nextBefore" not in rest
    assert get(site, "decisions", name="nobody")["decisions"] == []


@pytest.mark.parametrize(
    ("path", "parameters", "wanted"),
    [
        ("v1/workloads/shop/nobody", {}, (404, "there is no Workload shop/nobody")),
        ("v1/pods/shop/web", {}, (404, "there are workloads, redistiers")),
        ("v1/workloads/shop/web/history", {"minutes": 7}, (400, "minutes: Input should be 15")),
        ("v1/workloads/shop/web/history", {"minutes": "x"}, (400, "minutes: ")),
        ("v1/workloads/shop/web/history", {"attempt": 99}, (404, "no failed attempt 99")),
        ("v1/workloads/shop/web/history", {"query": "up"}, (400, "query: Extra inputs")),
        ("v1/decisions", {"limit": 1000}, (400, "limit: ")),
        ("v1/decisions", {"text": "x" * 201}, (400, "text: ")),
        ("nothing", {}, (404, "")),
    ],
)
def test_what_cannot_be_answered_is_a_problem_in_words(
    site: Site, path: str, parameters: dict[str, Any], wanted: tuple[int, str]
) -> None:
    status, detail = problem(site, path, **parameters)
    assert status == wanted[0]
    assert wanted[1] in detail


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_it_only_reads(site: Site, method: str) -> None:
    for path in ("/api/v1/overview", "/api/v1/workloads/shop/web", "/"):
        assert httpx.request(method, site.url + path).status_code == 405


def test_a_resource_that_does_not_fit_its_definition_is_said_and_stops_nobody(
    site: Site,
) -> None:
    broken: JsonObject = {
        "kind": "Workload",
        "metadata": {"name": "old", "namespace": "shop"},
        "spec": {},
    }
    site.do(lambda: site.scene.store.put(broken))
    found = {each["name"]: each for each in get(site, "overview")["resources"]}
    assert found["old"]["reason"] == "Unreadable"
    assert found["web"]["state"] == "bad"
    status, detail = problem(site, "v1/workloads/shop/old")
    assert status == 422
    assert "does not fit its definition" in detail


def test_every_path_is_described_and_answers_what_the_description_says(site: Site) -> None:
    document = get(site, "openapi.json")
    models: dict[str, type[BaseModel]] = {
        name: model
        for name, model in vars(views).items()
        if isinstance(model, type) and issubclass(model, BaseModel)
    }
    places = {"workloads": "web", "redistiers": "l2", "anomalydetectors": "checkout"}
    for path, operations in document["paths"].items():
        ((kind, content),) = operations["get"]["responses"]["200"]["content"].items()
        if kind != "application/json":
            continue
        name = places.get(path.split("/")[1], "")
        filled = path.replace("{namespace}", "shop").replace("{name}", name)
        model = models[content["schema"]["$ref"].rpartition("/")[2]]
        model.model_validate(get(site, filled.removeprefix("/")))
    assert set(re.findall(r"\$ref\": \"#/components/schemas/(\w+)", str(document))) <= set(
        document["components"]["schemas"]
    )


DOCUMENTED = re.compile(r"^\| `?([A-Z][A-Za-z]+)`? \|.*\|$", re.MULTILINE)


@pytest.mark.parametrize("page", ["rollouts.md", "anomalies.md"])
def test_every_reason_that_the_documentation_explains_is_explained_in_the_console(
    page: str,
) -> None:
    text = Path(REPOSITORY / "docs" / page).read_text()
    text = text.partition("## Status, reason by reason")[2] or text
    found = set(DOCUMENTED.findall(text))
    assert len(found) >= 8, "the tables have changed their form"
    assert found <= set(reasons.KNOWN)
