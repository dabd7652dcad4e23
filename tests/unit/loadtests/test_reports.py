"""A report that was written can be read again: later runs are shown beside it."""

import datetime
import pathlib

import pytest
from prometheus_api_client.prometheus_connect import PrometheusConnect
from tenfold_loadtests import measurement, observed, reports, suites, verdict


def _report(graphs: tuple[observed.Graph, ...]) -> reports.Report:
    counts = measurement.Counts(requests=2, seconds_sum=0.004, by_milliseconds={2: 2})
    entry = measurement.Entry(user="browse", operation="product", marketplace="n11", counts=counts)
    measured = measurement.Measurement(
        began=0,
        ended=1,
        window_seconds=1,
        entries=(entry,),
        course=(),
        failures=(measurement.Failure(request="GET <b>", error="500", count=1),),
        workers=(),
    )
    judged = verdict.judge(suites.SMOKE, measured, {})
    return reports.Report(
        suite=suites.SMOKE,
        host="http://127.0.0.1",
        remote_reason=None,
        started_at=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        processes=1,
        broken=(),
        judgements=judged.judgements,
        generator_saturated=False,
        outcome=judged.outcome,
        measured=measured,
        graphs=graphs,
    )


def test_a_report_is_read_as_it_was_written_though_prometheus_told_of_no_number(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = [{"metric": {"outcome": "hit"}, "values": [[1, "NaN"], [2, "0.5"]]}]
    monkeypatch.setattr(PrometheusConnect, "custom_query_range", lambda *_: answer)
    graphs = observed.Prometheus("http://127.0.0.1:1").graphs(0, 2)
    assert graphs[0].lines[0].values == (None, 0.5)
    written = _report(graphs)
    reports.write(written, None, tmp_path)
    assert reports.read("smoke", tmp_path) == written


def test_the_page_is_whole_and_escapes_what_services_said(tmp_path: pathlib.Path) -> None:
    *_, page = reports.write(_report(()), None, tmp_path)
    text = page.read_text()
    assert "GET &lt;b&gt;" in text
    assert "Latency" in text


def test_an_accepted_run_is_shown_beside_a_later_one(tmp_path: pathlib.Path) -> None:
    reports.accept(_report(()), tmp_path / "accepted")
    accepted = reports.read("smoke", tmp_path / "accepted")
    rows = {row.target: row for row in reports.as_rows(_report(()), accepted)}
    assert rows["p95_seconds"].accepted == "2.0 ms (+0%)"
