"""What Prometheus is asked about a rollout, and how its answers are read.

The gateway's own series are used: they also count the requests that a revision never answered.
These are Traefik's names; another gateway's differ in this module alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tenfold_operator.model.generated import Workload, WorkloadRolloutAnalysis
from tenfold_operator.model.observed import Sample
from tenfold_operator.plan import workload_objects as objects

GATEWAY = "gateway"
REQUESTS = "requests"
DURATIONS = "durations"
BUDGET = "budget"
ERRORS = "errors"

_REQUESTS = "traefik_service_requests_total"
_DURATIONS = "traefik_service_request_duration_seconds_bucket"
_ANY_REVISION = "[0-9a-f]{10}"


@dataclass(frozen=True)
class Traffic:
    """What the gateway saw of one revision within the window."""

    requests: float = 0.0
    errors: float = 0.0
    """Those answered 5xx, by the revision or by the gateway in its place."""
    bounds: tuple[float, ...] = ()
    """Upper bounds of the buckets of durations, in seconds, the last infinite."""
    counts: tuple[float, ...] = ()
    """Requests in each bucket."""


def queries(workload: Workload, target: str, stable: str) -> Mapping[str, str]:
    """Return the PromQL expressions that judge `target` beside `stable`, by name."""
    analysis = workload.spec.rollout.analysis
    if analysis is None:
        return {}
    window = f"[{analysis.window_seconds}s]"
    both = _series(workload, f"({target}|{stable})")
    found = {
        # Whether a gateway is scraped at all: without requests the next answer is empty too.
        GATEWAY: "count(traefik_config_last_reload_success)",
        REQUESTS: f"sum by (service, code) (increase({_REQUESTS}{{{both}}}{window}))",
    }
    if analysis.latency or analysis.comparison:
        found[DURATIONS] = f"sum by (service, le) (increase({_DURATIONS}{{{both}}}{window}))"
    if analysis.error_budget:
        seconds = analysis.error_budget.window_seconds
        every = _series(workload, _ANY_REVISION)
        found[BUDGET] = f"sum by (code) (increase({_REQUESTS}{{{every}}}[{seconds}s]))"
    return {**found, **_own(workload, analysis, target, stable)}


def served_query(workload: Workload, revision: str, window_seconds: int) -> str:
    """Return the expression for the requests that the gateway sent to a revision of late."""
    series = _series(workload, revision)
    return f"sum(increase({_REQUESTS}{{{series}}}[{window_seconds}s]))"


def past_queries(workload: Workload, window_seconds: int) -> Mapping[str, str]:
    """Return expressions for what the gateway saw of each revision, to be asked over a range.

    Each answers one series a revision, with the label `revision`: requests per second, the share
    answered 5xx, and the quantile of durations, in seconds, that the analysis judges (0.95 where
    it judges none).
    """
    analysis = workload.spec.rollout.analysis
    level = analysis.latency.quantile if analysis and analysis.latency else 0.95
    series, window = _series(workload, _ANY_REVISION), f"[{window_seconds}s]"
    requests = _by_revision(workload, f"rate({_REQUESTS}{{{series}}}{window})")
    errors = _by_revision(workload, f'rate({_REQUESTS}{{{series},code=~"5.."}}{window})')
    durations = _by_revision(workload, f"rate({_DURATIONS}{{{series}}}{window})", ", le")
    return {
        REQUESTS: requests,
        ERRORS: f"({errors} or 0 * {requests}) / {requests}",
        DURATIONS: f"histogram_quantile({level:g}, {durations})",
    }


def _by_revision(workload: Workload, expression: str, more: str = "") -> str:
    meta = workload.metadata
    name = f".*-svc-{meta.namespace}-{meta.name}-({_ANY_REVISION})-[0-9]+@.*"
    return (
        f'sum by (revision{more}) (label_replace({expression}, "revision", "$1", "service", '
        f'"{name}"))'
    )


def _series(workload: Workload, revision: str) -> str:
    meta = workload.metadata
    name = f"{meta.namespace}-{meta.name}"
    return f'service=~"httproute-{name}-gw-.*-svc-{name}-{revision}-[0-9]+@.*"'


def _own(
    workload: Workload, analysis: WorkloadRolloutAnalysis, target: str, stable: str
) -> Mapping[str, str]:
    values = {
        "namespace": workload.metadata.namespace,
        "workload": workload.metadata.name,
        "revision": target,
        "stable": stable,
        "window": f"{analysis.window_seconds}s",
    }
    return {of_query(each.name): _filled(each.query, values) for each in analysis.queries}


def of_query(name: str) -> str:
    """Return the name of the question of a query of the spec, which may have any name."""
    return f"query {name}"


def _filled(query: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        query = query.replace(f"{{{{{name}}}}}", value)
    return query


def traffic_of(
    workload: Workload, revision: str, requests: Iterable[Sample], durations: Iterable[Sample]
) -> Traffic:
    """Read what the answers to REQUESTS and DURATIONS say of one revision.

    While it is previewed, two rules of the route name it, and the gateway counts each by itself.
    """
    name = f"-svc-{workload.metadata.namespace}-{objects.object_name(workload, revision)}-"
    counted = [each for each in requests if name in each.labels.get("service", "")]
    buckets: defaultdict[float, float] = defaultdict(float)
    for each in durations:
        if name in each.labels.get("service", ""):
            buckets[float(each.labels["le"])] += each.value
    bounds = sorted(buckets)
    return Traffic(
        requests=sum(each.value for each in counted),
        errors=count_errors(counted),
        bounds=tuple(bounds),
        counts=_differences([buckets[each] for each in bounds]),
    )


def count_errors(samples: Iterable[Sample]) -> float:
    """Return how many of the requests were answered 5xx."""
    return sum(each.value for each in samples if each.labels.get("code", "").startswith("5"))


def _differences(cumulative: Sequence[float]) -> tuple[float, ...]:
    # Each bucket's increase is extrapolated by itself, so a step may come out below zero.
    before = [0.0, *cumulative]
    return tuple(max(0.0, b - a) for a, b in zip(before, cumulative, strict=False))
