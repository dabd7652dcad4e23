"""What Prometheus answers about the Workload of `World`."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from tenfold_operator.model.observed import Reading, Sample
from tenfold_operator.plan import analysis_queries as asked

BOUNDS = (0.01, 0.05, 0.1, 0.5, inf)


@dataclass(frozen=True)
class Seen:
    """Requests to a revision within the window."""

    requests: float = 200.0
    errors: float = 0.0
    durations: tuple[float, ...] | None = None
    """Requests in each bucket of BOUNDS; all of them in the first when absent."""


GOOD, BAD = Seen(), Seen(errors=100.0)


def sample(value: float, **labels: str) -> Sample:
    return Sample(labels, 0.0, value)


def service(revision: str) -> str:
    return f"httproute-shop-web-gw-tenfold-rule-0-svc-shop-web-{revision}-8080@kubernetesgateway"


def answers(seen: Mapping[str, Seen]) -> dict[str, Reading]:
    """Return the answers to the questions about the gateway, by question."""
    requests, durations = [], []
    for revision, each in seen.items():
        name = service(revision)
        requests.append(sample(each.requests - each.errors, service=name, code="200"))
        requests.append(sample(each.errors, service=name, code="503"))
        total = 0.0
        for bound, count in zip(BOUNDS, each.durations or (each.requests, 0, 0, 0, 0), strict=True):
            total += count
            durations.append(sample(total, service=name, le="+Inf" if bound == inf else str(bound)))
    return {
        asked.GATEWAY: Reading(samples=(sample(1.0),)),
        asked.REQUESTS: Reading(samples=tuple(requests)),
        asked.DURATIONS: Reading(samples=tuple(durations)),
    }
