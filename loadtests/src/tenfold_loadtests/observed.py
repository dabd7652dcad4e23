"""What Prometheus saw of the platform during a run."""

import datetime
import math

import pydantic
import requests
import urllib3
from prometheus_api_client.exceptions import PrometheusApiClientException
from prometheus_api_client.prometheus_connect import PrometheusConnect

_SECONDS = 10
# A point on the plots; what is scraped less often shows as steps.
_STEP_SECONDS = 5


class ObservedError(Exception):
    """Prometheus cannot be asked; the message says why."""


class Line(pydantic.BaseModel):
    """One series over the run: unix seconds, and values where there were any."""

    model_config = pydantic.ConfigDict(frozen=True)

    name: str
    times: tuple[float, ...]
    values: tuple[float | None, ...]


class Graph(pydantic.BaseModel):
    """Series that belong on one plot."""

    model_config = pydantic.ConfigDict(frozen=True)

    title: str
    unit: str
    lines: tuple[Line, ...]


_GRAPHS = (
    (
        "Pods that serve, by revision",
        "pods",
        'count by (workload, revision) (up{job="pods",workload!=""} == 1)',
    ),
    (
        "Share of each revision's requests",
        "share",
        "sum by (service) (rate(traefik_service_requests_total[15s]))"
        " / ignoring (service) group_left"
        " sum(rate(traefik_service_requests_total[15s]))",
    ),
    (
        "Cache: what gets found",
        "share",
        "sum by (outcome) (rate(tenfold_cache_gets_total[30s]))"
        " / ignoring (outcome) group_left sum(rate(tenfold_cache_gets_total[30s]))",
    ),
    (
        "CPU of the busiest pods",
        "cores",
        'topk(6, sum by (pod) (rate(container_cpu_usage_seconds_total{job="resource"}[30s])))',
    ),
)


class Prometheus:
    """Whatever speaks Prometheus' API."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = PrometheusConnect(url=url, timeout=_SECONDS, retry=urllib3.Retry(total=0))

    def check(self) -> None:
        """Raise ObservedError unless it answers."""
        self._number("vector(1)", datetime.datetime.now(datetime.UTC))

    def figure(self, query: str, began: float, ended: float) -> float | None:
        """Return a figure over a time; None where there is none. Raises ObservedError."""
        window = f"{max(1, round(ended - began))}s"
        return self._number(query.replace("{window}", window), _moment(ended))

    def graphs(self, began: float, ended: float) -> tuple[Graph, ...]:
        """Return what the plots show; a graph without data is left out. Raises ObservedError."""
        graphs = (
            Graph(title=title, unit=unit, lines=self._lines(query, began, ended))
            for title, unit, query in _GRAPHS
        )
        return tuple(graph for graph in graphs if graph.lines)

    def _number(self, query: str, at: datetime.datetime) -> float | None:
        try:
            found = self._client.custom_query(query, params={"time": at.timestamp()})
        except (PrometheusApiClientException, requests.RequestException) as error:
            raise ObservedError(f"Prometheus at {self._url}: {error}") from error
        values = [float(each["value"][1]) for each in found]
        # NaN is what a quantile or a ratio of nothing is.
        return _finite(values[0]) if values else None

    def _lines(self, query: str, began: float, ended: float) -> tuple[Line, ...]:
        try:
            found = self._client.custom_query_range(
                query, _moment(began), _moment(ended), str(_STEP_SECONDS)
            )
        except (PrometheusApiClientException, requests.RequestException) as error:
            raise ObservedError(f"Prometheus at {self._url}: {error}") from error
        return tuple(
            Line(
                name=" ".join(each["metric"].values()) or "all",
                times=tuple(float(time) for time, _ in each["values"]),
                values=tuple(_finite(float(value)) for _, value in each["values"]),
            )
            for each in found
        )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _moment(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
