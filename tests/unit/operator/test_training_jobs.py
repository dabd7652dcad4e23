"""Trainings as Jobs: what is asked of the cluster, what comes back, and what stays."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import REGISTRY
from tenfold_operator.forecast import transfer
from tenfold_operator.forecast.archive import Rejected
from tenfold_operator.forecast.trainer import train
from tenfold_operator.handlers.training_jobs import JobTrainers, TrainingFailed
from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan.training_job import TrainingJobs, job_of

from tests.unit.operator.training_cluster import TrainingCluster, lesson

NAMESPACE = "tenfold-training"
RESOURCES = {
    "requests": {"cpu": "500m", "memory": "384Mi"},
    "limits": {"cpu": "1", "memory": "768Mi"},
}
JOBS = TrainingJobs.model_validate(
    {"namespace": NAMESPACE, "image": "tenfold/operator:1", "parallel": 2, "resources": RESOURCES}
)


@pytest.fixture
def cluster(tmp_path: Path) -> TrainingCluster:
    return TrainingCluster(tmp_path, train)


@pytest.fixture
def others() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as found:
        yield found


@pytest.fixture
def trainers(cluster: TrainingCluster, others: Executor) -> Iterator[JobTrainers]:
    found = JobTrainers(cluster, JOBS, others, look_seconds=0.01)
    yield found
    found.shutdown(cancel_futures=True)


def counted(result: str) -> float:
    return REGISTRY.get_sample_value("tenfold_training_jobs_total", {"result": result}) or 0.0


def test_a_job_fits_what_the_operator_itself_would_and_nothing_stays(
    trainers: JobTrainers, cluster: TrainingCluster
) -> None:
    before = counted("fitted")
    outcome = trainers.submit(train, lesson())
    cluster.succeed(cluster.next_job())
    assert outcome.result(30) == train(lesson())
    assert not cluster.objects
    assert counted("fitted") == before + 1


def test_nothing_is_asked_that_the_operators_role_does_not_grant(
    trainers: JobTrainers, cluster: TrainingCluster
) -> None:
    outcome = trainers.submit(train, lesson())
    cluster.succeed(cluster.next_job())
    outcome.result(30)
    # As in the Pulumi program's rules, which tests/infra holds to the same list.
    assert set(cluster.ways) == {
        "list Job",
        "create Job",
        "get Job",
        "delete Job",
        "create ConfigMap",
        "list Pod",
        "get Pod/log",
    }


def test_the_lesson_goes_with_its_job(trainers: JobTrainers, cluster: TrainingCluster) -> None:
    trainers.submit(train, lesson())
    job = cluster.next_job()
    (owner,) = cluster.objects[Ref("ConfigMap", NAMESPACE, job.name)]["metadata"]["ownerReferences"]
    assert owner["uid"] == cluster.objects[job]["metadata"]["uid"]
    assert (owner["kind"], owner["name"]) == ("Job", job.name)


def test_two_weeks_fit_into_a_config_map() -> None:
    noise = np.random.default_rng(0).random(20_160)
    files = transfer.files_of(replace(lesson(20_160), values=noise))
    assert sum(map(len, files.values())) < 2**20 / 2


def test_a_pod_of_a_training_can_do_nothing_but_fit() -> None:
    spec = json.loads(json.dumps(job_of("training-1", "shop.web", JOBS)))["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"] == RESOURCES
    assert spec["activeDeadlineSeconds"] > 0
    assert spec["ttlSecondsAfterFinished"] > 0
    assert spec["backoffLimit"] == 0


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (
            lambda cluster, job: cluster.end_container(job, reason="OOMKilled", exitCode=137),
            r"Job tenfold-training/training-\w+: out of memory: it may have 768Mi",
        ),
        (
            lambda cluster, job: cluster.end_container(
                job, reason="Error", exitCode=1, message="Traceback\n  ...\nValueError: no zone X\n"
            ),
            "exit code 1: ValueError: no zone X",
        ),
        (
            lambda cluster, job: cluster.fail(job, "DeadlineExceeded"),
            "not done within 1800 s",
        ),
        (
            lambda cluster, job: cluster.hold_container(
                job, "ImagePullBackOff", 'Back-off pulling image "tenfold/operator:1"'
            ),
            'ImagePullBackOff: Back-off pulling image "tenfold/operator:1"',
        ),
        (
            lambda cluster, job: cluster.pod(job).update(
                status={"phase": "Failed", "reason": "Evicted", "message": "disk pressure"}
            ),
            "its pod failed: Evicted disk pressure",
        ),
        (
            lambda cluster, job: cluster.fail(job, "FailedCreate", "exceeded quota"),
            "FailedCreate: exceeded quota",
        ),
        (lambda cluster, job: cluster.delete(job), "its Job was deleted"),
    ],
    ids=["memory", "error", "deadline", "image", "evicted", "no pod", "deleted"],
)
def test_a_failure_says_what_happened_and_nothing_stays(
    trainers: JobTrainers,
    cluster: TrainingCluster,
    happens: Callable[[TrainingCluster, Ref], None],
    said: str,
) -> None:
    before = counted("failed")
    outcome = trainers.submit(train, lesson())
    happens(cluster, cluster.next_job())
    with pytest.raises(TrainingFailed, match=said):
        outcome.result(30)
    assert not cluster.objects
    assert counted("failed") == before + 1


def test_a_deadline_says_what_the_pod_waited_for(
    trainers: JobTrainers, cluster: TrainingCluster
) -> None:
    outcome = trainers.submit(train, lesson())
    job = cluster.next_job()
    full = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "full"}
    cluster.pod(job)["status"] = {"phase": "Pending", "conditions": [full]}
    cluster.wait_for_looks(4)
    cluster.fail(job, "DeadlineExceeded")
    with pytest.raises(TrainingFailed, match="before: Unschedulable: full"):
        outcome.result(30)


def test_an_api_server_that_is_away_for_a_while_costs_no_training(
    trainers: JobTrainers, cluster: TrainingCluster
) -> None:
    outcome = trainers.submit(train, lesson())
    job = cluster.next_job()
    log = cluster.answer(job)
    cluster.is_away = True
    cluster.wait_for_looks(3)
    cluster.succeed(job, log)
    cluster.is_away = False
    assert outcome.result(30)[0].series == "shop.web"


def test_a_log_that_cannot_be_read_yet_costs_no_training(
    trainers: JobTrainers, cluster: TrainingCluster
) -> None:
    outcome = trainers.submit(train, lesson())
    job = cluster.next_job()
    cluster.pod(job)["status"] = {"phase": "Succeeded"}
    cluster.wait_for_looks(6)
    cluster.succeed(job)
    assert outcome.result(30)[0].series == "shop.web"


def test_no_more_jobs_run_than_are_allowed(trainers: JobTrainers, cluster: TrainingCluster) -> None:
    outcomes = [trainers.submit(train, lesson(name=f"shop.web{number}")) for number in range(5)]
    most = 0
    for left in range(len(outcomes), 0, -1):
        cluster.wait_for_jobs(min(JOBS.parallel, left))
        most = max(most, len(cluster.jobs))
        job = cluster.next_job()
        cluster.succeed(job)
        cluster.wait_until_gone(job)
    assert most == JOBS.parallel
    names = [outcome.result(30)[0].series for outcome in outcomes]
    assert names == [f"shop.web{number}" for number in range(5)]


def test_a_training_that_is_wanted_no_more_takes_its_job_with_it(
    trainers: JobTrainers, cluster: TrainingCluster
) -> None:
    outcomes = [trainers.submit(train, lesson(name=f"shop.web{number}")) for number in range(3)]
    cluster.wait_for_jobs(2)
    waiting, running = outcomes[2], outcomes[0]
    assert waiting.cancel()
    running.cancel()
    with pytest.raises(CancelledError):
        running.result(30)
    cluster.succeed(cluster.next_job())
    assert outcomes[1].result(30)[0].series == "shop.web1"
    trainers.shutdown()
    assert len([ref for ref in cluster.created if ref.kind == "Job"]) == 2
    assert not cluster.objects


def test_a_task_that_is_cancelled_takes_its_job_with_it(
    trainers: JobTrainers, cluster: TrainingCluster
) -> None:
    async def scenario() -> None:
        outcome = asyncio.get_running_loop().run_in_executor(trainers, train, lesson())
        job = await asyncio.to_thread(cluster.next_job)
        outcome.cancel()
        await asyncio.to_thread(cluster.wait_until_gone, job)

    asyncio.run(scenario())
    assert not cluster.objects


def test_an_operator_that_ends_leaves_no_job(
    trainers: JobTrainers, cluster: TrainingCluster
) -> None:
    for number in range(3):
        trainers.submit(train, lesson(name=f"shop.web{number}"))
    cluster.wait_for_jobs(2)
    trainers.shutdown(cancel_futures=True)
    assert not cluster.objects


def test_jobs_of_an_operator_that_died_are_deleted_before_the_first(
    cluster: TrainingCluster, others: Executor
) -> None:
    cluster.create(job_of("training-old", "shop.web", JOBS))
    stranger = {"kind": "Job", "metadata": {"name": "x", "namespace": NAMESPACE, "labels": {}}}
    cluster.objects[Ref("Job", NAMESPACE, "x")] = stranger
    trainers = JobTrainers(cluster, JOBS, others, look_seconds=0.01)
    cluster.wait_until_gone(Ref("Job", NAMESPACE, "training-old"))
    assert cluster.jobs == [Ref("Job", NAMESPACE, "x")]
    trainers.shutdown()


def test_an_operator_begins_also_where_leftovers_cannot_be_looked_for(
    cluster: TrainingCluster, others: Executor
) -> None:
    cluster.is_away = True
    trainers = JobTrainers(cluster, JOBS, others, look_seconds=0.01)
    cluster.wait_for(lambda: cluster.ways == ["list Job"])
    cluster.is_away = False
    outcome = trainers.submit(train, lesson())
    cluster.succeed(cluster.next_job())
    assert outcome.result(30)
    trainers.shutdown()


def test_other_work_is_done_by_others(trainers: JobTrainers, cluster: TrainingCluster) -> None:
    assert trainers.submit(max, 1, 2).result(30) == 2
    assert "create Job" not in cluster.ways


def test_a_spoilt_answer_fails_the_training(
    trainers: JobTrainers, cluster: TrainingCluster
) -> None:
    outcome = trainers.submit(train, lesson())
    job = cluster.next_job()
    cluster.succeed(job, cluster.answer(job).replace("shop.web", "shop.others"))
    with pytest.raises(Rejected, match="another series"):
        outcome.result(30)
    assert not cluster.objects
