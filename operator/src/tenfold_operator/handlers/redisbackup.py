"""RedisBackups: their Jobs and what these reported; then planned and applied."""

import asyncio

from tenfold_operator.adapters.store import Store
from tenfold_operator.apply import Applier, is_owned
from tenfold_operator.handlers.jobs import Jobs
from tenfold_operator.handlers.outcome import carry_out
from tenfold_operator.journal import Journal
from tenfold_operator.model.generated import RedisBackup
from tenfold_operator.model.manifest import Ref, at, ref_of
from tenfold_operator.model.observed import BackupView
from tenfold_operator.plan.redis_backup import plan_backup
from tenfold_operator.ports import Clock

_LOOK_AGAIN_SECONDS = 60.0


class RedisBackupHandler:
    """Brings one RedisBackup at a time to what its spec says."""

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
        backup = RedisBackup.model_validate(manifest)
        related = self._store.related(ref)
        view = BackupView(
            backup=backup,
            objects={ref_of(each): each for each in related if is_owned(each, backup.metadata)},
            jobs=await asyncio.to_thread(self._jobs.ended, related),
            tier_secret=self._jobs.tier_secret(ref.namespace, backup.spec.tier),
        )
        now = self._clock.now()
        plan = plan_backup(view, now)
        self._journal.write(ref, plan, now)
        await asyncio.to_thread(carry_out, self._applier, backup, "RedisBackup", plan, now, "Ready")
        return _LOOK_AGAIN_SECONDS
