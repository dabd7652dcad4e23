"""Settings that change while servers and Sentinels run."""

from collections.abc import Iterator

from tenfold_operator.model.observed import TierView
from tenfold_operator.plan.actions import Action, Configure, SetTimers
from tenfold_operator.plan.redis_config import FENCED, STARTING, live_settings
from tenfold_operator.plan.redis_status import Opinion

_GUARD = "min-replicas-to-write"


def plan_live(view: TierView, opinion: Opinion) -> Iterator[Action]:
    """Bring running servers and Sentinels to what the spec says."""
    yield from plan_settings(view, opinion.primary)
    timers = view.tier.spec.sentinel
    chosen = (timers.down_after_milliseconds, timers.failover_timeout_milliseconds)
    for sentinel in view.sentinels:
        if sentinel.timers not in (None, chosen):
            yield SetTimers(
                sentinel=sentinel.pod,
                down_after_milliseconds=chosen[0],
                failover_timeout_milliseconds=chosen[1],
            )


def plan_settings(view: TierView, primary: str | None) -> Iterator[Action]:
    """Bring running servers to what the spec says; a fence stays but on `primary`."""
    wanted = live_settings(view.tier)
    for server in view.servers:
        seen = server.settings
        off = {name: value for name, value in wanted.items() if seen and seen.get(name) != value}
        may_write = server.role == "replica" or server.pod == primary
        if seen.get(_GUARD) == STARTING or (seen.get(_GUARD) == FENCED and not may_write):
            off.pop(_GUARD, None)
        if off:
            yield Configure(pod=server.pod, settings=off, why="the spec asks for it")
