"""What RedisBackups and RedisRestores make, and what they say of it."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pytest
from tenfold_operator.model.generated import RedisBackup, RedisRestore, RedisTier
from tenfold_operator.model.manifest import Ref, ref_of
from tenfold_operator.model.observed import BackupView, JobAnswer, RestoreView
from tenfold_operator.plan.actions import Apply, Plan, Refuse, SetStatus
from tenfold_operator.plan.redis_backup import plan_backup, plan_restore

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
META = {"name": "nightly", "namespace": "shop", "uid": "u", "generation": 1}
REPOSITORY = {"url": "s3:https://s3.example.com/l2", "secretName": "repository"}
DONE: dict[str, Any] = {
    "snapshot": "0a1b2c3d",
    "bytes": 1000,
    "keys": 10,
    "seconds": 1.5,
    "repositoryBytes": 900,
    "kept": 1,
}
EQUAL: dict[str, Any] = {
    "snapshot": "0a1b2c3d",
    "bytes": 1000,
    "keys": 10,
    "found": 10,
    "sampled": 10,
    "different": 0,
    "seconds": 2.0,
}


def tier(name: str = "l2", **spec: Any) -> RedisTier:
    meta = {"name": name, "namespace": "shop"}
    return RedisTier.model_validate({"metadata": meta, "spec": {"memory": "64Mi", **spec}})


CLUSTER = tier(topology="cluster", shards=3)


def backup(status: dict[str, Any] | None = None, **spec: Any) -> RedisBackup:
    return RedisBackup.model_validate(
        {
            "metadata": META,
            "spec": {"tier": "l2", "repository": REPOSITORY, **spec},
            "status": status or {},
        }
    )


def restore(status: dict[str, Any] | None = None, **spec: Any) -> RedisRestore:
    return RedisRestore.model_validate(
        {
            "metadata": META,
            "spec": {"backup": "nightly", "mode": "drill", **spec},
            "status": status or {},
        }
    )


def job(name: str = "nightly-backup", *, succeeded: bool = True, **result: Any) -> JobAnswer:
    return JobAnswer(name, NOW, succeeded, result)


def of(resource: RedisBackup, *jobs: JobAnswer, **more: Any) -> BackupView:
    chosen: dict[str, Any] = {"tier": tier(), "objects": {}, **more}
    return BackupView(backup=resource, jobs=jobs, **chosen)


def of_restore(resource: RedisRestore, *jobs: JobAnswer, **more: Any) -> RestoreView:
    chosen: dict[str, Any] = {
        "tier": tier(),
        "objects": {},
        "backup": backup(),
        **more,
    }
    return RestoreView(restore=resource, jobs=jobs, **chosen)


def made(plan: Plan) -> dict[str, dict[str, Any]]:
    manifests = [each.manifest for each in plan if isinstance(each, Apply)]
    return {ref_of(each).kind: each for each in manifests}


def status(plan: Plan) -> dict[str, Any]:
    return next(each.status for each in plan if isinstance(each, SetStatus))


def reason(plan: Plan) -> str:
    (condition,) = status(plan)["conditions"]
    return str(condition["reason"])


def test_without_a_schedule_it_happens_once() -> None:
    first = made(plan_backup(of(backup()), NOW))
    assert set(first) == {"ConfigMap", "Job"}
    objects = {ref_of(each): each for each in first.values()}
    assert made(plan_backup(of(backup(), objects=objects), NOW)) == {}
    done = backup(status(plan_backup(of(backup(), job(**DONE)), NOW)))
    config = {ref: each for ref, each in objects.items() if ref.kind == "ConfigMap"}
    assert made(plan_backup(of(done, objects=config), NOW)) == {}


def test_a_schedule_is_a_cron_job_that_follows_the_spec() -> None:
    plan = plan_backup(of(backup(schedule="17 3 * * *")), NOW)
    cron = made(plan)["CronJob"]
    assert cron["spec"]["schedule"] == "17 3 * * *"
    assert cron["spec"]["concurrencyPolicy"] == "Forbid"
    objects = {ref_of(each): each for each in made(plan).values()}
    changed = backup(schedule="17 3 * * *", suspend=True)
    again = made(plan_backup(of(changed, objects=objects), NOW))
    assert again["CronJob"]["spec"]["suspend"] is True


def test_what_a_job_reports_is_in_the_status_and_planned_no_further() -> None:
    plan = plan_backup(of(backup(), job(**DONE)), NOW)
    assert status(plan)["lastBackup"] == {
        "job": "nightly-backup",
        "time": "2026-01-01T12:00:00Z",
        **DONE,
    }
    assert reason(plan) == "Succeeded"
    done = backup(status(plan))
    assert not any(isinstance(each, SetStatus) for each in plan_backup(of(done, job(**DONE)), NOW))


def test_a_failure_keeps_the_last_good_one_and_says_why() -> None:
    good = backup(status(plan_backup(of(backup(), job(**DONE)), NOW)))
    failed = job("nightly-2", succeeded=False, error="no replica of l2 is connected")
    plan = plan_backup(of(good, failed), NOW)
    assert reason(plan) == "Failed"
    assert "no replica of l2 is connected" in status(plan)["message"]
    assert status(plan)["lastBackup"]["job"] == "nightly-backup"


def test_a_copy_that_differs_is_told_from_one_that_failed() -> None:
    good = plan_restore(of_restore(restore(), job(**EQUAL)), NOW)
    assert (reason(good), status(good)["lastRun"]["equal"]) == ("Succeeded", True)
    before = restore(status(good))
    off = job("drill-2", succeeded=False, **{**EQUAL, "different": 3})
    plan = plan_restore(of_restore(before, off), NOW)
    assert (reason(plan), status(plan)["lastRun"]["equal"]) == ("Different", False)
    assert status(plan)["lastGood"] == status(good)["lastGood"]
    broken = job("drill-3", succeeded=False, error="cannot be read")
    plan = plan_restore(of_restore(before, broken), NOW)
    assert reason(plan) == "Failed"
    assert status(plan)["lastRun"] == status(good)["lastRun"]


def test_what_is_missing_is_said_and_nothing_is_made() -> None:
    for plan, wanted in (
        (plan_backup(of(backup(), tier=None), NOW), "TierMissing"),
        (plan_restore(of_restore(restore(), backup=None), NOW), "BackupMissing"),
        (plan_restore(of_restore(restore(), tier=None), NOW), "TierMissing"),
    ):
        assert [each.reason for each in plan if isinstance(each, Refuse)] == [wanted]
        assert made(plan) == {}


def test_a_cluster_is_backed_up_and_restored_as_a_replicated_tier_is() -> None:
    for plan, wanted in (
        (plan_backup(of(backup(), tier=CLUSTER), NOW), plan_backup(of(backup()), NOW)),
        (
            plan_restore(of_restore(restore(), tier=CLUSTER), NOW),
            plan_restore(of_restore(restore()), NOW),
        ),
    ):
        assert made(plan) == made(wanted)
        assert made(plan).keys() == {"ConfigMap", "Job"}


def test_a_cluster_has_no_second_that_all_its_shards_could_go_back_to() -> None:
    then = "2026-01-01T12:00:00Z"
    for plan in (
        plan_backup(of(backup(pointInTime=True), tier=CLUSTER), NOW),
        plan_restore(of_restore(restore(pointInTime=then), tier=CLUSTER), NOW),
    ):
        (refusal,) = (each for each in plan if isinstance(each, Refuse))
        assert refusal.reason == reason(plan) == "NoCommonTime"
        assert "leave pointInTime out" in refusal.message
        assert made(plan) == {}


def test_a_replicated_tier_of_a_chosen_second_may_go_into_a_cluster() -> None:
    then, other = "2026-01-01T12:00:00Z", tier("l9", topology="cluster", shards=3)
    chosen = restore(mode="copy", tier="l9", pointInTime=then)
    assert made(plan_restore(of_restore(chosen, tier=other), NOW)).keys() == {"ConfigMap", "Job"}


def test_the_pods_are_restricted_and_reach_redis_only_as_clients() -> None:
    pod = made(plan_backup(of(backup()), NOW))["Job"]["spec"]["template"]
    assert pod["metadata"]["labels"]["tenfold.dev/redis-client"] == "true"
    assert "tenfold.dev/tier" not in pod["metadata"]["labels"]
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    (container,) = pod["spec"]["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["resources"]["limits"].keys() == {"cpu", "memory"}


def test_a_volume_is_mounted_where_restic_looks() -> None:
    named = backup(repository={"claimName": "backups", "secretName": "repository"})
    spec = made(plan_backup(of(named), NOW))["Job"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert {"name": "RESTIC_REPOSITORY", "value": "/repository"} in container["env"]
    assert {"name": "repository", "mountPath": "/repository"} in container["volumeMounts"]
    claim = {"name": "repository", "persistentVolumeClaim": {"claimName": "backups"}}
    assert claim in spec["volumes"]


def test_both_find_the_servers_by_the_service_of_the_tier() -> None:
    assert variables(plan_backup(of(backup()), NOW))["SERVICE"] == "l2.shop.svc.cluster.local"
    plan = plan_restore(of_restore(restore(mode="copy", tier="l9"), tier=tier("l9")), NOW)
    found = variables(plan)
    assert found["TARGET"] == "l9.shop.svc.cluster.local"
    assert (found["TIER"], found["LABEL"], found["MODE"]) == ("l2", "shop/l2", "copy")


def variables(plan: Plan) -> dict[str, str]:
    (container,) = made(plan)["Job"]["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each["value"] for each in container["env"]}


@pytest.mark.parametrize(
    ("primary", "pod"), [(None, "l2-2"), ("l2-0", "l2-2"), ("l2-1", "l2-2"), ("l2-2", "l2-1")]
)
def test_for_points_in_time_the_job_reads_a_replicas_volume_on_its_node(
    primary: str | None, pod: str
) -> None:
    seen = tier(persistence={"mode": "aof"})
    seen = seen.model_copy(update={"status": seen.status.model_copy(update={"primary": primary})})
    plan = plan_backup(of(backup(pointInTime=True), tier=seen), NOW)
    spec = made(plan)["Job"]["spec"]["template"]["spec"]
    (term,) = spec["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["labelSelector"]["matchLabels"] == {"statefulset.kubernetes.io/pod-name": pod}
    claim = {"name": "server", "persistentVolumeClaim": {"claimName": f"data-{pod}"}}
    assert claim in spec["volumes"]
    mount = {"name": "server", "mountPath": "/server", "readOnly": True}
    assert mount in spec["containers"][0]["volumeMounts"]
    assert variables(plan)["RECORDED"] == pod


def test_without_points_in_time_the_job_runs_anywhere_and_reads_no_volume() -> None:
    plan = plan_backup(of(backup()), NOW)
    spec = made(plan)["Job"]["spec"]["template"]["spec"]
    assert "affinity" not in spec
    assert "server" not in [each["name"] for each in spec["volumes"]]
    assert variables(plan)["RECORDED"] == ""


def test_points_in_time_need_an_append_only_file() -> None:
    without = tier(persistence={"mode": "rdb"})
    plan = plan_backup(of(backup(pointInTime=True), tier=without), NOW)
    assert [each.reason for each in plan if isinstance(each, Refuse)] == ["NoAppendOnlyFile"]
    assert made(plan) == {}
    assert made(plan_backup(of(backup(), tier=without), NOW)).keys() == {"ConfigMap", "Job"}


def test_the_status_tells_which_seconds_there_are() -> None:
    window: dict[str, Any] = {"from": "2026-01-01T10:00:00Z", "until": "2026-01-01T11:59:00Z"}
    plan = plan_backup(of(backup(pointInTime=True), job(**DONE, **window)), NOW)
    assert status(plan)["lastBackup"].items() >= window.items()


def test_a_restore_goes_back_to_the_end_of_a_whole_second() -> None:
    chosen = restore(mode="copy", tier="l9", pointInTime="2026-01-01T13:00:00.900+01:00")
    wanted = int(datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp())
    assert variables(plan_restore(of_restore(chosen), NOW))["POINT_IN_TIME"] == str(wanted)
    assert variables(plan_restore(of_restore(restore()), NOW))["POINT_IN_TIME"] == ""


def test_every_script_that_another_one_reads_goes_with_it() -> None:
    scripts = made(plan_backup(of(backup()), NOW))["ConfigMap"]["data"]
    read = set(re.findall(r"/scripts/([a-z-]+\.(?:sh|lua))", "".join(scripts.values())))
    assert read == scripts.keys() - {"backup.sh", "restore.sh"}


@pytest.mark.parametrize(
    "name",
    [
        "common.sh",
        "slots.sh",
        "backup.sh",
        "append-only.sh",
        "restore.sh",
        "snapshot.sh",
        "point-in-time.sh",
    ],
)
def test_the_scripts_are_sound(name: str) -> None:
    script = resources.files("tenfold_operator.plan") / "scripts" / name
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_owners_are_found_by_their_labels() -> None:
    manifest = made(plan_backup(of(backup()), NOW))["Job"]
    assert manifest["metadata"]["labels"]["tenfold.dev/backup"] == "nightly"
    assert ref_of(manifest) == Ref("Job", "shop", "nightly-backup")
