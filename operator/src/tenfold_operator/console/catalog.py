"""One entrance to what the console shows of any custom resource."""

from collections.abc import Callable
from typing import TypeAlias

from pydantic import ValidationError

from tenfold_operator.console import detectors, tiers, views, workloads
from tenfold_operator.console.source import Source
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import (
    AnomalyDetector,
    RedisBackup,
    RedisRestore,
    RedisTier,
    Workload,
)
from tenfold_operator.model.manifest import Ref

Detail: TypeAlias = views.WorkloadDetail | views.TierDetail | views.DetectorDetail

_SUMMARIES: dict[str, Callable[[Source, JsonObject], views.AnySummary]] = {
    "Workload": lambda _, found: workloads.summary(Workload.model_validate(found)),
    "RedisTier": lambda _, found: tiers.summary(RedisTier.model_validate(found)),
    "RedisBackup": lambda _, found: tiers.backup_summary(RedisBackup.model_validate(found)),
    "RedisRestore": lambda source, found: tiers.restore_summary(
        source, RedisRestore.model_validate(found)
    ),
    "AnomalyDetector": lambda _, found: detectors.summary(AnomalyDetector.model_validate(found)),
}
_DETAILS: dict[str, Callable[[Source, Ref, JsonObject], Detail]] = {
    "Workload": lambda source, ref, found: workloads.detail(
        source, ref, Workload.model_validate(found)
    ),
    "RedisTier": lambda source, ref, found: tiers.detail(
        source, ref, RedisTier.model_validate(found)
    ),
    "AnomalyDetector": lambda source, ref, found: detectors.detail(
        source, ref, AnomalyDetector.model_validate(found)
    ),
}
KINDS = tuple(_SUMMARIES)


def summary(source: Source, ref: Ref) -> views.AnySummary | None:
    """Return a resource in one line; None when it is gone.

    One that does not fit its definition (that of an older version) says so.
    """
    found = source.manifest(ref)
    if found is None:
        return None
    try:
        return _SUMMARIES[ref.kind](source, found)
    except ValidationError as error:
        return views.Summary(
            kind=ref.kind,
            namespace=ref.namespace,
            name=ref.name,
            state="unknown",
            reason="Unreadable",
            headline=f"it does not fit its definition: {error.errors()[0]['msg']}",
        )


def detail(source: Source, ref: Ref) -> Detail | None:
    """Return everything that is known of a resource; None when it is gone.

    Raises pydantic.ValidationError for one that does not fit its definition.
    """
    found = source.manifest(ref)
    return _DETAILS[ref.kind](source, ref, found) if found is not None else None
