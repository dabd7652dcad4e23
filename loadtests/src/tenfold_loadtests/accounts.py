"""What was acknowledged beside what is there: orders at the marketplaces, effects of webhooks."""

import collections
import dataclasses
import time
from collections.abc import Callable, Mapping

from tenfold_loadtests import inside
from tenfold_loadtests import plan as planning
from tenfold_loadtests.targets import Count

# A worker that died holds its events this long at most before others take them over.
_SETTLE_SECONDS = 120.0
_PAUSE_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class Account:
    """Names that were acknowledged, and how often each is there."""

    acknowledged: int
    lost: int
    doubled: int


def compare(acknowledged: list[str], there: list[str]) -> Account:
    """Compare by name. What is there and was not acknowledged is neither lost nor doubled."""
    times = collections.Counter(there)
    return Account(
        acknowledged=len(acknowledged),
        lost=sum(times[name] == 0 for name in acknowledged),
        doubled=sum(count - 1 for count in times.values()),
    )


def settle(
    plan: planning.Plan, place: inside.Place, sleep: Callable[[float], None] = time.sleep
) -> Mapping[Count, float]:
    """Count after a run; webhooks are waited for as long as their number may still grow.

    Raises InsideError.
    """
    orders = _orders(plan, place)
    lost, doubled = _webhooks(plan, place, sleep)
    return {
        "orders_lost": sum(account.lost for account in orders),
        "orders_doubled": sum(account.doubled for account in orders),
        "webhooks_lost": lost,
        "webhooks_doubled": doubled,
    }


def _orders(plan: planning.Plan, place: inside.Place) -> list[Account]:
    taken = _by_marketplace(plan.noted("orders"))
    return [
        compare(
            taken.get(marketplace, []),
            [name for name in inside.orders(place, marketplace) if name.startswith(plan.run)],
        )
        for marketplace in planning.MARKETPLACES
    ]


def _webhooks(
    plan: planning.Plan, place: inside.Place, sleep: Callable[[float], None]
) -> tuple[int, int]:
    """Return lost and doubled effects: each event of the run sells one piece of its product.

    Lost are those that were acknowledged and have none. An event whose answer was lost may have
    had its effect, so doubled is what goes beyond all that were ever sent.
    """
    taken = _by_marketplace(plan.noted("webhooks"))
    sent = _by_marketplace(plan.noted("sent"))
    lost = doubled = 0
    for marketplace in plan.webhook_secrets:
        acknowledged = len(set(taken.get(marketplace, [])))
        deadline = time.monotonic() + _SETTLE_SECONDS
        while (
            sold := inside.sold(place, marketplace, f"LOAD-{plan.run}")
        ) < acknowledged and time.monotonic() < deadline:
            sleep(_PAUSE_SECONDS)
        lost += max(0, acknowledged - sold)
        doubled += max(0, sold - len(set(sent.get(marketplace, []))))
    return lost, doubled


def _by_marketplace(lines: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines:
        marketplace, name = line.split()
        found.setdefault(marketplace, []).append(name)
    return found
