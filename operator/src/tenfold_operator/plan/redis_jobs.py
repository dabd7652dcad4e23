"""The Jobs of backups and restores: restic and redis-tools in a pod, with scripts of ours."""

from dataclasses import dataclass
from importlib import resources

from pydantic import JsonValue

from tenfold_operator.model.base import JsonObject, ObjectMeta
from tenfold_operator.model.generated import RedisBackup, RedisRestore, RedisTier
from tenfold_operator.model.manifest import Ref, stamped
from tenfold_operator.model.names import APP, BACKUP, RESTORE, owned
from tenfold_operator.plan import redis_names as names
from tenfold_operator.plan import restricted
from tenfold_operator.plan.redis_pods import tls_mounts, tls_volumes

BACKUP_APP = "redis-backup"
_CLIENT = "tenfold.dev/redis-client"
_SCRIPTS = (
    "common.sh",
    "slots.sh",
    "backup.sh",
    "append-only.sh",
    "restore.sh",
    "snapshot.sh",
    "point-in-time.sh",
    "copy.lua",
    "digest.lua",
    "sample.lua",
    "compare.lua",
    "lifetimes.lua",
)
_DAY_SECONDS = 86400


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What a backup's Job and a restore's differ in."""

    kind: str
    meta: ObjectMeta
    label: str
    script: str
    source: str
    """Name of the tier that is backed up."""
    tier: RedisTier
    """The one that is spoken with."""
    environment: dict[str, str]
    server: str = ""
    """Pod of the server whose volume is read; none when empty."""


def of_backup(backup: RedisBackup, tier: RedisTier) -> tuple[JsonObject, ...]:
    """Return the objects of a backup of `tier`."""
    spec, kept = backup.spec, backup.spec.retention
    keep = (
        f"--keep-last {kept.last} --keep-daily {kept.daily} "
        f"--keep-weekly {kept.weekly} --keep-monthly {kept.monthly}"
    )
    run = _Run(
        kind="RedisBackup",
        meta=backup.metadata,
        label=BACKUP,
        script="backup.sh",
        source=spec.tier,
        tier=tier,
        environment={"KEEP": keep, "SERVICE": names.domain(tier, tier.metadata.name)},
        server=_recorded(tier) if spec.point_in_time else "",
    )
    return _objects(run, backup, spec.schedule, suspend=spec.suspend)


def _recorded(tier: RedisTier) -> str:
    """Return the pod whose append-only file is kept: the last one that is not the primary."""
    last = tier.spec.replicas
    pods = [f"{tier.metadata.name}-{number}" for number in (last, last - 1)]
    return next(each for each in pods if each != tier.status.primary)


def of_restore(
    restore: RedisRestore, backup: RedisBackup, tier: RedisTier
) -> tuple[JsonObject, ...]:
    """Return the objects of a restore into `tier` from the repository of `backup`."""
    spec = restore.spec
    target = names.domain(tier, tier.metadata.name) if spec.tier else ""
    chosen = str(int(spec.point_in_time.timestamp())) if spec.point_in_time else ""
    run = _Run(
        kind="RedisRestore",
        meta=restore.metadata,
        label=RESTORE,
        script="restore.sh",
        source=backup.spec.tier,
        tier=tier,
        environment={
            "SNAPSHOT": spec.snapshot,
            "POINT_IN_TIME": chosen,
            "MODE": spec.mode,
            "TARGET": target,
        },
    )
    return _objects(run, backup, spec.schedule, suspend=False)


def job_ref(kind: str, meta: ObjectMeta) -> Ref:
    """Return where the one Job of a backup or restore without a schedule is."""
    suffix = "backup" if kind == "RedisBackup" else "restore"
    return Ref("Job", meta.namespace, f"{meta.name}-{suffix}")


def _objects(
    run: _Run, backup: RedisBackup, schedule: str | None, *, suspend: bool
) -> tuple[JsonObject, ...]:
    ref = job_ref(run.kind, run.meta)
    labels = {APP: BACKUP_APP, run.label: run.meta.name}
    scripts = owned("ConfigMap", ref.name, run.kind, run.meta, labels)
    folder = resources.files("tenfold_operator.plan") / "scripts"
    scripts["data"] = {name: (folder / name).read_text() for name in _SCRIPTS}
    job: JsonObject = {
        "backoffLimit": 0,
        "ttlSecondsAfterFinished": 7 * _DAY_SECONDS,
        "activeDeadlineSeconds": _DAY_SECONDS,
        "template": {
            "metadata": {"labels": {**labels, _CLIENT: "true"}},
            "spec": _pod(run, ref.name, backup),
        },
    }
    if schedule is None:
        head = owned("Job", ref.name, run.kind, run.meta, labels)
        return stamped(scripts), {**head, "spec": job}
    head = owned("CronJob", ref.name, run.kind, run.meta, labels)
    head["spec"] = {
        "schedule": schedule,
        "suspend": suspend,
        # One that is still busy has not failed; a second one would only slow it down.
        "concurrencyPolicy": "Forbid",
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {"metadata": {"labels": dict(labels)}, "spec": job},
    }
    return stamped(scripts), stamped(head)


def _pod(run: _Run, scripts: str, backup: RedisBackup) -> JsonObject:
    container: JsonObject = {
        "name": "restic",
        "image": backup.spec.image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["bash", f"/scripts/{run.script}"],
        "env": _environment(run, backup),
        "envFrom": [{"secretRef": {"name": backup.spec.repository.secret_name}}],
        "volumeMounts": _mounts(run, backup),
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"cpu": "1", "memory": backup.spec.memory},
        },
        "securityContext": restricted.OF_CONTAINER,
    }
    return {
        **_beside(run.server),
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": restricted.OF_POD,
        "containers": [container],
        "volumes": _volumes(run, scripts, backup),
    }


def _beside(pod: str) -> JsonObject:
    """Have the scheduler choose the node of `pod`: elsewhere its volume cannot be mounted."""
    if not pod:
        return {}
    term: JsonObject = {
        "labelSelector": {"matchLabels": {names.POD_NAME: pod}},
        "topologyKey": "kubernetes.io/hostname",
    }
    rule: JsonObject = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    return {"affinity": {"podAffinity": rule}}


def _environment(run: _Run, backup: RedisBackup) -> list[JsonValue]:
    namespace = run.meta.namespace
    variables = {
        "TIER": run.source,
        "NODES": f"{run.source}-nodes.{namespace}.svc.cluster.local",
        "LABEL": f"{namespace}/{run.source}",
        "RESTIC_REPOSITORY": backup.spec.repository.url or "/repository",
        "RESTIC_CACHE_DIR": "/scratch/cache",
        "RESTIC_PROGRESS_FPS": "0.01",
        "RECORDED": run.server,
        **run.environment,
    }
    return [{"name": name, "value": value} for name, value in variables.items()]


def _mounts(run: _Run, backup: RedisBackup) -> list[JsonValue]:
    mounts: list[JsonValue] = [
        {"name": "scripts", "mountPath": "/scripts", "readOnly": True},
        {"name": "auth", "mountPath": "/auth", "readOnly": True},
        {"name": "scratch", "mountPath": "/scratch"},
        *tls_mounts(run.tier),
    ]
    if backup.spec.repository.claim_name:
        mounts.append({"name": "repository", "mountPath": "/repository"})
    if run.server:
        mounts.append({"name": "server", "mountPath": "/server", "readOnly": True})
    return mounts


def _volumes(run: _Run, scripts: str, backup: RedisBackup) -> list[JsonValue]:
    auth: JsonObject = {"secretName": names.secret(run.tier), "defaultMode": 0o440}
    volumes: list[JsonValue] = [
        {"name": "scripts", "configMap": {"name": scripts}},
        {"name": "auth", "secret": auth},
        {"name": "scratch", "emptyDir": {}},
        *tls_volumes(run.tier),
    ]
    if claim := backup.spec.repository.claim_name:
        volumes.append({"name": "repository", "persistentVolumeClaim": {"claimName": claim}})
    if run.server:
        own: JsonObject = {"claimName": names.claim(run.server)}
        volumes.append({"name": "server", "persistentVolumeClaim": own})
    return volumes
