"""A step from one state of a resource to the next."""

from dataclasses import dataclass

from tenfold_pulumi_plugins.kubernetes import objects, paths
from tenfold_pulumi_plugins.kubernetes.values import JsonObject


@dataclass(frozen=True)
class Change:
    """From what, to what; a creation comes from nothing."""

    urn: str
    wanted: JsonObject
    state: JsonObject
    ignored: tuple[paths.Path, ...] = ()

    @property
    def manager(self) -> str:
        """As whom the object is applied."""
        return objects.manager_of(self.state, self.urn)

    def to_state(self, live: JsonObject) -> JsonObject:
        """What the state keeps afterwards."""
        initial = objects.initial_api_version(self.state, self.wanted)
        return objects.to_state(self.wanted, live, self.manager, initial)
