"""Questions about the past."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenfold_operator.console import history
from tenfold_operator.console.history import MINUTES, Historian
from tenfold_operator.console.questions import of_workload
from tenfold_operator.model.generated import Workload
from tenfold_operator.model.observed import Series

from tests.unit.console.past import PastValues
from tests.unit.console.scene import Scene
from tests.unit.console.site import Site

NOW = datetime(2026, 1, 1, 12, 0, 7, tzinfo=UTC)
MOST_TIMES = 260


class Still:
    def now(self) -> datetime:
        return NOW


def get(site: Site, path: str, **parameters: Any) -> Any:
    answer = httpx.get(f"{site.url}/api/v1/{path}/history", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_revisions_are_side_by_side_with_the_bounds_that_judge_them(site: Site) -> None:
    found = get(site, "workloads/shop/web")
    charts = {each["key"]: each for each in found["charts"]}
    assert list(charts) == ["weights", "errors", "latency", "requests", "pods"]
    assert charts["errors"]["bound"] == 1.0
    assert charts["latency"]["bound"] == 100.0
    roles = {line["role"] for line in charts["errors"]["lines"]}
    assert roles == {"stable", "failed"}
    assert all(
        len(line["values"]) == len(found["times"])
        for chart in found["charts"]
        for line in chart["lines"]
    )


def test_what_is_no_number_is_a_gap(site: Site) -> None:
    found = get(site, "workloads/shop/web", minutes=60)
    assert any(None in line["values"] for line in found["charts"][0]["lines"])


def test_a_failed_attempt_has_a_window_of_its_own_and_marks(site: Site) -> None:
    found = get(site, "workloads/shop/web", attempt=1)
    failed = httpx.get(f"{site.url}/api/v1/workloads/shop/web").json()["failures"][0]["failed"]
    assert found["start"] < failed["startTime"] < failed["time"] < found["end"]
    assert [each["name"].split()[1] for each in found["marks"]] == ["begins", "rolled"]


def test_a_detector_has_its_band_and_score(site: Site) -> None:
    band, score, _ = get(site, "anomalydetectors/shop/checkout", minutes=360)["charts"]
    assert [line["role"] for line in band["lines"]] == ["lower", "upper", "expected", "target"]
    assert (score["bound"], score["boundName"]) == (1.0, "anomalous above")


def test_a_prometheus_that_is_away_is_said(site: Site) -> None:
    site.scene.past.trouble = "no route to it"
    found = get(site, "redistiers/shop/l2")
    assert (found["charts"], found["trouble"]) == (
        [],
        "Prometheus cannot be asked: no route to it",
    )


def test_who_asks_for_the_same_gets_the_same_answer(site: Site) -> None:
    for _ in range(5):
        get(site, "workloads/shop/web", minutes=1440)
    assert len(site.scene.past.asked) == 5, "five charts, once"


class Slow(PastValues):
    """Notes how many are asked at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.at_once = self.most = 0

    async def query_range(
        self, expression: str, start: datetime, end: datetime, step_seconds: float
    ) -> tuple[Series, ...]:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        return await super().query_range(expression, start, end, step_seconds)


def test_few_questions_are_asked_at_once_and_few_answers_are_remembered() -> None:
    scene, slow = Scene(), Slow()
    workload = Workload.model_validate(scene.store.get(scene.world.ref))

    async def ask_much() -> Historian:
        historian = Historian(slow, Still())
        windows = [history.last_minutes(60, NOW + timedelta(minutes=n)) for n in range(200)]
        await asyncio.gather(*(historian.ask(of_workload(workload, 20), each) for each in windows))
        return historian

    historian = asyncio.run(ask_much())
    assert slow.most <= 2
    assert len(historian._known) <= 64


@pytest.mark.parametrize("minutes", MINUTES)
def test_a_window_is_the_same_for_all_who_ask_within_a_step(minutes: int) -> None:
    window = history.last_minutes(minutes, NOW)
    step = timedelta(seconds=window.step_seconds)
    assert history.last_minutes(minutes, window.end + step * 0.9) == window
    assert len(window.times) == 181


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
    st.timedeltas(timedelta(0), timedelta(days=30)),
    st.timedeltas(timedelta(0), timedelta(days=30)),
)
def test_no_window_has_more_points_than_prometheus_and_the_browser_like(
    start: datetime, lasted: timedelta, ago: timedelta
) -> None:
    first = start.replace(tzinfo=UTC)
    window = history.around(first, first + lasted, first + lasted + ago)
    assert 1 <= len(window.times) <= MOST_TIMES
    assert window.end <= first + lasted + ago
