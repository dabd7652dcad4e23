"""What Prometheus is asked for the charts of each kind of resource: pure, and never by a browser.

The operator's own series carry its pod's namespace where the scraper sets it; the resource's own
is then `exported_namespace`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tenfold_operator.console.views import LineRole, Mark
from tenfold_operator.console.workloads import role_of
from tenfold_operator.model.generated import (
    AnomalyDetector,
    RedisTier,
    Workload,
    WorkloadRevision,
)
from tenfold_operator.model.manifest import Ref
from tenfold_operator.plan import analysis_queries as gateway

_WINDOW_SECONDS = 60
"""What rates are taken over where no analysis says what suits the scraping."""


@dataclass(frozen=True)
class Question:
    """One expression, and what its series are in a chart."""

    chart: str
    expression: str
    label: str = ""
    """The label that names a series."""
    name: str = ""
    """The name where there is one series alone."""
    role: LineRole | None = None
    factor: float = 1.0


@dataclass(frozen=True)
class Frame:
    """A chart without its lines."""

    key: str
    title: str
    unit: str
    bound: float | None = None
    bound_name: str = ""


_SCALING_CHARTS = (
    Frame("forecast", "Forecast against actual load", "per second"),
    Frame("decided", "Pods wanted and had", "pods"),
    Frame("skill", "Recent error of the models, of the load", "percent"),
    Frame("shares", "Share of the models in the forecast", "percent"),
)


@dataclass(frozen=True)
class Questions:
    """All questions about a resource, and the charts of their answers."""

    ref: Ref
    charts: tuple[Frame, ...]
    questions: tuple[Question, ...]
    marks: tuple[Mark, ...] = ()
    roles: Mapping[str, LineRole] = field(default_factory=dict, compare=False)


def of_workload(workload: Workload, step_seconds: int) -> Questions:
    """Return the questions about the revisions of a Workload, side by side."""
    meta, analysis = workload.metadata, workload.spec.rollout.analysis
    ref = Ref("Workload", meta.namespace, meta.name)
    window = max(analysis.window_seconds if analysis else _WINDOW_SECONDS, step_seconds)
    past = gateway.past_queries(workload, window)
    most, limit = analysis and analysis.error_ratio, analysis and analysis.latency
    level = (limit.quantile if limit else 0.95) * 100
    charts = (
        Frame("weights", "Share of the traffic", "percent"),
        Frame(
            "errors",
            "Requests answered with an error",
            "percent",
            most.max * 100 if most else None,
            "at most",
        ),
        Frame(
            "latency",
            f"How long {level:g} of 100 requests take at most",
            "milliseconds",
            limit.max_seconds * 1000 if limit else None,
            "at most",
        ),
        Frame("requests", "Requests", "per second"),
        Frame("pods", "Pods ready", "pods"),
    )
    own = {"workload": meta.name}
    questions = (
        Question("weights", _own("workload_revision_weight", ref, own), "revision"),
        Question("errors", past[gateway.ERRORS], "revision", factor=100),
        Question("latency", past[gateway.DURATIONS], "revision", factor=1000),
        Question("requests", past[gateway.REQUESTS], "revision"),
        Question("pods", _own("workload_revision_ready_replicas", ref, own), "revision"),
    )
    scaled = workload.status.scaling is not None
    return Questions(
        ref,
        (*charts, *_SCALING_CHARTS) if scaled else charts,
        (*questions, *_of_scaling(workload, ref)) if scaled else questions,
        tuple(_rollout_marks(workload)),
        _roles(workload),
    )


def _of_scaling(workload: Workload, ref: Ref) -> Iterator[Question]:
    """Yield what was forecast beside what came, and the pods that it led to.

    A forecast is of the horizon: what was said then is shown at the time that it was said of.
    """
    scaling = workload.status.scaling
    ahead = (scaling.horizon_seconds if scaling else None) or 0
    own = {"workload": ref.name}
    for role in ("lower", "upper", "expected"):
        name = "expected" if role == "expected" else f"{role} end of 90%"
        told = _own(f"forecast_{role}", ref, own, ahead)
        yield Question("forecast", told, name=name, role=role)
    actual = _own("scaling_load", ref, own)
    yield Question("forecast", actual, name="actual", role="target")
    for metric, name in (
        ("replicas", "decided"),
        ("reactive_replicas", "for the load"),
        ("predicted_replicas", "for the forecast"),
    ):
        yield Question("decided", _own(f"scaling_{metric}", ref, own), name=name)
    had = f"sum({_own('workload_revision_ready_replicas', ref, own)})"
    yield Question("decided", had, name="ready", role="target")
    yield Question("skill", _own("forecast_error_ratio", ref, own), "model", factor=100)
    yield Question("shares", _own("forecast_weight", ref, own), "model", factor=100)


def of_tier(tier: RedisTier) -> Questions:
    """Return the questions about the servers of a tier."""
    meta = tier.metadata
    ref = Ref("RedisTier", meta.namespace, meta.name)
    series = f'namespace="{meta.namespace}",tier="{meta.name}"'

    def rate(name: str) -> str:
        return f"sum by (pod) (rate(redis_{name}{{{series}}}[{_WINDOW_SECONDS}s]))"

    hits, misses = rate("keyspace_hits_total"), rate("keyspace_misses_total")
    charts = (
        Frame("commands", "Commands", "per second"),
        Frame("memory", "Memory used", "bytes"),
        Frame("lag", "Seconds that replicas are behind", "seconds"),
        Frame("hits", "Reads that found their key", "percent"),
    )
    questions = (
        Question("commands", rate("commands_processed_total"), "pod"),
        Question("memory", f"max by (pod) (redis_memory_used_bytes{{{series}}})", "pod"),
        Question(
            "lag",
            "max by (replica) (label_replace("
            f'redis_connected_slave_lag_seconds{{{series}}}, "replica", "$1", "slave_ip", '
            '"([^.]+)\\\\..*"))',
            "replica",
        ),
        Question("hits", f"{hits} / ({hits} + {misses})", "pod", factor=100),
    )
    moved = tier.status.last_failover
    marks = (
        (Mark(time=moved.time, name=f"{moved.to} became primary", state="working"),)
        if moved
        else ()
    )
    return Questions(ref, charts, questions, marks)


def of_detector(detector: AnomalyDetector) -> Questions:
    """Return the questions about the first query of a detector, its band and its score."""
    meta = detector.metadata
    ref = Ref("AnomalyDetector", meta.namespace, meta.name)
    first = detector.spec.queries[0]

    def own(name: str) -> str:
        return _own(f"anomaly_{name}", ref, {"detector": meta.name})

    charts = (
        Frame("band", first.name, ""),
        Frame("score", "Score", "score", 1.0, "anomalous above"),
        Frame("verdict", "Verdict: 1 is anomalous", ""),
    )
    questions = (
        Question("band", own("lower"), name="lower end", role="lower"),
        Question("band", own("upper"), name="upper end", role="upper"),
        Question("band", own("expected"), name="expected", role="expected"),
        Question("band", first.expr, name="actual", role="target"),
        Question("score", own("score"), name="score", role="target"),
        Question("verdict", own("verdict"), name="verdict", role="target"),
    )
    return Questions(ref, charts, questions)


def _own(name: str, ref: Ref, labels: Mapping[str, str], ago_seconds: int = 0) -> str:
    """Return the expression for one of the operator's own series, as it was some time ago."""
    ago = f" offset {ago_seconds}s" if ago_seconds else ""
    chosen = ",".join(f'{label}="{value}"' for label, value in labels.items())
    series = [
        f'tenfold_{name}{{{label}="{ref.namespace}",{chosen}}}{ago}'
        for label in ("namespace", "exported_namespace")
    ]
    # Names of pods and addresses differ after a restart of the operator; the series is the same.
    return f"max without (instance, pod, node) ({' or '.join(series)})"


def _roles(workload: Workload) -> Mapping[str, LineRole]:
    return {each.name: _line_role(workload, each) for each in workload.status.revisions}


def _line_role(workload: Workload, revision: WorkloadRevision) -> LineRole:
    match role_of(workload, revision):
        case "drains" | "kept":
            return "other"
        case role:
            return role


def _rollout_marks(workload: Workload) -> Iterator[Mark]:
    """Yield when rollouts began and were given up."""

    for each in workload.status.failed_revisions:
        if each.start_time:
            yield Mark(time=each.start_time, name=f"{each.revision} begins", state="working")
        yield Mark(time=each.time, name=f"{each.revision} rolled back", state="bad")
    if now := workload.status.progress:
        yield Mark(time=now.start_time, name=f"{now.revision} begins", state="working")
