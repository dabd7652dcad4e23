"""RedisTiers, their backups and restores, in one line and in full."""

from collections.abc import Iterable
from datetime import datetime

from tenfold_operator.console import views
from tenfold_operator.console.reasons import explain
from tenfold_operator.console.source import NOT_LOOKED, Source, decision_view, since, state_of
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import RedisBackup, RedisRestore, RedisTier
from tenfold_operator.model.manifest import Ref, holding, text_at
from tenfold_operator.model.names import APP
from tenfold_operator.plan import conditions
from tenfold_operator.plan.redis_names import SENTINELS

_HAND_OVERS = ("hand over from", "promote", "fence", "tell the Sentinels")
_PASSING = ("ReplicasNotInSync", "SentinelsLearning")


def summary(tier: RedisTier) -> views.TierSummary:
    """Return a RedisTier in one line."""
    meta, status = tier.metadata, tier.status
    ready = conditions.find(status.conditions, "Ready")
    due = conditions.find(status.conditions, "HandOverDue")
    moved = status.last_failover
    state = state_of(ready, _PASSING)
    if due and due.status == "True" and state == "good":
        state, ready = "working", due
    return views.TierSummary(
        kind="RedisTier",
        namespace=meta.namespace,
        name=meta.name,
        state=state,
        reason=ready.reason if ready else "",
        headline=ready.message if ready else NOT_LOOKED,
        since=since(status.conditions),
        primary=status.primary or "",
        in_sync=_in_sync(tier),
        replicas=tier.spec.replicas * (tier.spec.shards or 1),
        sentinels_agreeing=status.sentinels_agreeing or 0,
        sentinels=0 if tier.spec.topology == "cluster" else SENTINELS,
        shards=len(status.shards),
        last_failover=moved.time if moved else None,
    )


def _in_sync(tier: RedisTier) -> int:
    status = tier.status
    if tier.spec.topology == "cluster":
        return sum(each.replicas for each in status.shards)
    return sum(each.lag is not None and each.name != status.primary for each in status.replicas)


def detail(source: Source, ref: Ref, tier: RedisTier) -> views.TierDetail:
    """Return everything that is known of a RedisTier."""
    told, related = summary(tier), source.store.related(ref)
    moves = [each for each in source.journal.log() if each.owner == ref]
    return views.TierDetail(
        summary=told,
        explanation=explain(told.reason),
        memory=tier.spec.memory,
        eviction_policy=tier.spec.eviction_policy,
        persistence=tier.spec.persistence.mode,
        status=tier.status,
        servers=_pods(related, "redis"),
        sentinels=_pods(related, "redis-sentinel"),
        waiting=source.waiting(ref),
        copies=tuple(_copies(source, ref)),
        hand_overs=tuple(
            decision_view(each)
            for each in moves
            if each.refused or each.what.startswith(_HAND_OVERS)
        )[:20],
        decisions=source.decisions(ref),
    )


def backup_summary(backup: RedisBackup) -> views.JobSummary:
    """Return a RedisBackup in one line."""
    last = backup.status.last_backup
    return _job_summary("RedisBackup", backup, backup.spec.tier, last.time if last else None)


def restore_summary(source: Source, restore: RedisRestore) -> views.JobSummary:
    """Return a RedisRestore in one line."""
    tier = restore.spec.tier or _backed_up(source, restore)
    return _job_summary("RedisRestore", restore, tier, restore.status.last_good)


def _job_summary(
    kind: str, resource: RedisBackup | RedisRestore, tier: str, last_good: datetime | None
) -> views.JobSummary:
    meta, found = resource.metadata, resource.status.conditions
    ready = conditions.find(found, "Ready")
    return views.JobSummary(
        kind=kind,
        namespace=meta.namespace,
        name=meta.name,
        state=state_of(ready),
        reason=ready.reason if ready else "",
        headline=ready.message if ready else NOT_LOOKED,
        since=since(found),
        tier=tier,
        last_good=last_good,
    )


def _backed_up(source: Source, restore: RedisRestore) -> str:
    """Return the tier that the backup of a drill is of."""
    found = source.manifest(Ref("RedisBackup", restore.metadata.namespace, restore.spec.backup))
    return text_at(found, "spec", "tier") if found else ""


def _copies(source: Source, tier: Ref) -> Iterable[views.Copies]:
    """Return the backups and restores of a tier."""
    for manifest in source.store.all("RedisBackup"):
        backup = RedisBackup.model_validate(manifest)
        if (backup.metadata.namespace, backup.spec.tier) == (tier.namespace, tier.name):
            yield views.Copies(
                summary=backup_summary(backup),
                schedule=backup.spec.schedule or "",
                backup=backup.status,
            )
    for manifest in source.store.all("RedisRestore"):
        restore = RedisRestore.model_validate(manifest)
        told = restore_summary(source, restore)
        if (told.namespace, told.tier) == (tier.namespace, tier.name):
            yield views.Copies(
                summary=told,
                mode=restore.spec.mode,
                schedule=restore.spec.schedule or "",
                restore=restore.status,
            )


def _pods(related: tuple[JsonObject, ...], app: str) -> tuple[views.PodView, ...]:
    return tuple(
        views.PodView(
            name=text_at(each, "metadata", "name"),
            is_ready=holding(each, "Ready") is not None,
            node=text_at(each, "spec", "nodeName"),
        )
        for each in related
        if each["kind"] == "Pod" and text_at(each, "metadata", "labels", APP) == app
    )
