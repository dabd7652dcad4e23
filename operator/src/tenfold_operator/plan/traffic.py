"""How the traffic may move now: never to pods that are not there, never away from those that are.

Weights are percentages by revision and sum to 100.
"""

import math
from collections.abc import Mapping

HEADROOM = 1.25
"""How much more than their share pods may get for a while, on the way back to stable: what they
keep free between scalings. One pod that is missing must not keep traffic with a failed revision."""

Weights = Mapping[str, int]


def pods_for(total: int, weight: int) -> int:
    """Return how many of `total` pods a share of the traffic in percent needs, at least one."""
    return max(1, math.ceil(total * weight / 100))


def shift(live: Weights, goal: Weights, ready: Mapping[str, int], total: int) -> dict[str, int]:
    """Return the weights to set now on the way from `live` to `goal`.

    A revision gets more only as far as its ready pods carry it; those that lose keep the rest.
    Pods that are not ready lose all as soon as any other revision of the goal has some that are:
    too much work is better than none being answered. `live` sums to 100 or is empty.
    """
    if not any(live.values()):
        return _without_the_dead(dict(goal), goal, ready)
    new = {
        name: max(live.get(name, 0), min(weight, _carried(ready.get(name, 0), total)))
        if weight > live.get(name, 0)
        else weight
        for name, weight in goal.items()
    }
    rest = 100 - sum(new.values())
    for name in sorted(live, key=lambda each: (-live[each], each)):
        kept = min(rest, live[name] - new.get(name, 0))
        if kept > 0:
            new[name] = new.get(name, 0) + kept
            rest -= kept
    return _without_the_dead(new, goal, ready)


def _carried(ready: int, total: int) -> int:
    return min(100, math.floor(100 * HEADROOM * ready / total))


def _without_the_dead(
    weights: dict[str, int], goal: Weights, ready: Mapping[str, int]
) -> dict[str, int]:
    alive = [name for name in goal if ready.get(name, 0) > 0]
    if not alive:
        return weights
    receiver = max(alive, key=lambda name: (weights[name], goal[name]))
    dead = [name for name in weights if ready.get(name, 0) == 0]
    moved = sum(weights[name] for name in dead)
    kept = {name: weights[name] for name in weights if name not in dead}
    kept |= {name: 0 for name in dead if name in goal}
    return {**kept, receiver: kept[receiver] + moved}
