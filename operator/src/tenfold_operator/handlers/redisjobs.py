"""RedisBackups and RedisRestores: their Jobs and what these reported; then planned and applied."""

import asyncio
from collections.abc import Sequence

from tenfold_operator.adapters.store import Store
from tenfold_operator.apply import Applier, is_owned
from tenfold_operator.handlers.jobs import Jobs
from tenfold_operator.handlers.outcome import carry_out
from tenfold_operator.journal import Journal
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.generated import RedisBackup, RedisRestore
from tenfold_operator.model.manifest import Ref, at, ref_of
from tenfold_operator.model.observed import BackupView, RestoreView
from tenfold_operator.plan.redis_backup import plan_backup, plan_restore
from tenfold_operator.ports import Clock

_LOOK_AGAIN_SECONDS = 60.0


class RedisJobsHandler:
    """Brings one RedisBackup or RedisRestore at a time to what its spec says."""

    def __init__(
        self, *, store: Store, jobs: Jobs, applier: Applier, journal: Journal, clock: Clock
    ) -> None:
        self._store = store
        self._jobs = jobs
        self._applier = applier
        self._journal = journal
        self._clock = clock

    async def reconcile(self, ref: Ref) -> float | None:
        """Observe, plan, apply; return in how many seconds to look again."""
        manifest = self._store.get(ref)
        if manifest is None or at(manifest, "metadata", "deletionTimestamp"):
            self._journal.forget(ref)
            return None
        related = self._store.related(ref)
        resource: RedisBackup | RedisRestore
        if ref.kind == "RedisBackup":
            resource = RedisBackup.model_validate(manifest)
            backup = await asyncio.to_thread(self._backup_view, resource, related)
            now = self._clock.now()
            plan = plan_backup(backup, now)
        else:
            resource = RedisRestore.model_validate(manifest)
            restore = await asyncio.to_thread(self._restore_view, resource, related)
            now = self._clock.now()
            plan = plan_restore(restore, now)
        self._journal.write(ref, plan, now)
        await asyncio.to_thread(carry_out, self._applier, resource, ref.kind, plan, now, "Ready")
        return _LOOK_AGAIN_SECONDS

    def _backup_view(self, backup: RedisBackup, related: Sequence[JsonObject]) -> BackupView:
        return BackupView(
            backup=backup,
            objects={ref_of(each): each for each in related if is_owned(each, backup.metadata)},
            jobs=self._jobs.ended(related),
            tier=self._jobs.tier(backup.metadata.namespace, backup.spec.tier),
        )

    def _restore_view(self, restore: RedisRestore, related: Sequence[JsonObject]) -> RestoreView:
        namespace = restore.metadata.namespace
        backup = self._jobs.backup(namespace, restore.spec.backup)
        tier = restore.spec.tier or (backup.spec.tier if backup else "")
        return RestoreView(
            restore=restore,
            backup=backup,
            objects={ref_of(each): each for each in related if is_owned(each, restore.metadata)},
            jobs=self._jobs.ended(related),
            tier=self._jobs.tier(namespace, tier),
        )
