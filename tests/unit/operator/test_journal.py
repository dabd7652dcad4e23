"""What is remembered of decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tenfold_operator.journal import Journal
from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan.actions import Refuse, Scale, Wait

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WEB = Ref("Workload", "shop", "web")
REFUSE = Refuse(reason="NoQuorum", message="1 of 3 Sentinels answer", confidence_percent=95)


def scale(replicas: int) -> Scale:
    return Scale(ref=Ref("Deployment", "shop", "web-1"), replicas=replicas, why="it has drained")


@pytest.fixture
def journal() -> Journal:
    return Journal()


def test_decisions_come_newest_first_and_a_lasting_refusal_once(journal: Journal) -> None:
    journal.write(WEB, [scale(0), REFUSE], NOW)
    journal.write(WEB, [REFUSE], NOW)
    first, second = journal.read(WEB)
    assert (first.what, first.refused, first.confidence_percent) == ("NoQuorum", True, 95)
    assert (second.what, second.refused) == ("scale Deployment shop/web-1 to 0", False)


def test_what_is_waited_for_is_that_of_the_last_plan(journal: Journal) -> None:
    until = NOW + timedelta(seconds=10)
    journal.write(WEB, [Wait(reason="the hold", until=until)], NOW)
    assert [each.until for each in journal.waits(WEB)] == [until]
    journal.write(WEB, [], NOW)
    assert journal.waits(WEB) == ()


def test_listeners_hear_of_news_alone(journal: Journal) -> None:
    heard: list[Ref] = []
    journal.subscribe(heard.append)
    journal.write(WEB, [REFUSE, Wait(reason="the hold")], NOW)
    journal.write(WEB, [REFUSE, Wait(reason="the hold")], NOW)
    assert heard == [WEB]
    journal.write(WEB, [REFUSE], NOW)
    assert heard == [WEB, WEB]


def test_the_common_log_keeps_what_is_gone(journal: Journal) -> None:
    journal.write(WEB, [scale(0)], NOW)
    journal.forget(WEB)
    assert journal.read(WEB) == ()
    assert [each.owner for each in journal.log()] == [WEB]


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 40), max_size=400))
def test_memory_is_bounded_and_numbers_never_repeat(owners: list[int]) -> None:
    journal = Journal()
    for round_ in range(10):
        for owner in owners:
            ref = Ref("Workload", "shop", f"web-{owner}")
            journal.write(ref, [scale(round_), scale(round_ + 1)], NOW)
    numbers = [each.number for each in journal.log()]
    assert len(numbers) <= 2000
    assert numbers == sorted(set(numbers), reverse=True)
    assert all(len(journal.read(Ref("Workload", "shop", f"web-{n}"))) <= 20 for n in range(41))
