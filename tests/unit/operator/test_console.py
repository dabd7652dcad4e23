"""What the console shows."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tenfold_operator.adapters.store import Store
from tenfold_operator.console.collector import ResourceCollector
from tenfold_operator.console.page import render
from tenfold_operator.console.state import snapshot
from tenfold_operator.journal import Journal
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan.actions import Refuse, Scale

from tests.unit.operator.world import World

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def state(world: World) -> JsonObject:
    store, journal = Store(), Journal()
    store.put({**world.objects[world.ref]})
    refuse = Refuse(reason="NoQuorum", message="<1> of 3 Sentinels answer")
    scale = Scale(ref=Ref("Deployment", "shop", "web-1"), replicas=0, why="it has drained")
    journal.write(world.ref, [scale, refuse], NOW)
    journal.write(world.ref, [refuse], NOW)
    return snapshot(store, journal)


def test_decisions_come_newest_first_and_a_lasting_refusal_once(state: Any) -> None:
    decisions = state["workloads"][0]["decisions"]
    assert [each["what"] for each in decisions] == [
        "NoQuorum",
        "scale Deployment shop/web-1 to 0",
    ]
    assert decisions[0]["refused"] is True


def test_the_state_is_json(state: JsonObject) -> None:
    assert json.loads(json.dumps(state)) == state


def test_the_page_shows_revisions_conditions_and_decisions(state: JsonObject) -> None:
    page = render(state)
    for text in ("shop/web", "100 %", "2 of 2", "Ready", "refused: NoQuorum", "it has drained"):
        assert text in page


def test_the_page_escapes_what_it_shows(state: JsonObject) -> None:
    assert "&lt;1&gt; of 3" in render(state)
    assert "<1>" not in render(state)


def test_metrics_tell_conditions_and_weights(world: World) -> None:
    store = Store()
    store.put({**world.objects[world.ref]})
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in ResourceCollector(store).collect()
        for sample in family.samples
    }
    (name,) = world.weights
    revision = name.removeprefix("web-")
    assert samples["tenfold_workload_condition", "shop", "web", "Ready"] == 1
    assert samples["tenfold_workload_revision_weight", "shop", "web", revision] == 100
    assert samples["tenfold_workload_revision_ready_replicas", "shop", "web", revision] == 2


def test_an_empty_page_says_so(world: World) -> None:
    assert render(snapshot(Store(), Journal())).count("There are none yet.") == 2
