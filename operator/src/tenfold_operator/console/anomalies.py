"""Scores, bands and verdicts of the AnomalyDetectors as Prometheus metrics."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tenfold_operator.adapters.store import Store
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import at, ref_of

_GAUGES = {
    "score": ("Score of the newest row; above 1 it is anomalous.", ("score",)),
    "expected": ("Where the first query's value was expected.", ("band", "expected")),
    "lower": ("Lower end of the band around it.", ("band", "lower")),
    "upper": ("Upper end of the band around it.", ("band", "upper")),
}
_VERDICTS = {"Normal": 0.0, "Anomalous": 1.0}


class AnomalyCollector(Collector):
    """What the status says; a detector that is gone or has no verdict yet has none."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        """Return the gauges, with the labels namespace and detector."""
        for name, (text, path) in _GAUGES.items():
            values = {ref: at(status, *path) for ref, status in self._statuses()}
            numbers = {ref: v for ref, v in values.items() if isinstance(v, (int, float))}
            yield _family(f"tenfold_anomaly_{name}", text, numbers)
        verdicts = {ref: str(at(status, "verdict")) for ref, status in self._statuses()}
        known = {ref: _VERDICTS[each] for ref, each in verdicts.items() if each in _VERDICTS}
        yield _family(
            "tenfold_anomaly_verdict",
            "1 when the verdict is Anomalous, 0 when it is Normal.",
            known,
        )

    def _statuses(self) -> Iterator[tuple[tuple[str, str], JsonObject]]:
        for manifest in self._store.all("AnomalyDetector"):
            ref, status = ref_of(manifest), at(manifest, "status")
            yield (ref.namespace, ref.name), status if isinstance(status, dict) else {}


def _family(name: str, text: str, values: dict[tuple[str, str], float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=["namespace", "detector"])
    for labels, value in values.items():
        family.add_metric(list(labels), float(value))
    return family
