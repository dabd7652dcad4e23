"""Forecasts are fitted by Kubernetes Jobs: by the operator with its own rights, and what fails."""

from __future__ import annotations

import json
import math
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import kubernetes.config
import pytest
from tenfold_infra.config import parse
from tenfold_infra.naming import TRAINING_NAMESPACE
from tenfold_operator.adapters.kubernetes import KubernetesCluster
from tenfold_operator.forecast import transfer
from tenfold_operator.forecast.registry import unpack
from tenfold_operator.forecast.trainer import train
from tenfold_operator.handlers.trainers import Trainers
from tenfold_operator.handlers.training_jobs import JobTrainers, TrainingFailed
from tenfold_operator.plan.training_job import Amounts, Resources, TrainingJobs

from tests.e2e.conftest import TENANT
from tests.infra.rendering import run_program, stack_config, with_training_jobs
from tests.rollouts.demo import Demo
from tests.rollouts.replay import backfill_requests
from tests.support import Kubectl, manifest, wait_until
from tests.unit.operator.training_cluster import fitted_by_program, lesson

pytestmark = pytest.mark.cluster
INSIDE = f"--namespace={TRAINING_NAMESPACE}"
OPERATOR = ("deployment/operator", "--namespace=tenfold-system")
SETTING = "TENFOLD_TRAINING_JOBS"
RESOURCES = {
    "requests": {"cpu": "100m", "memory": "256Mi"},
    "limits": {"cpu": "1", "memory": "768Mi"},
}
JOB_SECONDS = 600.0
"""A fit of two days takes half a minute of one core, and the cluster shares two."""
SCALING: dict[str, Any] = {
    "minReplicas": 1,
    "maxReplicas": 3,
    "capacity": {"requestsPerMinute": 6000},
}


def _rate(now: float) -> float:
    """Up and down every twelve minutes."""
    return 20.0 + 15.0 * math.sin(2 * math.pi * now / 720)


@pytest.fixture(scope="module")
def image(kubectl: Kubectl) -> str:
    """The operator's, as it runs."""
    (container,) = kubectl.get(*OPERATOR)["spec"]["template"]["spec"]["containers"]
    return str(container["image"])


@pytest.fixture(scope="module")
def setting(kubectl: Kubectl, image: str) -> Iterator[str]:
    """What a stack with `training: {mode: jobs}` tells the operator; it has made the rest."""
    config = with_training_jobs(stack_config("local"), parallel=1, resources=RESOURCES)
    run = run_program(parse(config), "local")
    namespace = run.one("Namespace", TRAINING_NAMESPACE)
    inside = [each.document for each in run.objects() if each.namespace == TRAINING_NAMESPACE]
    rendered = run.one("Deployment", "operator", "tenfold-system").document["spec"]["template"]
    (container,) = rendered["spec"]["containers"]
    said = next(each["value"] for each in container["env"] if each["name"] == SETTING)
    try:
        kubectl.apply(namespace.document, *inside)
        # The program names an image by what its sources are; what runs may be another.
        yield json.dumps(json.loads(said) | {"image": image})
    finally:
        kubectl("delete", "namespace", TRAINING_NAMESPACE, "--ignore-not-found")


@pytest.fixture
def jobs_mode(kubectl: Kubectl, setting: str) -> Iterator[None]:
    """The operator is told so; it is as it was afterwards."""
    try:
        _set(kubectl, f"{SETTING}={setting}")
        yield
    finally:
        _set(kubectl, f"{SETTING}-")


def _set(kubectl: Kubectl, setting: str) -> None:
    kubectl("set", "env", *OPERATOR, setting)
    kubectl("rollout", "status", *OPERATOR, "--timeout=180s")


@pytest.fixture
def demo(kubectl: Kubectl, prometheus: httpx.Client) -> Iterator[Demo]:
    """A Workload whose load Prometheus has known for two days."""
    found = Demo(kubectl, TENANT, f"taught-{uuid.uuid4().hex[:6]}")
    backfill_requests(kubectl, prometheus, found, _rate, hours=46)
    yield found
    found.delete()


def _jobs(kubectl: Kubectl, demo: Demo) -> list[dict[str, Any]]:
    """Return the Jobs that fit a model for the demo."""
    series = f"{TENANT}.{demo.name}"
    return [
        each
        for each in kubectl.get("jobs", INSIDE, "--selector=tenfold.dev/training")["items"]
        if each["metadata"]["annotations"]["tenfold.dev/series"] == series
    ]


def _model(demo: Demo) -> dict[str, Any]:
    found: dict[str, Any] = demo.workload.get("status", {}).get("scaling", {}).get("model", {})
    return found


def _names(kubectl: Kubectl, kind: str, job: str) -> list[str]:
    found = kubectl.get(kind, INSIDE, f"--selector=tenfold.dev/training={job}")["items"]
    return [each["metadata"]["name"] for each in found]


