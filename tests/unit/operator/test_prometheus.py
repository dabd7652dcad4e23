"""The Prometheus adapter against a real Prometheus that scrapes itself."""

import asyncio
import math
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from tenfold_operator.adapters.prometheus import Prometheus
from tenfold_operator.model.observed import Sample, Series
from tenfold_operator.ports import Rejected, Unavailable

from tests.support import free_port, wait_until

_CONFIGURATION = """
global: {scrape_interval: 100ms}
scrape_configs:
  - job_name: itself
    static_configs: [{targets: ["127.0.0.1:PORT"]}]
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that has scraped itself at least twice."""
    folder: Path = tmp_path_factory.mktemp("prometheus")
    port = free_port()
    (folder / "prometheus.yml").write_text(_CONFIGURATION.replace("PORT", str(port)))
    process = subprocess.Popen(
        ["prometheus", f"--config.file={folder}/prometheus.yml",
         f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"],
        stderr=(folder / "log").open("wb"),
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"

    def has_data() -> bool:
        try:
            answer = httpx.get(f"{address}/api/v1/query?query=count_over_time(up[1m])").json()
        except (httpx.HTTPError, ValueError):
            return False
        found = answer.get("data", {}).get("result", [])
        return bool(found) and float(found[0]["value"][1]) >= 2

    try:
        wait_until(has_data, seconds=30, what="two scrapes")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=10)


def ask(url: str, expression: str) -> tuple[Sample, ...]:
    return asyncio.run(Prometheus(url).query(expression))


def test_a_vector_has_its_labels_and_values(url: str) -> None:
    (sample,) = ask(url, "up")
    assert (sample.labels["job"], sample.value) == ("itself", 1.0)
    assert abs(sample.time - datetime.now(UTC).timestamp()) < 60


def test_a_scalar_is_one_value_without_labels(url: str) -> None:
    (sample,) = ask(url, "40 + 2")
    assert (sample.labels, sample.value) == ({}, 42.0)


def test_nothing_and_not_a_number_stay_apart(url: str) -> None:
    assert ask(url, "there_is_no_such_metric") == ()
    (sample,) = ask(url, "up * NaN")
    assert math.isnan(sample.value)


def test_a_range_has_its_series(url: str) -> None:
    def ask_range() -> tuple[Series, ...]:
        now = datetime.now(UTC)
        start = now - timedelta(seconds=30)
        return asyncio.run(Prometheus(url).query_range("up", start, now, 1))

    wait_until(lambda: bool(ask_range()), seconds=30, what="a first scrape")
    (series,) = ask_range()
    assert series.labels["job"] == "itself"
    assert len(series.times) == len(series.values) >= 1
    assert set(series.values) <= {0.0, 1.0}, "a busy machine misses its first scrape"


@pytest.mark.parametrize("expression", ["sum(", "up[5m]", '"text"'])
def test_what_is_no_number_is_rejected_with_the_reason(url: str, expression: str) -> None:
    with pytest.raises(Rejected, match="InvalidQuery"):
        ask(url, expression)


def test_a_prometheus_that_is_away_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="Prometheus"):
        ask(f"http://127.0.0.1:{free_port()}", "up")
