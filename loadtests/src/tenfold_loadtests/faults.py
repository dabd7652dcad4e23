"""Breaks one thing while the load goes on, and mends what does not mend itself."""

from tenfold_loadtests import inside
from tenfold_loadtests.suites import DOWN, Fault

_GATEWAY = "gateway"
# What the gateway counts and caches in, and what holds orders and events.
_TIERS = ("l2", "events")


class Breaker:
    """One fault, made once when its time has come."""

    def __init__(self, fault: Fault, cluster: inside.Cluster, at_seconds: float) -> None:
        """Prepare to break something at a time of the run."""
        self._fault = fault
        self._cluster = cluster
        self._at = at_seconds
        self.done: list[str] = []
        """What was broken, for the report."""

    def look(self, seconds: float) -> None:
        """Break it if the time has come; raises InsideError."""
        if self.done or seconds < self._at:
            return
        match self._fault:
            case Fault.KILL_POD:
                self._kill([self._cluster.pods(_GATEWAY)[0]])
            case Fault.REDIS_PRIMARY:
                self._kill([self._cluster.primary(tier) for tier in _TIERS])
            case Fault.MARKETPLACE_DOWN:
                self._cluster.ask_simulator("PATCH", f"/admin/{DOWN}", {"outage": "hang"})
                self.done.append(f"{DOWN} hangs")

    def mend(self) -> None:
        """Let the marketplace behave again; pods come back by themselves."""
        if self.done and self._fault is Fault.MARKETPLACE_DOWN:
            self._cluster.ask_simulator("DELETE", f"/admin/{DOWN}")

    def _kill(self, pods: list[str]) -> None:
        for pod in pods:
            self._cluster.kill(pod)
            self.done.append(f"{pod} killed")
