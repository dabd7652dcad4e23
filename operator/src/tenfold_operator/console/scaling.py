"""What scaling decided and forecast, as Prometheus metrics made when they are scraped."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan.scaling import insight
from tenfold_operator.plan.scaling.insight import Insight

_LABELS = ("namespace", "workload")


class ScalingCollector(Collector):
    """The last decision of each Workload that is scaled; one that is gone has none."""

    def __init__(self, insights: Callable[[], Mapping[Ref, Insight]]) -> None:
        self._insights = insights

    def collect(self) -> Iterator[Metric]:
        """Return the gauges."""
        families: dict[str, GaugeMetricFamily] = {}
        for ref, each in self._insights().items():
            for gauge in insight.gauges(each):
                family = families.get(gauge.name)
                if family is None:
                    labels = (*_LABELS, *gauge.labels)
                    text = insight.DOCUMENTATION[gauge.name]
                    family = GaugeMetricFamily(gauge.name, text, labels=labels)
                    families[gauge.name] = family
                family.add_metric([ref.namespace, ref.name, *gauge.labels.values()], gauge.value)
        yield from families.values()
