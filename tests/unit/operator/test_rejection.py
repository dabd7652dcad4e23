"""What the API server rejects is shown, once."""

from datetime import UTC, datetime

import pytest
from tenfold_operator.apply import Applier
from tenfold_operator.handlers.outcome import carry_out
from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan.actions import Wait
from tenfold_operator.ports import Rejected

from tests.unit.operator.world import World, template

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_refused_template_is_a_condition_and_the_running_revision_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (serving,) = world.weights

    def refuse(manifest: object) -> None:
        raise Rejected("Invalid", "spec.containers[0].image: required")

    monkeypatch.setattr(world, "apply", refuse)
    for _ in range(2):
        world.edit(template=template("refused"))
        view = world.view
        with pytest.raises(Rejected):
            carry_out(Applier(world), view.workload, "Workload", world.plan(), NOW, "Progressing")
    assert world.condition("Progressing") == ("False", "Invalid")
    assert world.weights == {serving: 100}
    assert [each.reason for each in world.events].count("Invalid") == 1


def test_the_next_look_is_when_the_first_wait_is_over(world: World) -> None:
    waits = (
        Wait(reason="a", until=NOW.replace(second=9)),
        Wait(reason="b", until=NOW.replace(second=4)),
    )
    workload = world.view.workload
    assert carry_out(Applier(world), workload, "Workload", waits, NOW, "Progressing") == 4
    assert carry_out(Applier(world), workload, "Workload", (Wait(reason="c"),), NOW, "") is None
    assert Ref("Workload", "shop", "web") in world.objects
