"""Server-sent events: what changed reaches every browser, within bounds."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from tenfold_operator.console import feed as feeds
from tenfold_operator.console.feed import MOST_LISTENERS, Feed, Full
from tenfold_operator.console.source import Source
from tenfold_operator.model.manifest import Ref

from tests.unit.console.scene import DETECTOR, Scene
from tests.unit.console.site import Site


@contextlib.contextmanager
def events(site: Site, **headers: str) -> Iterator[Iterator[dict[str, str]]]:
    """Read events as a browser does."""
    with httpx.stream("GET", f"{site.url}/api/v1/events", headers=headers, timeout=20) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        yield _parsed(answer.iter_lines())


def _parsed(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    for line in lines:
        if not line and event:
            yield event
            event = {}
        elif line:
            name, _, value = line.partition(": ")
            event[name] = value


def next_event(found: Iterator[dict[str, str]], name: str) -> dict[str, str]:
    return next(each for each in found if each.get("event") == name)


def test_a_change_is_told_with_the_resource_in_one_line(site: Site) -> None:
    with events(site) as found:
        next_event(found, "reset")
        site.do(lambda: site.scene.add_detector("Anomalous"))
        told = next(
            change
            for each in found
            if each.get("event") == "change"
            for change in json.loads(each["data"])
            if change["kind"] == "AnomalyDetector"
        )
    assert told["summary"]["verdict"] == "Anomalous"


def test_what_is_gone_is_told(site: Site) -> None:
    httpx.get(f"{site.url}/api/v1/overview")
    with events(site) as found:
        next_event(found, "reset")
        site.do(lambda: site.scene.store.drop(DETECTOR))
        (told,) = json.loads(next_event(found, "change")["data"])
    assert told == {"kind": "AnomalyDetector", "namespace": "shop", "name": "checkout"}


def test_who_comes_back_hears_what_he_missed_and_nothing_twice(site: Site) -> None:
    last = httpx.get(f"{site.url}/api/v1/overview").json()["lastEvent"]
    site.do(lambda: site.scene.store.drop(DETECTOR))
    httpx.get(f"{site.url}/api/v1/overview")
    with events(site, **{"Last-Event-ID": last}) as found:
        first = next(each for each in found if "event" in each)
    assert first["event"] == "change"
    assert json.loads(first["data"])[0]["name"] == "checkout"


def test_after_a_restart_of_the_operator_everything_is_read_anew(site: Site) -> None:
    with events(site, **{"Last-Event-ID": "other-3"}) as found:
        assert next(each for each in found if "event" in each)["event"] == "reset"


def test_the_operator_ends_at_once_though_somebody_listens(scene: Scene) -> None:
    site = Site(scene)
    with site.running(), events(site) as found:
        next_event(found, "reset")
        # Leaving the site's block first: the stream ends, or the test's own timeout fails it.


def test_too_many_listeners_are_refused_and_free_places_are_taken_again(site: Site) -> None:
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(
            httpx.Client(limits=httpx.Limits(max_connections=None), timeout=20)
        )
        url = f"{site.url}/api/v1/events"
        for _ in range(MOST_LISTENERS):
            answer = stack.enter_context(client.stream("GET", url))
            assert answer.status_code == 200
        refused = client.get(url)
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "10"
    with events(site) as found:
        next_event(found, "reset")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "_GATHER_SECONDS", 0.0)


class Listener:
    """Reads batches in a task of the test's own."""

    def __init__(self, feed: Feed, last_id: str = "", patience: float = 5.0) -> None:
        self._batches: AsyncIterator[Any] = feed.batches(last_id, patience)

    async def next(self) -> Any:
        return await asyncio.wait_for(anext(self._batches), 10)


def run(scene: Scene, check: Any) -> None:
    async def with_feed() -> None:
        feed = Feed(Source(scene.store, scene.journal))
        running = asyncio.create_task(feed.run())
        try:
            with feed.listener():
                await check(feed)
        finally:
            running.cancel()

    asyncio.run(with_feed())


def test_silence_is_broken_by_a_heartbeat(scene: Scene) -> None:
    async def check(feed: Feed) -> None:
        last = (await feed.overview()).last_event
        assert await Listener(feed, last, patience=0.01).next() == ("", None)

    run(scene, check)


def test_all_listeners_get_the_very_same_bytes(scene: Scene, quick: None) -> None:
    async def check(feed: Feed) -> None:
        last = (await feed.overview()).last_event
        listeners = [Listener(feed, last) for _ in range(3)]
        asked = [asyncio.create_task(each.next()) for each in listeners]
        scene.store.drop(DETECTOR)
        batches = [(await each)[1] for each in asked]
        assert batches[0] is batches[1] is batches[2]

    run(scene, check)


def test_who_is_too_slow_reads_everything_anew_and_costs_no_memory(
    scene: Scene, quick: None
) -> None:
    async def check(feed: Feed) -> None:
        last = (await feed.overview()).last_event
        slow = Listener(feed, last)
        for _ in range(200):
            scene.add_detector()
            await feed.overview()
        assert len(feed._batches) == 128
        event_id, batch = await slow.next()
        assert batch is None
        assert event_id == (await feed.overview()).last_event

    run(scene, check)


def test_nothing_is_written_out_while_nobody_listens(scene: Scene, quick: None) -> None:
    async def check() -> None:
        feed = Feed(Source(scene.store, scene.journal))
        running = asyncio.create_task(feed.run())
        scene.add_detector("Anomalous")
        for _ in range(20):
            await asyncio.sleep(0)
        assert not feed._batches
        running.cancel()

    asyncio.run(check())


def test_many_changes_are_told_in_parts(scene: Scene, quick: None) -> None:
    async def check(feed: Feed) -> None:
        last = (await feed.overview()).last_event
        for number in range(120):
            name = {"name": f"ad-{number}", "namespace": "shop"}
            scene.store.put({"kind": "AnomalyDetector", "metadata": {**name}, "spec": {}})
        listener, names = Listener(feed, last), set[str]()
        while len(names) < 120:
            _, batch = await listener.next()
            changes = json.loads(batch.data)
            assert len(changes) <= 50
            names.update(each["name"] for each in changes)

    run(scene, check)


def test_a_place_is_free_again_after_its_listener_ended(scene: Scene) -> None:
    async def check(feed: Feed) -> None:
        with contextlib.ExitStack() as stack:
            for _ in range(MOST_LISTENERS - 1):
                stack.enter_context(feed.listener())
            with pytest.raises(Full):
                stack.enter_context(feed.listener())
        with feed.listener():
            pass

    run(scene, check)


def test_kinds_that_are_not_shown_are_not_told(scene: Scene) -> None:
    async def check(feed: Feed) -> None:
        last = (await feed.overview()).last_event
        feed._note(Ref("Pod", "shop", "web"))
        assert (await feed.overview()).last_event == last

    run(scene, check)
