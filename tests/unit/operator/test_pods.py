"""What pods say of themselves."""

from typing import Any

from tenfold_operator.handlers.pods import pod_troubles, restarts


def pod(
    *containers: dict[str, Any], init: tuple[dict[str, Any], ...] = (), **status: Any
) -> dict[str, Any]:
    known = {"containerStatuses": [*containers], "initContainerStatuses": [*init]}
    return {"kind": "Pod", "status": {**known, **status}}


def container(restarted: int = 0, **state: Any) -> dict[str, Any]:
    return {"name": "web", "restartCount": restarted, **state}


def waiting(reason: str) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason}}}


def ended(code: int, reason: str) -> dict[str, Any]:
    return {"lastState": {"terminated": {"exitCode": code, "reason": reason}}}


def test_restarts_of_all_containers_count() -> None:
    assert restarts(pod(container(2), container(1), init=(container(4),))) == 7
    assert restarts({"kind": "Pod"}) == 0


def test_a_pod_that_starts_or_serves_complains_of_nothing() -> None:
    quiet = [
        pod(container(**waiting("ContainerCreating"))),
        pod(container(**waiting("PodInitializing"))),
        pod(container(state={"running": {}})),
        {"kind": "Pod"},
    ]
    assert list(pod_troubles(quiet)) == []


def test_an_image_that_cannot_be_pulled_is_told() -> None:
    found = list(pod_troubles([pod(container(**waiting("ImagePullBackOff")))]))
    assert found == ["container web: ImagePullBackOff"]


def test_an_init_container_that_fails_is_told() -> None:
    failing = container(3, **waiting("CrashLoopBackOff"), **ended(2, "Error"))
    assert list(pod_troubles([pod(init=(failing,))])) == [
        "container web: CrashLoopBackOff",
        "container web ended with code 2 (Error)",
    ]


def test_memory_that_ran_out_is_told_though_the_container_runs_again() -> None:
    killed = container(1, state={"running": {}}, **ended(137, "OOMKilled"))
    assert list(pod_troubles([pod(killed)])) == ["container web ended with code 137 (OOMKilled)"]


def test_an_init_container_that_did_its_work_complains_of_nothing() -> None:
    done = container(state={"terminated": {"exitCode": 0, "reason": "Completed"}})
    assert list(pod_troubles([pod(init=(done,))])) == []


def test_a_pod_that_fits_nowhere_is_told() -> None:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/3 nodes are available",
    }
    assert list(pod_troubles([pod(conditions=[condition])])) == ["0/3 nodes are available"]
