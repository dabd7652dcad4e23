"""What to show when the API server rejects an object of a plan."""

from datetime import datetime

from tenfold_operator.model.generated import (
    AnomalyDetector,
    RedisBackup,
    RedisRestore,
    RedisTier,
    Workload,
)
from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan import conditions
from tenfold_operator.plan.actions import Plan, SetStatus
from tenfold_operator.plan.conditions import Verdict


def rejected_plan(
    kind: str,
    resource: Workload | RedisTier | RedisBackup | RedisRestore | AnomalyDetector,
    condition: str,
    reason: str,
    message: str,
    now: datetime,
) -> Plan:
    """Return the actions that show a rejection in the status, once, with an event."""
    meta, before = resource.metadata, resource.status
    kept = [each for each in before.conditions if each.type != condition]
    verdict = Verdict(condition, "False", reason, message)
    new = conditions.update(before.conditions, [verdict], meta.generation, now)
    status = before.model_copy(update={"message": message, "conditions": (*kept, *new)})
    if status == before:
        return ()
    return (
        SetStatus(ref=Ref(kind, meta.namespace, meta.name), status=status.to_json()),
        *conditions.transitions(before.conditions, status.conditions),
    )
