"""The state of the resources as Prometheus metrics, made when they are scraped."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tenfold_operator.adapters.store import Store
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import at, number_at, objects_at, ref_of, text_at


class ResourceCollector(Collector):
    """Conditions of all resources, weights and ready pods of all revisions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        """Return the metrics; a resource that is gone has none."""
        yield from self._conditions("Workload", "workload")
        yield from self._conditions("RedisTier", "tier")
        yield from self._conditions("AnomalyDetector", "detector")
        yield from self._conditions("RedisBackup", "backup")
        yield from self._conditions("RedisRestore", "restore")
        yield from self._backups()
        yield from self._shards()
        yield self._revisions(
            "tenfold_workload_revision_weight", "Share of the traffic in percent.", "weight"
        )
        yield self._revisions(
            "tenfold_workload_revision_ready_replicas", "Pods ready.", "readyReplicas"
        )

    def _conditions(self, kind: str, label: str) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            f"tenfold_{kind.lower()}_condition",
            f"1 when the condition of the {kind} is True, else 0.",
            labels=["namespace", label, "condition"],
        )
        for manifest in self._store.all(kind):
            ref = ref_of(manifest)
            for each in objects_at(manifest, "status", "conditions"):
                labels = [ref.namespace, ref.name, text_at(each, "type")]
                family.add_metric(labels, float(each.get("status") == "True"))
        yield family

    def _backups(self) -> Iterator[Metric]:
        """Ages and sizes; an alert compares the times with the present one."""
        wanted = (
            (
                "RedisBackup",
                "backup",
                "last_timestamp_seconds",
                "When it ended.",
                "lastBackup.time",
            ),
            ("RedisBackup", "backup", "bytes", "Size of the data set.", "lastBackup.bytes"),
            ("RedisBackup", "backup", "keys", "Keys of the data set.", "lastBackup.keys"),
            ("RedisBackup", "backup", "duration_seconds", "Duration.", "lastBackup.seconds"),
            (
                "RedisBackup",
                "backup",
                "repository_bytes",
                "Size of the repository.",
                "lastBackup.repositoryBytes",
            ),
            (
                "RedisTier",
                "tier",
                "certificate_expires_timestamp_seconds",
                "When the first of its certificates expires.",
                "certificate.expires",
            ),
            ("RedisRestore", "restore", "last_good_timestamp_seconds", "When equal.", "lastGood"),
            ("RedisRestore", "restore", "duration_seconds", "Duration.", "lastRun.seconds"),
            ("RedisRestore", "restore", "different_keys", "Keys off.", "lastRun.different"),
        )
        for kind, label, name, documentation, path in wanted:
            family = GaugeMetricFamily(
                f"tenfold_redis_{label}_{name}", documentation, labels=["namespace", label]
            )
            for manifest in self._store.all(kind):
                value = at(manifest, "status", *path.split("."))
                ref = ref_of(manifest)
                if isinstance(value, str):
                    value = datetime.fromisoformat(value).timestamp()
                if isinstance(value, int | float):
                    family.add_metric([ref.namespace, ref.name], value)
            yield family

    def _shards(self) -> Iterator[Metric]:
        """What the shards of Redis Clusters hold, and by how many servers."""
        for field, name, documentation in (
            ("slots", "tenfold_redis_shard_slots", "Slots that the shard holds."),
            ("replicas", "tenfold_redis_shard_replicas", "Replicas connected to its primary."),
        ):
            labels = ["namespace", "tier", "shard"]
            family = GaugeMetricFamily(name, documentation, labels=labels)
            for manifest in self._store.all("RedisTier"):
                ref = ref_of(manifest)
                for each in objects_at(manifest, "status", "shards"):
                    number = str(number_at(each, "number"))
                    family.add_metric([ref.namespace, ref.name, number], number_at(each, field))
            yield family

    def _revisions(self, name: str, documentation: str, field: str) -> Metric:
        labels = ["namespace", "workload", "revision"]
        family = GaugeMetricFamily(name, documentation, labels=labels)
        for manifest in self._store.all("Workload"):
            for each in objects_at(manifest, "status", "revisions"):
                family.add_metric(_labels(manifest, each), number_at(each, field))
        return family


def _labels(manifest: JsonObject, revision: JsonObject) -> list[str]:
    ref = ref_of(manifest)
    return [ref.namespace, ref.name, text_at(revision, "name")]
