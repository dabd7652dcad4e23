"""Two that claim to be the primary: the one without the Sentinels' majority takes no more."""

from collections.abc import Iterator
from datetime import datetime

from tenfold_operator.model.generated import RedisTierLastSplit
from tenfold_operator.model.observed import ServerAnswer, TierView
from tenfold_operator.plan.actions import Action, Announce, Fence
from tenfold_operator.plan.redis_config import FENCED
from tenfold_operator.plan.redis_status import Opinion


def rivals(view: TierView, opinion: Opinion) -> tuple[ServerAnswer, ...]:
    """Return the servers that claim to be primary beside the one that the majority names.

    While the Sentinels replace the primary, the new one is no rival of the old one. Neither is one
    whose counterpart does not serve: fencing it would leave nobody.
    """
    claims = {each.pod: each for each in view.servers if each.role == "primary"}
    if opinion.is_failing_over or opinion.primary not in claims:
        return ()
    return tuple(each for pod, each in sorted(claims.items()) if pod != opinion.primary)


def plan_fences(view: TierView, opinion: Opinion) -> Iterator[Action]:
    """Fence each rival once, and say what is lost."""
    for rival in _unfenced(view, opinion):
        why = f"it claims to be primary; {opinion.agreeing} Sentinels name {opinion.primary}"
        yield Fence(pod=rival.pod, why=why)
        lost = lost_bytes(view, opinion, rival)
        amount = "an unknown amount" if lost is None else f"{lost} bytes"
        message = f"{rival.pod} was fenced: {why}; {amount} of writes that it took alone are lost"
        yield Announce(type="Warning", reason="SplitBrain", message=message)


def split(view: TierView, opinion: Opinion, now: datetime) -> RedisTierLastSplit | None:
    """Return what the status says of the last split."""
    for rival in _unfenced(view, opinion):
        return RedisTierLastSplit(
            time=now.replace(microsecond=0),
            pod=rival.pod,
            primary=str(opinion.primary),
            lost_bytes=lost_bytes(view, opinion, rival),
        )
    return view.tier.status.last_split


def lost_bytes(view: TierView, opinion: Opinion, rival: ServerAnswer) -> int | None:
    """Return how much of the stream of writes `rival` has that the primary lacks; None: unknown."""
    (primary,) = [each for each in view.servers if each.pod == opinion.primary]
    if primary.earlier_history != rival.history:
        return None
    return max(0, rival.offset - primary.earlier_end)


def _unfenced(view: TierView, opinion: Opinion) -> Iterator[ServerAnswer]:
    for rival in rivals(view, opinion):
        if rival.settings.get("min-replicas-to-write") != FENCED:
            yield rival
