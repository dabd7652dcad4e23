"""What a person reads: rendered as on a terminal 100 columns wide, without colours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rich.console import Console, RenderableType
from tenfold_kubectl import history, orders, tree
from tenfold_operator.model.generated import RedisTier, Workload

from tests.unit.kubectl.rollouts import NOW, patch, turn, workload
from tests.unit.operator.world import World, template


def shown(renderable: RenderableType) -> str:
    console = Console(width=100, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def line_with(text: str, part: str) -> str:
    (found,) = [each for each in text.splitlines() if part in each]
    return found


def judged(**progress: Any) -> Workload:
    """A canary whose analysis has something to say."""
    reason = progress.pop("reason", "WaitingForAnalysis")
    message = progress.pop("message", "step 2 of 3: latency: p99 is 900 ms, at most 500 ms")
    verdicts = [
        {"metric": "errorRatio", "outcome": "Passed", "message": "0.10% of 900, at most 1.00%"},
        {"metric": "latency", "outcome": "Failed", "message": "p99 is 900 ms, at most 500 ms"},
        {"metric": "queue", "outcome": "Unjudged", "message": "it answers 0 values, not one"},
        {"metric": "comparison", "outcome": "TooFew", "message": "12 of at least 50 requests"},
    ]
    steps = [{"weight": 10, "holdSeconds": 60}, {"weight": 50, "holdSeconds": 90}]
    condition = {"lastTransitionTime": NOW, "reason": reason, "message": message}
    spec = {
        "port": 8080,
        "template": template("v2"),
        "rollout": {
            "strategy": "canary",
            "steps": steps,
            "analysis": {"inconclusiveSeconds": 300, "errorRatio": {"max": 0.01}},
        },
    }
    status = {
        "observedGeneration": 7,
        "stableRevision": "aaaa",
        "targetRevision": "bbbb",
        "progress": {
            "revision": "bbbb",
            "attempt": 2,
            "startTime": NOW - timedelta(seconds=200),
            "stepTime": NOW - timedelta(seconds=100),
            "step": 1,
            "steps": 3,
            "weight": 50,
            "passedWeight": 10,
            "verdicts": verdicts,
            **progress,
        },
        "conditions": [{"type": "Progressing", "status": "True", **condition}],
    }
    metadata = {"name": "web", "namespace": "shop", "generation": 7}
    return Workload.model_validate({"metadata": metadata, "spec": spec, "status": status})


def test_each_revision_has_its_role_weight_pods_and_age(holding: World) -> None:
    status = workload(holding).status
    text = shown(tree.workload_tree(workload(holding), holding.now))
    target = line_with(text, f"{status.target_revision}  target").split()
    assert target[3:] == ["━━", "10%", "1/1", "pods", "12s"]
    stable = line_with(text, f"{status.stable_revision}  stable").split()
    assert stable[3:] == ["━" * 18, "90%", "2/2", "pods", "42s"]


def test_a_hold_says_step_weight_and_what_is_left(holding: World) -> None:
    holding.now += timedelta(seconds=20)
    text = shown(tree.workload_tree(workload(holding), holding.now))
    held = line_with(text, "Holding: step 1 of 3: 10% of the traffic until ")
    assert held.endswith("; the hold ends in 37s")
    assert "attempt 1, for 32s" in text


def test_each_verdict_has_its_sign_value_and_bound() -> None:
    text = shown(tree.workload_tree(judged(), NOW))
    assert "✓ errorRatio: 0.10% of 900, at most 1.00%" in text
    assert "✗ latency: p99 is 900 ms, at most 500 ms" in text
    assert "? queue: it answers 0 values, not one" in text
    assert "… comparison: 12 of at least 50 requests" in text


@pytest.mark.parametrize(
    ("reason", "since", "end"),
    [
        ("WaitingForPods", {}, "; it is given up in 3m20s"),
        ("TooFewRequests", {"unjudgedSince": 30}, "; it is given up as inconclusive in 4m30s"),
        ("Holding", {"servedTime": 60}, "; the hold ends in 30s"),
        ("Paused", {"servedTime": 60}, ": step 2 of 3: so it is"),
    ],
)
def test_a_wait_says_what_ends_it_and_when(reason: str, since: dict[str, int], end: str) -> None:
    times = {name: NOW - timedelta(seconds=ago) for name, ago in since.items()}
    waiting = judged(reason=reason, message="step 2 of 3: so it is", **times)
    text = shown(tree.workload_tree(waiting, NOW))
    assert line_with(text, "step 2 of 3").endswith(end)


def test_a_paused_rollout_says_how_to_resume(holding: World) -> None:
    patch(holding, orders.pause(workload(holding)).patch)
    turn(holding)
    text = shown(tree.workload_tree(workload(holding), holding.now))
    assert "rollouts are paused: kubectl tenfold resume web" in text


def test_a_failed_revision_stays_with_its_reason(holding: World) -> None:
    failed = workload(holding).status.target_revision
    patch(holding, orders.abort(workload(holding)).patch)
    turn(holding, seconds=7200)
    text = shown(tree.workload_tree(workload(holding), holding.now))
    assert f"{failed}  attempt 1, 2h ago: Aborted: a person aborted it" in text
    assert f"{failed}  failed" in text


def test_what_the_operator_has_not_seen_is_said(world: World) -> None:
    before = shown(tree.workload_tree(workload(world), world.now))
    world.edit(replicas=3)
    after = shown(tree.workload_tree(workload(world), world.now))
    said = "the operator has not looked at the last change yet"
    assert (said in before, said in after) == (False, True)


def test_a_rolled_out_workload_is_two_lines(world: World) -> None:
    text = shown(tree.workload_tree(workload(world), world.now))
    assert text.splitlines()[0].startswith("✓ Workload web  2 of 2 pods of revision ")
    assert len(text.splitlines()) == 2


def test_scaling_says_what_was_decided_and_why() -> None:
    scaling = {
        "message": "8 pods; 3 for the load; 8 for the next 75 s",
        "reasons": ["a pod serves 600 requests a minute, as given", "within 75 s up to 75.0/s"],
    }
    spec = {"port": 8080, "template": template("v1"), "scaling": {"maxReplicas": 9}}
    manifest = {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec}
    status = {"scaling": scaling}
    text = shown(tree.workload_tree(Workload.model_validate({**manifest, "status": status}), NOW))
    assert line_with(text, "scaling").endswith("8 pods; 3 for the load; 8 for the next 75 s")
    assert "within 75 s up to 75.0/s" in text
    spec["scaling"] = {"maxReplicas": 9, "mode": "Preview"}
    text = shown(tree.workload_tree(Workload.model_validate({**manifest, "status": status}), NOW))
    assert line_with(text, "scaling").endswith("only reported")


def test_words_in_square_brackets_are_words() -> None:
    text = shown(tree.workload_tree(judged(message="[red]step[/] 2 of 3: [x]"), NOW))
    assert "[red]step[/] 2 of 3: [x]" in text


def test_a_tier_is_one_line() -> None:
    ready = {"type": "Ready", "status": "False", "reason": "NoQuorum", "lastTransitionTime": NOW}
    tier = RedisTier.model_validate(
        {
            "metadata": {"name": "l2", "namespace": "shop"},
            "spec": {"memory": "1Gi"},
            "status": {
                "primary": "l2-0",
                "conditions": [{**ready, "message": "1 of 3 Sentinels answer"}],
            },
        }
    )
    text = shown(tree.overview([], [tier], NOW))
    assert text == "✗ RedisTier l2  1 of 3 Sentinels answer  primary l2-0\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0s"), (0.9, "0s"), (59, "59s"), (200, "3m20s"), (3600, "1h"), (90061, "1d1h")],
)
def test_lengths_of_time_have_at_most_two_units(seconds: float, text: str) -> None:
    assert tree.duration(seconds) == text


class TestHistory:
    def test_newest_first_with_images_and_why_it_failed(self, holding: World) -> None:
        patch(holding, orders.abort(workload(holding)).patch)
        turn(holding, seconds=60)
        deployments = holding.find("Deployment", "shop", "")
        found = history.entries(workload(holding), deployments)
        assert [each.images for each in found] == [
            ("example.com/web:v2",),
            ("example.com/web:v1",),
        ]
        text = shown(history.table(workload(holding), found, holding.now))
        assert line_with(text, "web:v2").endswith("attempt 1, 1m ago: Aborted: a person aborted it")
        assert line_with(text, "web:v1").rstrip().endswith("stable")

    def test_a_failed_revision_is_told_of_after_its_deployment_is_gone(
        self, holding: World
    ) -> None:
        patch(holding, orders.abort(workload(holding)).patch)
        turn(holding)
        found = history.entries(workload(holding), [])
        assert [(each.revision, each.created) for each in found] == [
            (workload(holding).status.target_revision, None)
        ]
        assert " gone " in shown(history.table(workload(holding), found, holding.now))
