"""What the operator tells Prometheus of the resources."""

from tenfold_operator.adapters.store import Store
from tenfold_operator.console.collector import ResourceCollector

from tests.unit.operator.world import World


def test_metrics_tell_conditions_and_weights(world: World) -> None:
    store = Store()
    store.put({**world.objects[world.ref]})
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in ResourceCollector(store).collect()
        for sample in family.samples
    }
    (name,) = world.weights
    revision = name.removeprefix("web-")
    assert samples["tenfold_workload_condition", "shop", "web", "Ready"] == 1
    assert samples["tenfold_workload_revision_weight", "shop", "web", revision] == 100
    assert samples["tenfold_workload_revision_ready_replicas", "shop", "web", revision] == 2
