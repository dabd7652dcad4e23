"""When a user sends: once a second, at a moment of the second that stays the user's own."""

import math

PERIOD_SECONDS = 1.0


def following(moment: float, now: float) -> float:
    """Return the user's next moment after `moment`: the latest one that has come, if any has.

    Whole periods that were missed are not made up for: that would be more load than was asked
    for. But the place within the period stays, or all whom a stall has held up would send at one
    instant from then on, each waiting for the others.
    """
    following = moment + PERIOD_SECONDS
    missed = math.floor((now - following) / PERIOD_SECONDS)
    return following + max(0, missed) * PERIOD_SECONDS
