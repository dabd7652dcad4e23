"""The ConfigMaps and Secrets that a template names: only digests of them leave this module."""

from collections.abc import Mapping

from tenfold_operator.model.generated import Workload
from tenfold_operator.model.manifest import digest, object_at
from tenfold_operator.plan.workload_objects import named_config
from tenfold_operator.ports import Cluster

_CONTENT = ("data", "binaryData")


def read_config(cluster: Cluster, workload: Workload) -> Mapping[str, str]:
    """Return a digest of each of them by its name; one that does not exist has its own."""
    return {
        f"{ref.kind}/{ref.name}": digest([object_at(found, each) for each in _CONTENT])
        if (found := cluster.get(ref))
        else "absent"
        for ref in named_config(workload)
    }
