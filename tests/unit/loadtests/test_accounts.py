"""What was acknowledged beside what is there."""

import pathlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenfold_loadtests import accounts, inside, plan, shapes


@given(names=st.lists(st.text("ab", min_size=1), unique=True), lost=st.integers(0, 3))
def test_each_acknowledged_name_that_is_not_there_is_lost(names: list[str], lost: int) -> None:
    account = accounts.compare(names, names[lost:])
    assert account == accounts.Account(len(names), lost=min(lost, len(names)), doubled=0)


def test_a_name_that_is_there_twice_is_doubled_though_its_answer_was_lost() -> None:
    account = accounts.compare(["a"], ["a", "b", "b", "c"])
    assert (account.lost, account.doubled) == (0, 1)


class _Place:
    """Marketplaces with these orders, and webhooks that have sold so much."""

    def __init__(self, orders: Sequence[str], sold: int) -> None:
        self._orders, self._sold = orders, sold

    def ask_simulator(self, method: str, path: str, body: object = None) -> bytes:
        names = self._orders if path == "/admin/n11/references" else []
        return inside._References(references=list(names)).model_dump_json().encode()

    def run_webhooks(self, arguments: Sequence[str]) -> str:
        assert list(arguments) == ["sold", "n11", "LOAD-run"]
        return f"{self._sold}\n"


def _plan(folder: pathlib.Path, **noted: Sequence[str]) -> plan.Plan:
    for what, names in noted.items():
        lines = "".join(f"n11 {name}\n" for name in names)
        (folder / f"{what}-1.txt").write_text(lines)
    return plan.Plan(
        run="run",
        folder=folder,
        shape=shapes.steady(1, 1, 1),
        products=1,
        tokens=(),
        webhook_secrets={"n11": "secret"},
    )


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_SETTLE_SECONDS", 0.0)


def test_a_run_that_lost_and_doubled_nothing_says_so(tmp_path: pathlib.Path) -> None:
    noted = _plan(tmp_path, orders=["run-1"], webhooks=["run-2"], sent=["run-2", "run-3"])
    # Another run's orders are nobody's business here.
    place = _Place(["other-1", "other-1", "run-1"], sold=1)
    assert set(accounts.settle(noted, place).values()) == {0}


def test_lost_and_doubled_orders_and_webhooks_are_counted(tmp_path: pathlib.Path) -> None:
    noted = _plan(tmp_path, orders=["run-1", "run-2"], webhooks=["run-3", "run-4"])
    counted = accounts.settle(noted, _Place(["run-1", "run-1"], sold=1))
    assert (counted["orders_lost"], counted["orders_doubled"]) == (1, 1)
    assert counted["webhooks_lost"] == 1


def test_more_effects_than_events_were_sent_are_doubled(tmp_path: pathlib.Path) -> None:
    noted = _plan(tmp_path, webhooks=["run-1"], sent=["run-1", "run-2"])
    counted = accounts.settle(noted, _Place([], sold=3))
    assert (counted["webhooks_lost"], counted["webhooks_doubled"]) == (0, 1)
