"""Whether to move a tier's primary on purpose, and to which replica."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from tenfold_operator.model.observed import ServerAnswer, TierPod, TierView
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan import redis_objects as objects
from tenfold_operator.plan import redis_restart, redis_suspicion
from tenfold_operator.plan.actions import Action, HandOver, Refuse, Wait
from tenfold_operator.plan.conditions import Verdict
from tenfold_operator.plan.redis_status import Opinion

REQUEST = "tenfold.dev/handover"
"""Annotation: the time (RFC 3339) since when the primary should have moved."""
REQUESTED_TARGET = "tenfold.dev/handover-to"
"""Annotation beside it: the pod that should be the primary."""


@dataclass(frozen=True)
class _Demand:
    """Why the primary should move now."""

    why: str
    is_urgent: bool = False
    """The primary goes anyway: the cool-down does not hold it."""
    is_asked_for: bool = False
    """By a person: dry run does not hold it."""
    targets: tuple[str, ...] = ()
    """The pods that may become the primary; none means any."""


@dataclass(frozen=True)
class Refusal:
    """Why it must not."""

    reason: str
    message: str
    until: datetime | None = None


def plan_hand_over(decision: HandOver | Refusal | None) -> Iterator[Action]:
    """Hand over where that was decided; else say what holds it back."""
    match decision:
        case HandOver():
            yield decision
        case Refusal(reason=reason, message=message, until=until):
            yield Refuse(reason=reason, message=message)
            if until:
                yield Wait(reason=message, until=until)


def verdict(decision: HandOver | Refusal | None) -> Verdict:
    """Return the decision as the condition HandOverDue."""
    match decision:
        case HandOver(why=why):
            return Verdict("HandOverDue", "True", "HandingOver", why)
        case Refusal(reason=reason, message=message):
            return Verdict("HandOverDue", "True", reason, message)
    return Verdict("HandOverDue", "False", "NotDue", "the primary may stay where it is")


def decide(
    view: TierView, opinion: Opinion, restarting: str | None, now: datetime
) -> HandOver | Refusal | None:
    """Return the hand-over that is due, or why it must not be done; None when none is due.

    `restarting` is the pod that restarts next.
    """
    demand = _demand(view, opinion, restarting)
    if demand is None or isinstance(demand, Refusal):
        return demand
    if view.trouble:
        return Refusal("HandOverFailed", view.trouble)
    refusal = _forbidden(view, opinion, demand, now)
    if refusal:
        return refusal
    primary = _server(view, opinion.primary)
    if primary is None or primary.role != "primary":
        return Refusal("PrimaryNotServing", f"{opinion.primary} does not answer as the primary")
    fit = [each for each in view.servers if not _unfit(view, primary, each)]
    if demand.targets:
        fit = [each for each in fit if each.pod in demand.targets]
    if not fit:
        return Refusal("NoReplicaInSync", _why_none(view, primary, demand.targets))
    best = max(fit, key=lambda each: (_is_new(view, each), each.offset, -names.ordinal(each.pod)))
    return HandOver(
        primary=primary.pod,
        target=best.pod,
        service=objects.primary_service(view.tier, best.pod),
        why=demand.why,
    )


def _demand(view: TierView, opinion: Opinion, restarting: str | None) -> _Demand | Refusal | None:
    primary = opinion.primary
    # Where it has just moved, the status has to say so first: it tells what is done already.
    if primary is None or primary != view.tier.status.primary:
        return None
    pod = pod_of(view, primary)
    if pod and pod.is_ending:
        return _Demand(f"the pod {primary} is about to end", is_urgent=True)
    annotations = view.tier.metadata.annotations
    if asked := annotations.get(REQUEST):
        return _asked(view, primary, asked, annotations.get(REQUESTED_TARGET))
    if restarting == primary:
        return _Demand(f"{primary} has to restart, and its replicas have done so")
    if failing := redis_suspicion.failing(view, primary):
        if not failing.quick:
            return Refusal("NoQuickReplica", f"{failing.why}, but no replica was quick in all")
        return _Demand(failing.why, targets=failing.quick)
    return None


def _asked(
    view: TierView, primary: str, asked: str, target: str | None
) -> _Demand | Refusal | None:
    try:
        since = datetime.fromisoformat(asked)
    except ValueError:
        since = None
    if since is None or since.tzinfo is None:
        example = "2026-01-31T12:00:00Z"
        return Refusal("NotATime", f"annotation {REQUEST}={asked} is no time such as {example}")
    moved = view.tier.status.last_failover
    if (moved and moved.time >= since) or primary == target:
        return None
    return _Demand(f"asked for at {asked}", is_asked_for=True, targets=(target,) if target else ())


def _forbidden(view: TierView, opinion: Opinion, demand: _Demand, now: datetime) -> Refusal | None:
    if opinion.primary is None or opinion.is_failing_over:
        count = f"{opinion.agreeing} of {names.SENTINELS} Sentinels agree"
        busy = ", and one replaces the primary just now" if opinion.is_failing_over else ""
        return Refusal("NoQuorum", f"{count}{busy}")
    rivals = [each.pod for each in view.servers if each.role == "primary"]
    if rivals not in ([], [opinion.primary]):
        return Refusal("TwoPrimaries", f"{' and '.join(sorted(rivals))} say they are the primary")
    settings, moved = view.tier.spec.handover, view.tier.status.last_failover
    over = moved.time + timedelta(seconds=settings.cooldown_seconds) if moved else None
    if over and over > now and not demand.is_urgent:
        return Refusal(
            "CoolDown", f"the primary has moved just now; wait until {over:%H:%M:%S}", over
        )
    if settings.mode == "dryRun" and not demand.is_asked_for:
        return Refusal("DryRun", f"would hand over from {opinion.primary}: {demand.why}")
    return None


def _unfit(view: TierView, primary: ServerAnswer, server: ServerAnswer) -> str:
    """Return why the primary must not move to `server`; empty when it may."""
    pod = pod_of(view, server.pod)
    follower = next((each for each in primary.followers if each.pod == server.pod), None)
    behind = primary.offset - server.offset
    if (
        server.role != "replica"
        or server.upstream != primary.pod
        or server.history != primary.history
    ):
        return f"{server.pod} does not follow {primary.pod}"
    if follower is None or not follower.online:
        return f"{primary.pod} does not count {server.pod} as a replica"
    if pod is None or pod.is_ending or not pod.is_ready:
        return f"the pod {server.pod} is not ready"
    if follower.lag > names.LAG_SECONDS:
        return f"{server.pod} was last heard {follower.lag} s ago"
    if behind > view.tier.spec.handover.max_lag_bytes:
        return f"{server.pod} is {behind} bytes behind"
    return ""


def _why_none(view: TierView, primary: ServerAnswer, targets: tuple[str, ...]) -> str:
    others = [each for each in view.servers if each.pod != primary.pod]
    if targets:
        others = [each for each in others if each.pod in targets]
    reasons = [_unfit(view, primary, each) for each in others]
    wanted = " or ".join(targets) or "but the primary"
    return "; ".join(filter(None, reasons)) or f"no server {wanted} answers"


def _is_new(view: TierView, server: ServerAnswer) -> bool:
    pod, wanted = pod_of(view, server.pod), redis_restart.newest_revision(view)
    return pod is not None and pod.revision == wanted


def pod_of(view: TierView, name: str) -> TierPod | None:
    """Return the pod of this name."""
    return next((each for each in view.pods if each.name == name), None)


def _server(view: TierView, pod: str | None) -> ServerAnswer | None:
    return next((each for each in view.servers if each.pod == pod), None)
