"""When a load's users send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenfold_loadtests import moments

SECONDS = st.floats(0, 1e6)


@given(SECONDS, SECONDS)
def test_a_user_keeps_his_place_within_the_second(moment: float, late: float) -> None:
    following = moments.following(moment, moment + late)
    periods = (following - moment) / moments.PERIOD_SECONDS
    assert periods >= 1 - 1e-6
    assert periods == pytest.approx(round(periods), abs=1e-6)


@given(SECONDS, SECONDS)
def test_what_was_missed_is_not_made_up_for(moment: float, late: float) -> None:
    now = moment + late
    following = moments.following(moment, now)
    assert following > now - moments.PERIOD_SECONDS - 1e-6
    assert following <= max(now, moment + moments.PERIOD_SECONDS) + 1e-6


def test_users_whom_a_stall_held_up_are_spread_again_after_it() -> None:
    users = [number / 100 for number in range(100)]
    stalled = [moments.following(moment, now=3.5) for moment in users]
    after = [moments.following(moment, now=3.5) for moment in stalled]
    assert sum(moment <= 3.5 for moment in after) == 0
    assert len({round(moment % 1, 6) for moment in after}) == len(users)
