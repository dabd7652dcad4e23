"""What follows a plan: it is carried out, a rejection is shown, and the next look is set."""

from collections.abc import Iterable
from datetime import datetime

from tenfold_operator.apply import Applier
from tenfold_operator.model.generated import (
    AnomalyDetector,
    RedisBackup,
    RedisRestore,
    RedisTier,
    Workload,
)
from tenfold_operator.plan.actions import Action, Wait
from tenfold_operator.plan.rejection import rejected_plan
from tenfold_operator.ports import Rejected


def carry_out(
    applier: Applier,
    resource: Workload | RedisTier | RedisBackup | RedisRestore | AnomalyDetector,
    kind: str,
    plan: Iterable[Action],
    now: datetime,
    condition: str,
) -> float | None:
    """Apply `plan` and return in how many seconds it wants another look.

    What the API server rejects is shown in the named condition, and raised.
    """
    actions = tuple(plan)
    try:
        applier.run(kind, resource.metadata, actions, now)
    except Rejected as error:
        shown = rejected_plan(kind, resource, condition, error.reason, error.message, now)
        applier.run(kind, resource.metadata, shown, now)
        raise
    dues = [each.until for each in actions if isinstance(each, Wait) and each.until]
    return max(0.0, (min(dues) - now).total_seconds()) if dues else None
