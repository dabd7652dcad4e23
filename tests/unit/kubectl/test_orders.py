"""What a command sends is what the operator acts on; what makes no sense is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from tenfold_kubectl import orders
from tenfold_kubectl.orders import Order
from tenfold_local.shell import Failure
from tenfold_operator.model.generated import RedisTier, Workload

from tests.unit.kubectl.rollouts import NOW, patch, turn, workload
from tests.unit.operator.world import World, template


def promote(workload: Workload) -> Order:
    return orders.promote(workload, full=False)


def promote_fully(workload: Workload) -> Order:
    return orders.promote(workload, full=True)


def restart(workload: Workload) -> Order:
    return orders.restart(workload, NOW)


def send(world: World, make: Callable[[Workload], Order]) -> Order:
    order = make(workload(world))
    patch(world, order.patch)
    return order


def weight(world: World) -> int | None:
    progress = workload(world).status.progress
    return progress.weight if progress else None


def fail(world: World) -> str:
    """Abort the rollout and return the revision that has failed by it."""
    send(world, orders.abort)
    turn(world)
    return str(workload(world).status.target_revision)


class TestPromote:
    def test_it_passes_the_present_step_and_only_that(self, holding: World) -> None:
        order = send(holding, promote)
        assert weight(holding) == 10
        turn(holding)
        assert weight(holding) == 50
        for _ in range(5):
            turn(holding)
        assert weight(holding) == 50
        assert order.next == "it goes on to 50% of the traffic"

    def test_in_full_it_passes_every_step(self, holding: World) -> None:
        send(holding, promote_fully)
        for _ in range(12):
            turn(holding)
        status = workload(holding).status
        assert status.progress is None
        assert status.stable_revision == status.target_revision
        assert status.failed_revisions == ()

    def test_it_names_step_attempt_and_revision(self, holding: World) -> None:
        progress = workload(holding).status.progress
        assert progress
        sent = promote(workload(holding)).patch
        value = f"{progress.revision}@1/0"
        assert sent == {"metadata": {"annotations": {"tenfold.dev/promote": value}}}

    @pytest.mark.parametrize("again", [promote, promote_fully])
    def test_twice_it_is_refused_with_what_is_waited_for(
        self, holding: World, again: Callable[[Workload], Order]
    ) -> None:
        send(holding, again)
        with pytest.raises(Failure, match=r"has passed step 1 of 3 already; it waits: .*10%"):
            again(workload(holding))

    def test_a_step_that_waits_for_pods_says_so_first(self, world: World) -> None:
        world.edit(template=template("v2"))
        world.reconcile()
        order = promote(workload(world))
        assert order.next.startswith("first what it waits for (step 1 of 1: 0 of 2 pods of ")
        assert order.next.endswith("then the rollout ends, and the pods of the old revision leave")

    def test_a_paused_rollout_is_said_to_stay_at_the_next_step(self, holding: World) -> None:
        send(holding, orders.pause)
        turn(holding)
        order = send(holding, promote)
        assert "stays there: the rollout is paused" in order.next
        for _ in range(40):
            turn(holding)
        assert weight(holding) == 50


class TestAbort:
    def test_the_traffic_goes_back_and_the_revision_stays_failed(self, holding: World) -> None:
        stable = workload(holding).status.stable_revision
        send(holding, orders.abort)
        for _ in range(10):
            turn(holding)
        assert holding.weights == {f"web-{stable}": 100}
        (failed,) = workload(holding).status.failed_revisions
        assert failed.reason == "Aborted"

    def test_twice_it_is_refused(self, holding: World) -> None:
        send(holding, orders.abort)
        with pytest.raises(Failure, match="is aborted already"):
            orders.abort(workload(holding))

    def test_a_retry_is_not_aborted_by_the_order_for_the_attempt_before(
        self, holding: World
    ) -> None:
        fail(holding)
        send(holding, orders.retry)
        for _ in range(5):
            turn(holding)
        progress = workload(holding).status.progress
        assert progress
        assert progress.attempt == 2
        assert orders.abort(workload(holding)).patch == {
            "metadata": {"annotations": {"tenfold.dev/abort": f"{progress.revision}@2"}}
        }


class TestRetry:
    def test_it_is_refused_while_nothing_has_failed(self, world: World) -> None:
        with pytest.raises(Failure, match="there is nothing to retry"):
            orders.retry(workload(world))

    def test_it_is_refused_while_the_revision_rolls_out(self, holding: World) -> None:
        with pytest.raises(Failure, match="rolls out already"):
            orders.retry(workload(holding))

    def test_it_is_refused_for_a_failed_revision_that_is_no_longer_wanted(
        self, holding: World
    ) -> None:
        failed = fail(holding)
        holding.edit(template=template("v1"))
        turn(holding)
        with pytest.raises(Failure, match="there is nothing to retry") as refused:
            orders.retry(workload(holding))
        assert failed not in refused.value.what

    def test_each_failed_attempt_can_be_retried(self, holding: World) -> None:
        for attempt in (2, 3):
            fail(holding)
            order = send(holding, orders.retry)
            turn(holding)
            progress = workload(holding).status.progress
            assert progress
            assert progress.attempt == attempt
            assert order.next == f"attempt {attempt} begins with the first step"


class TestPauseAndResume:
    def test_a_paused_rollout_stays_and_a_resumed_one_goes_on(self, holding: World) -> None:
        send(holding, orders.pause)
        for _ in range(40):
            turn(holding)
        assert weight(holding) == 10
        send(holding, orders.resume)
        turn(holding)
        assert weight(holding) == 50

    def test_pausing_ahead_of_a_rollout_says_what_it_will_do(self, world: World) -> None:
        assert orders.pause(workload(world)).next.startswith("nothing rolls out now: the next")

    def test_neither_is_done_twice(self, holding: World) -> None:
        with pytest.raises(Failure, match=r"are not paused$"):
            orders.resume(workload(holding))
        send(holding, orders.pause)
        with pytest.raises(Failure, match="are paused already"):
            orders.pause(workload(holding))

    def test_a_step_that_waits_for_a_person_is_told_from_a_paused_rollout(
        self, holding: World
    ) -> None:
        rollout = {**holding.objects[holding.ref]["spec"]["rollout"]}
        rollout["steps"] = [{"weight": 10, "pause": True}]
        holding.edit(rollout=rollout)
        turn(holding)
        with pytest.raises(Failure, match="the present step itself waits") as refused:
            orders.resume(workload(holding))
        assert refused.value.hint == "kubectl tenfold promote web"


class TestRestart:
    def test_it_rolls_out_the_same_template_as_a_new_revision(self, world: World) -> None:
        before = workload(world)
        send(world, restart)
        turn(world)
        after = workload(world)
        assert after.status.target_revision != before.status.target_revision
        assert after.spec.template.spec == before.spec.template.spec
        assert after.spec.template.metadata
        assert after.spec.template.metadata.annotations == {
            "kubectl.kubernetes.io/restartedAt": "2026-01-01T12:00:00Z"
        }

    def test_in_a_rollout_it_says_what_it_takes_the_place_of(self, holding: World) -> None:
        progress = workload(holding).status.progress
        assert progress
        assert f"in place of {progress.revision}" in restart(workload(holding)).done

    def test_it_does_not_roll_a_failed_template_out_under_another_name(
        self, holding: World
    ) -> None:
        failed = fail(holding)
        with pytest.raises(Failure, match=f"that of revision {failed}, which has failed"):
            restart(workload(holding))


@pytest.mark.parametrize("make", [promote, promote_fully, orders.abort])
class TestWithoutARollout:
    def test_it_is_refused_with_what_serves(
        self, world: World, make: Callable[[Workload], Order]
    ) -> None:
        stable = workload(world).status.stable_revision
        with pytest.raises(Failure, match=f"nothing rolls out: web is at revision {stable}"):
            make(workload(world))

    def test_after_a_failure_it_is_refused_with_the_way_to_retry(
        self, holding: World, make: Callable[[Workload], Order]
    ) -> None:
        failed = fail(holding)
        with pytest.raises(Failure, match=f"revision {failed} has failed: a person aborted") as no:
            make(workload(holding))
        assert no.value.hint == "change the template, or kubectl tenfold retry web"


@pytest.mark.parametrize("make", [promote, orders.abort, orders.retry, restart])
def test_a_change_that_the_operator_has_not_seen_is_waited_for(
    holding: World, make: Callable[[Workload], Order]
) -> None:
    holding.edit(template=template("v3"))
    with pytest.raises(Failure, match="the operator has not looked at the last change of web yet"):
        make(workload(holding))


class TestHandOver:
    now = datetime(2026, 1, 1, 12, 0, 0, 900_000, tzinfo=UTC)

    @staticmethod
    def tier(**status: Any) -> RedisTier:
        servers = [
            {"name": "l2-0", "role": "primary"},
            {"name": "l2-1", "role": "replica", "lag": 0},
            {"name": "l2-2", "role": "unknown"},
        ]
        return RedisTier.model_validate(
            {
                "metadata": {"name": "l2", "namespace": "shop"},
                "spec": {"memory": "1Gi"},
                "status": {"primary": "l2-0", "replicas": servers, **status},
            }
        )

    def test_it_asks_for_a_move_since_now_in_whole_seconds_that_are_over(self) -> None:
        # The operator notes the move in whole seconds: a later fraction would ask for another.
        assert orders.hand_over(self.tier(), None, self.now).patch == {
            "metadata": {
                "annotations": {
                    "tenfold.dev/handover": "2026-01-01T12:00:00Z",
                    "tenfold.dev/handover-to": None,
                }
            }
        }

    def test_a_replica_can_be_named(self) -> None:
        order = orders.hand_over(self.tier(), "l2-1", self.now)
        assert order.patch["metadata"] == {
            "annotations": {
                "tenfold.dev/handover": "2026-01-01T12:00:00Z",
                "tenfold.dev/handover-to": "l2-1",
            }
        }
        assert order.done == "asked for a hand-over of l2 from l2-0 to l2-1"

    @pytest.mark.parametrize(
        ("target", "what"),
        [("l2-0", "l2-0 is the primary already"), ("l2-2", "l2-2 is no replica of l2")],
    )
    def test_what_cannot_take_over_is_refused(self, target: str, what: str) -> None:
        with pytest.raises(Failure, match=what):
            orders.hand_over(self.tier(), target, self.now)

    def test_a_cluster_is_refused_with_what_to_do_instead(self) -> None:
        tier = self.tier()
        spec = tier.spec.model_copy(update={"topology": "cluster", "shards": 3})
        with pytest.raises(Failure, match="l2 is a cluster"):
            orders.hand_over(tier.model_copy(update={"spec": spec}), None, self.now)

    def test_without_a_known_primary_it_is_refused_with_the_tiers_own_words(self) -> None:
        with pytest.raises(Failure, match="no primary of l2 is known: 1 of 3 Sentinels answer"):
            orders.hand_over(
                self.tier(primary=None, message="1 of 3 Sentinels answer"), None, self.now
            )
