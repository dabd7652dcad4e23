"""When an object counts as ready, by kind and by annotation."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from tenfold_pulumi_plugins.kubernetes import readiness, waitfor
from tenfold_pulumi_plugins.kubernetes.readiness import Failed, Ready, Waiting
from tenfold_pulumi_plugins.kubernetes.values import JsonObject


@dataclass(frozen=True)
class _Around:
    endpoints: int = 0
    late_binding: bool = False
    before: JsonObject = field(default_factory=dict)

    def ready_endpoints(self, service: JsonObject) -> int:
        return self.endpoints

    def binds_on_first_use(self, claim: JsonObject) -> bool:
        return self.late_binding


def _judge(kind: str, obj: JsonObject, around: _Around | None = None) -> readiness.Verdict:
    api_version = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1"}.get(
        kind, {"Job": "batch/v1"}.get(kind, "v1")
    )
    check = readiness.check_for({"apiVersion": api_version, "kind": kind})
    assert check is not None
    return check({"metadata": {"generation": 2}} | obj, around or _Around())


def _rolled_out(**status: object) -> JsonObject:
    settled = {
        "observedGeneration": 2,
        "replicas": 2,
        "updatedReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
    }
    return {"spec": {"replicas": 2}, "status": settled | status}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({}, None),
        ({"observedGeneration": 1}, "the deployment controller has not seen it yet"),
        ({"updatedReplicas": 1}, "1 of 2 replicas are of the new template"),
        ({"replicas": 3}, "1 old replicas are still to go"),
        ({"availableReplicas": 0}, "0 of 2 replicas are available"),
    ],
)
def test_a_deployment_is_ready_when_rolled_out(status: JsonObject, reason: str | None) -> None:
    expected = Ready() if reason is None else Waiting(reason)
    assert _judge("Deployment", _rolled_out(**status)) == expected


def test_a_deployment_past_its_deadline_has_failed() -> None:
    condition = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": "timed out progressing",
    }
    failed = _rolled_out(availableReplicas=0, conditions=[condition])
    assert _judge("Deployment", failed) == Failed("timed out progressing")


def test_a_deadline_that_a_former_template_missed_is_no_news() -> None:
    condition = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": "timed out progressing",
        "lastUpdateTime": "2026-11-24T08:00:00Z",
    }
    mended = _rolled_out(availableReplicas=0, conditions=[condition])
    waiting = Waiting("0 of 2 replicas are available")
    assert _judge("Deployment", mended, _Around(before=mended)) == waiting
    again = {**condition, "lastUpdateTime": "2026-11-24T09:00:00Z"}
    failed = _rolled_out(availableReplicas=0, conditions=[again])
    expected = Failed("timed out progressing")
    assert _judge("Deployment", failed, _Around(before=mended)) == expected


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"currentRevision": "b", "updateRevision": "b", "updatedReplicas": 0}, None),
        ({"readyReplicas": 1}, "1 of 2 replicas are ready"),
        (
            {"currentRevision": "a", "updateRevision": "b", "updatedReplicas": 1},
            "1 of 2 replicas are of the new template",
        ),
    ],
)
def test_a_stateful_set_is_ready_when_rolled_out(status: JsonObject, reason: str | None) -> None:
    expected = Ready() if reason is None else Waiting(reason)
    assert _judge("StatefulSet", _rolled_out(**status)) == expected


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({}, None),
        ({"observedGeneration": 1}, "the daemonset controller has not seen it yet"),
        ({"updatedNumberScheduled": 1}, "1 of 3 pods are of the new template"),
        ({"numberAvailable": 2}, "2 of 3 pods are available"),
    ],
)
def test_a_daemon_set_is_ready_when_rolled_out(status: JsonObject, reason: str | None) -> None:
    settled = {
        "observedGeneration": 2,
        "desiredNumberScheduled": 3,
        "updatedNumberScheduled": 3,
        "numberAvailable": 3,
    }
    expected = Ready() if reason is None else Waiting(reason)
    assert _judge("DaemonSet", {"spec": {}, "status": settled | status}) == expected


@pytest.mark.parametrize(
    ("obj", "verdict"),
    [
        ({"spec": {"suspend": True}}, Ready()),
        (
            {"spec": {"completions": 3}, "status": {"succeeded": 1}},
            Waiting("1 of 3 pods have succeeded"),
        ),
        ({"spec": {}, "status": {"conditions": [{"type": "Complete", "status": "True"}]}}, Ready()),
        (
            {
                "spec": {},
                "status": {
                    "conditions": [
                        {"type": "Failed", "status": "True", "reason": "Why", "message": "this"}
                    ]
                },
            },
            Failed("it failed: Why: this"),
        ),
    ],
)
def test_a_job_is_ready_when_it_is_done(obj: JsonObject, verdict: readiness.Verdict) -> None:
    assert _judge("Job", obj) == verdict


@pytest.mark.parametrize(
    ("spec", "endpoints", "ready"),
    [
        ({"selector": {"a": "b"}}, 1, True),
        ({"selector": {"a": "b"}}, 0, False),
        ({}, 0, True),
        ({"selector": {"a": "b"}, "clusterIP": "None"}, 0, True),
        ({"type": "ExternalName", "selector": {"a": "b"}}, 0, True),
        ({"type": "LoadBalancer"}, 0, False),
    ],
)
def test_a_service_is_ready_when_it_can_be_reached(
    spec: JsonObject, endpoints: int, ready: bool
) -> None:
    assert (_judge("Service", {"spec": spec}, _Around(endpoints)) == Ready()) is ready


def test_a_claim_is_ready_when_bound_or_bound_on_first_use() -> None:
    pending = {"status": {"phase": "Pending"}}
    assert _judge("PersistentVolumeClaim", {"status": {"phase": "Bound"}}) == Ready()
    assert isinstance(_judge("PersistentVolumeClaim", pending), Waiting)
    assert _judge("PersistentVolumeClaim", pending, _Around(late_binding=True)) == Ready()
    assert isinstance(_judge("PersistentVolumeClaim", {"status": {"phase": "Lost"}}), Failed)


def test_kinds_that_do_nothing_are_ready_once_they_exist() -> None:
    assert readiness.check_for({"apiVersion": "v1", "kind": "ConfigMap"}) is None


_OBJECT: JsonObject = {
    "metadata": {"generation": 3},
    "status": {
        "phase": "Running",
        "count": 2,
        "observedGeneration": 3,
        "conditions": [
            {"type": "Ready", "status": "True"},
            {"type": "Stale", "status": "True", "observedGeneration": 2},
            {"type": "Broken", "status": "False", "reason": "Why", "message": "this"},
        ],
    },
}


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        ("condition=Ready", None),
        ("condition=ready", None),
        ("condition=Broken=False", None),
        ("condition=Broken", "its condition Broken is False, not True (Why: this)"),
        ("condition=Stale", "its condition Stale is of an older generation"),
        ("condition=Absent", "it has no condition Absent yet"),
        ("jsonpath={.status.phase}", None),
        ("jsonpath={.status.phase}=Running", None),
        ("jsonpath={.status.count}=2", None),
        ("jsonpath={.status.phase}=Gone", "{.status.phase} is Running, not Gone"),
        ("jsonpath={.status.address}", "it has nothing at {.status.address} yet"),
        ('jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', None),
        ("jsonpath={.status.conditions[1]['type']}=Stale", None),
        ('["condition=Ready", "jsonpath={.status.phase}=Running"]', None),
        ('["condition=Ready", "condition=Absent"]', "it has no condition Absent yet"),
    ],
)
def test_wait_for_takes_conditions_and_paths(annotation: str, reason: str | None) -> None:
    expected = Ready() if reason is None else Waiting(reason)
    assert waitfor.parse(annotation)(_OBJECT, _Around()) == expected


@pytest.mark.parametrize(
    "annotation", ["Ready", "[]", "jsonpath=.status.phase", "jsonpath={.status[}", "condition"]
)
def test_a_wait_for_that_is_not_understood_is_refused(annotation: str) -> None:
    with pytest.raises(ValueError, match=r"waitFor|jsonpath"):
        waitfor.parse(annotation)
