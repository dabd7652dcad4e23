"""What to do for a RedisBackup and a RedisRestore: their Jobs, and what these reported."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import (
    RedisBackup,
    RedisBackupLastBackup,
    RedisBackupStatus,
    RedisRestoreLastRun,
    RedisRestoreStatus,
    RedisTier,
)
from tenfold_operator.model.manifest import Ref, ref_of, text_at
from tenfold_operator.model.observed import BackupView, JobAnswer, RestoreView
from tenfold_operator.plan import conditions, redis_jobs
from tenfold_operator.plan.actions import Action, Plan, Refuse, SetStatus
from tenfold_operator.plan.conditions import Verdict
from tenfold_operator.plan.ensure import ensure

_BACKUP_FIELDS = (
    "snapshot",
    "bytes",
    "keys",
    "seconds",
    "repositoryBytes",
    "kept",
    "from",
    "until",
)
_UNFIT = ("BackupMissing", "TierMissing", "NoCommonTime", "NoAppendOnlyFile")
_RESTORE_FIELDS = ("snapshot", "bytes", "keys", "found", "sampled", "different", "seconds")


def plan_backup(view: BackupView, now: datetime) -> Plan:
    """Return what to do now for a backup."""
    backup, before = view.backup, view.backup.status
    job = _newest(view.jobs)
    last = before.last_backup
    if job and job.succeeded and (last is None or last.job != job.name):
        last = RedisBackupLastBackup.model_validate(_outcome(job, _BACKUP_FIELDS))
    verdict = (
        _missing(backup.spec.tier, view.tier)
        or _without_times(backup, view.tier)
        or _verdict(job, before.last_job)
    )
    status = RedisBackupStatus(
        observed_generation=backup.metadata.generation,
        last_backup=last,
        last_job=job.name if job else before.last_job,
        message=verdict.message,
        conditions=conditions.update(before.conditions, [verdict], backup.metadata.generation, now),
    )
    ref = Ref("RedisBackup", backup.metadata.namespace, backup.metadata.name)
    wanted: tuple[JsonObject, ...] = ()
    if view.tier and verdict.reason not in _UNFIT:
        wanted = redis_jobs.of_backup(backup, view.tier)
    return (
        *_jobs(view.objects, wanted, is_done=before.last_job is not None),
        *_refused(verdict),
        *_set(ref, before.to_json(), status.to_json()),
        *conditions.transitions(before.conditions, status.conditions),
    )


def plan_restore(view: RestoreView, now: datetime) -> Plan:
    """Return what to do now for a restore."""
    restore, before = view.restore, view.restore.status
    job = _newest(view.jobs)
    last, good = before.last_run, before.last_good
    # One that found a difference has a result too.
    if job and job.result.get("keys") is not None and (last is None or last.job != job.name):
        outcome = {**_outcome(job, _RESTORE_FIELDS), "equal": job.succeeded}
        last = RedisRestoreLastRun.model_validate(outcome)
        good = last.time if job.succeeded else good
    if view.backup is None:
        message = f"RedisBackup {restore.spec.backup} does not exist: it names the repository"
        verdict = Verdict("Ready", "False", "BackupMissing", message)
    else:
        tier = restore.spec.tier or view.backup.spec.tier
        # The file is that of the tier which was backed up; another one may well be a cluster.
        is_of_it = tier == view.backup.spec.tier and restore.spec.point_in_time is not None
        verdict = (
            _missing(tier, view.tier)
            or (_no_common_time(view.tier) if is_of_it else None)
            or _verdict(job, before.last_job)
        )
    status = RedisRestoreStatus(
        observed_generation=restore.metadata.generation,
        last_run=last,
        last_good=good,
        last_job=job.name if job else before.last_job,
        message=verdict.message,
        conditions=conditions.update(
            before.conditions, [verdict], restore.metadata.generation, now
        ),
    )
    ref = Ref("RedisRestore", restore.metadata.namespace, restore.metadata.name)
    wanted: tuple[JsonObject, ...] = ()
    if view.backup and view.tier and verdict.reason not in _UNFIT:
        wanted = redis_jobs.of_restore(restore, view.backup, view.tier)
    return (
        *_jobs(view.objects, wanted, is_done=before.last_job is not None),
        *_refused(verdict),
        *_set(ref, before.to_json(), status.to_json()),
        *conditions.transitions(before.conditions, status.conditions),
    )


def _jobs(
    observed: dict[Ref, JsonObject], wanted: Iterable[JsonObject], *, is_done: bool
) -> Iterator[Action]:
    for manifest in wanted:
        ref = ref_of(manifest)
        if ref.kind == "Job" and (ref in observed or is_done):
            continue  # what it does cannot be changed, and it is done once
        yield from ensure(observed.get(ref), manifest, "the spec asks for it")


def _newest(jobs: Iterable[JobAnswer]) -> JobAnswer | None:
    return max(jobs, key=lambda each: each.ended, default=None)


def _outcome(job: JobAnswer, fields: Iterable[str]) -> JsonObject:
    return {
        "job": job.name,
        "time": job.ended.isoformat(),
        **{name: job.result[name] for name in fields if name in job.result},
    }


def _missing(name: str, tier: RedisTier | None) -> Verdict | None:
    """Return that there is no tier of this name; None when there is."""
    if tier is None:
        return Verdict("Ready", "False", "TierMissing", f"RedisTier {name} does not exist")
    return None


def _without_times(backup: RedisBackup, tier: RedisTier | None) -> Verdict | None:
    """Return why no point in time can be kept; None when it can, or is not wanted."""
    if not backup.spec.point_in_time or tier is None:
        return None
    if tier.spec.persistence.mode != "aof":
        message = (
            f"pointInTime needs persistence.mode aof, and RedisTier {backup.spec.tier} has rdb"
        )
        return Verdict("Ready", "False", "NoAppendOnlyFile", message)
    return _no_common_time(tier)


def _no_common_time(tier: RedisTier | None) -> Verdict | None:
    """Return why the tier cannot go back to a second; None when it can."""
    if tier and tier.spec.topology == "cluster":
        message = (
            f"RedisTier {tier.metadata.name} is a cluster: each shard keeps its own append-only "
            "file by its own clock, so there is no second for all of them; leave pointInTime out"
        )
        return Verdict("Ready", "False", "NoCommonTime", message)
    return None


def _verdict(job: JobAnswer | None, last_job: str | None) -> Verdict:
    if job is None:
        message = f"{last_job} was the last one" if last_job else "none has ended yet"
        return Verdict("Ready", "Unknown", "Waiting", message)
    if job.succeeded:
        snapshot, keys = job.result.get("snapshot"), job.result.get("keys")
        message = f"{job.name}: snapshot {snapshot} with {keys} keys"
        return Verdict("Ready", "True", "Succeeded", message)
    if job.result.get("different") is not None:
        seen = {name: job.result.get(name) for name in ("keys", "found", "sampled", "different")}
        words = ", ".join(f"{name} {value}" for name, value in seen.items())
        message = f"{job.name}: the copy differs from the snapshot: {words}"
        return Verdict("Ready", "False", "Different", message)
    why = text_at(job.result, "error") or f"see kubectl logs job/{job.name}"
    return Verdict("Ready", "False", "Failed", f"{job.name}: {why}")


def _refused(verdict: Verdict) -> Iterator[Action]:
    if verdict.reason in _UNFIT:
        yield Refuse(reason=verdict.reason, message=verdict.message)


def _set(ref: Ref, before: JsonObject, status: JsonObject) -> Iterator[Action]:
    if status != before:
        yield SetStatus(ref=ref, status=status)
