"""The Jobs of backups and restores: restic and redis-tools in a pod, with scripts of ours."""

from dataclasses import dataclass
from importlib import resources

from pydantic import JsonValue

from tenfold_operator.model.base import JsonObject, ObjectMeta
from tenfold_operator.model.generated import RedisBackup, RedisRestore
from tenfold_operator.model.manifest import Ref, stamped
from tenfold_operator.model.names import APP, BACKUP, RESTORE, owned

BACKUP_APP = "redis-backup"
_CLIENT = "tenfold.dev/redis-client"
_USER = 65532
_SCRIPTS = (
    "common.sh",
    "backup.sh",
    "restore.sh",
    "copy.lua",
    "digest.lua",
    "sample.lua",
    "compare.lua",
)
_DAY_SECONDS = 86400


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What a backup's Job and a restore's differ in."""

    kind: str
    meta: ObjectMeta
    label: str
    script: str
    tier: str
    secret: str
    environment: dict[str, str]


def of_backup(backup: RedisBackup, secret: str) -> tuple[JsonObject, ...]:
    """Return the objects of a backup; `secret` holds the password of the tier."""
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
        tier=spec.tier,
        secret=secret,
        environment={"KEEP": keep},
    )
    return _objects(run, backup, spec.schedule, suspend=spec.suspend)


def of_restore(restore: RedisRestore, backup: RedisBackup, secret: str) -> tuple[JsonObject, ...]:
    """Return the objects of a restore from the repository of `backup`."""
    spec, namespace = restore.spec, restore.metadata.namespace
    target = f"{spec.tier}.{namespace}.svc.cluster.local" if spec.tier else ""
    run = _Run(
        kind="RedisRestore",
        meta=restore.metadata,
        label=RESTORE,
        script="restore.sh",
        tier=backup.spec.tier,
        secret=secret,
        environment={"SNAPSHOT": spec.snapshot, "MODE": spec.mode, "TARGET": target},
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
        "volumeMounts": _mounts(backup),
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"cpu": "1", "memory": backup.spec.memory},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": _volumes(run, scripts, backup),
    }


def _environment(run: _Run, backup: RedisBackup) -> list[JsonValue]:
    namespace = run.meta.namespace
    variables = {
        "TIER": run.tier,
        "NODES": f"{run.tier}-nodes.{namespace}.svc.cluster.local",
        "LABEL": f"{namespace}/{run.tier}",
        "RESTIC_REPOSITORY": backup.spec.repository.url or "/repository",
        "RESTIC_CACHE_DIR": "/scratch/cache",
        "RESTIC_PROGRESS_FPS": "0.01",
        **run.environment,
    }
    return [{"name": name, "value": value} for name, value in variables.items()]


def _mounts(backup: RedisBackup) -> list[JsonValue]:
    mounts: list[JsonValue] = [
        {"name": "scripts", "mountPath": "/scripts", "readOnly": True},
        {"name": "auth", "mountPath": "/auth", "readOnly": True},
        {"name": "scratch", "mountPath": "/scratch"},
    ]
    if backup.spec.repository.claim_name:
        mounts.append({"name": "repository", "mountPath": "/repository"})
    return mounts


def _volumes(run: _Run, scripts: str, backup: RedisBackup) -> list[JsonValue]:
    auth: JsonObject = {"secretName": run.secret, "defaultMode": 0o440}
    volumes: list[JsonValue] = [
        {"name": "scripts", "configMap": {"name": scripts}},
        {"name": "auth", "secret": auth},
        {"name": "scratch", "emptyDir": {}},
    ]
    if claim := backup.spec.repository.claim_name:
        volumes.append({"name": "repository", "persistentVolumeClaim": {"claimName": claim}})
    return volumes
