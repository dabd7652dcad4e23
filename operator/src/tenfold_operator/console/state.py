"""The state that the console shows, out of the store and the journal."""

from tenfold_operator.adapters.store import Store
from tenfold_operator.journal import Journal
from tenfold_operator.model.base import JsonObject
from tenfold_operator.model.manifest import at, object_at, ref_of


def snapshot(store: Store, journal: Journal) -> JsonObject:
    """Return all Workloads and RedisTiers with status and last decisions."""
    return {
        "workloads": [_resource(each, journal) for each in store.all("Workload")],
        "redisTiers": [_resource(each, journal) for each in store.all("RedisTier")],
    }


def _resource(manifest: JsonObject, journal: Journal) -> JsonObject:
    ref = ref_of(manifest)
    return {
        "namespace": ref.namespace,
        "name": ref.name,
        "replicas": at(manifest, "spec", "replicas"),
        "status": object_at(manifest, "status"),
        "decisions": [each.to_json() for each in journal.read(ref)],
    }