def test_a_forecast_is_fitted_by_a_job_and_nothing_of_it_stays(
    kubectl: Kubectl,
    jobs_mode: None,
    demo: Demo,
    prometheus: httpx.Client,
    say: Callable[[str], None],
) -> None:
    demo.apply({}, {}, scaling=SCALING)
    wait_until(lambda: bool(_jobs(kubectl, demo)), seconds=JOB_SECONDS, what="the Job")
    begun = time.monotonic()
    (job,) = (each["metadata"]["name"] for each in _jobs(kubectl, demo))
    wait_until(lambda: bool(_names(kubectl, "pods", job)), seconds=60, what="the Job's pod")
    (pod,) = kubectl.get("pods", INSIDE, f"--selector=tenfold.dev/training={job}")["items"]
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert {each["name"] for each in pod["spec"]["volumes"]} == {"lesson"}
    wait_until(lambda: "version" in _model(demo), seconds=JOB_SECONDS, what="a model", every=1)
    model = _model(demo)
    say(f"{model['minutes']} minutes were fitted to by {job} in {time.monotonic() - begun:.0f} s")
    assert model["minutes"] > 46 * 60 * 0.9
    log = kubectl("logs", *OPERATOR)
    assert any(job in line and "fitted by a Job" in line for line in log.splitlines()), log
    for kind in ("jobs", "configmaps", "pods"):
        wait_until(
            lambda kind=kind: not _names(kubectl, kind, job),  # type: ignore[misc]
            seconds=60,
            what=f"none of its {kind} to be left",
        )
    query = {"query": 'sum(tenfold_training_jobs_total{result="fitted"})'}
    wait_until(
        lambda: bool(prometheus.get("/query", params=query).json()["data"]["result"]),
        seconds=90,
        what="the metric",
        every=2,
    )


def test_jobs_of_an_operator_that_died_are_deleted(kubectl: Kubectl, jobs_mode: None) -> None:
    name = f"training-{uuid.uuid4().hex[:12]}"
    labels = {"tenfold.dev/training": name}
    container = {
        "name": "train",
        "image": "docker.io/library/redis:7.0.15",
        "command": ["sleep", "infinity"],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    security = {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "securityContext": security,
        "containers": [container],
    }
    spec = {"template": {"metadata": {"labels": labels}, "spec": pod}}
    job = manifest("batch/v1", "Job", TRAINING_NAMESPACE, name, spec=spec)
    job["metadata"]["labels"] = labels
    kubectl.apply(job)
    try:
        kubectl("rollout", "restart", *OPERATOR)
        wait_until(
            lambda: not _names(kubectl, "jobs", name), seconds=180, what="the leftover to go"
        )
        kubectl("rollout", "status", *OPERATOR, "--timeout=180s")
    finally:
        kubectl("delete", "job", name, INSIDE, "--ignore-not-found")


@pytest.fixture
def trainers(setting: str, kubeconfig: Path) -> Iterator[Callable[..., JobTrainers]]:
    """Makes executors of Jobs as the operator's, or with another image or less memory."""
    kubernetes.config.load_kube_config(str(kubeconfig))  # type: ignore[no-untyped-call]
    told = TrainingJobs.model_validate_json(setting)
    made: list[JobTrainers] = []

    def make(image: str = told.image, memory: str = "768Mi") -> JobTrainers:
        amounts = Amounts(cpu="100m", memory=memory)
        resources = Resources(requests=amounts, limits=amounts.model_copy(update={"cpu": "1"}))
        jobs = told.model_copy(update={"image": image, "resources": resources})
        made.append(JobTrainers(KubernetesCluster(), jobs, Trainers()))
        return made[-1]

    yield make
    for each in made:
        each.shutdown(cancel_futures=True)


def test_a_job_answers_as_the_same_program_does_here(
    trainers: Callable[..., JobTrainers], tmp_path: Path
) -> None:
    record, archive = trainers().submit(train, lesson(400)).result(JOB_SECONDS)
    here, _ = transfer.model_in(fitted_by_program(lesson(400), tmp_path), lesson(400))
    assert unpack(record, archive).members.learned is not None
    # Processors differ in the last digits: of scores, not of what was learned from.
    assert record.data_digest == here.data_digest
    assert record.scores["ensemble"] == pytest.approx(here.scores["ensemble"], rel=0.05)


def test_a_job_without_the_memory_or_the_image_says_so(
    trainers: Callable[..., JobTrainers],
) -> None:
    with pytest.raises(TrainingFailed, match="out of memory: it may have 48Mi"):
        trainers(memory="48Mi").submit(train, lesson()).result(JOB_SECONDS)
    with pytest.raises(TrainingFailed, match=r"ImagePullBackOff|ErrImageNeverPull"):
        trainers(image="docker.io/tenfold/operator:none").submit(train, lesson()).result(
            JOB_SECONDS
        )


def test_a_job_that_is_wanted_no_more_goes_with_its_pod_and_its_lesson(
    trainers: Callable[..., JobTrainers], kubectl: Kubectl
) -> None:
    def left() -> list[str]:
        kinds = ("jobs", "configmaps", "pods")
        found = (
            kubectl.get(kind, INSIDE, "--selector=tenfold.dev/training")["items"] for kind in kinds
        )
        return [each["metadata"]["name"] for items in found for each in items]

    wait_until(lambda: not left(), seconds=60, what="the Jobs of other tests to be gone")
    outcome = trainers().submit(train, lesson(2000))  # a fit that lasts until it is seen
    wait_until(lambda: len(left()) == 3, seconds=60, what="a Job, its lesson and its pod")
    outcome.cancel()
    wait_until(lambda: not left(), seconds=60, what="nothing to be left")
