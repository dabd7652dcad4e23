"""The number of pods, shared out over the revisions that have traffic."""

from collections.abc import Sequence
from dataclasses import dataclass

from tenfold_operator.plan.traffic import pods_for


@dataclass(frozen=True, kw_only=True)
class Share:
    """A revision and its part of the traffic.

    Attributes:
        revision: Its name.
        weight: Percent of the traffic that it may get: the larger of what the live route says and
            of what it is about to say.
        serving: Its ready pods.
    """

    revision: str
    weight: int
    serving: int


def split(total: int, shares: Sequence[Share]) -> dict[str, int]:
    """Return the pods of each revision that may get traffic.

    A revision alone gets the total. During a rollout each gets its share rounded up, and none
    less than what is serving: the gateway may be behind the route. Revisions without traffic are
    not in the answer; who takes them away knows when they have drained.
    """
    routed = [each for each in shares if each.weight > 0]
    if len(routed) == 1:
        return {routed[0].revision: total}
    return {each.revision: max(pods_for(total, each.weight), each.serving) for each in routed}
