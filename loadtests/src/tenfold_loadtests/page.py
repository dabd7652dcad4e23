"""One HTML page of a run, whole in one file: it needs no network to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import jinja2
from plotly import graph_objects, io, offline

from tenfold_loadtests import measurement, observed

if TYPE_CHECKING:
    from tenfold_loadtests import reports

_HEIGHT = 280
_MARGINS = {"l": 60, "r": 20, "t": 40, "b": 30}

_TEMPLATE = jinja2.Template(
    """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{{ report.suite.name }}: {{ report.outcome }}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1100px; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } th, td { padding: .3rem .6rem; text-align: left }
tr { border-bottom: 1px solid #ddd } td.held { color: #157347 } td.missed { color: #b02a37;
font-weight: bold } td.not { color: #997404 }
</style>
<script>{{ library | safe }}</script>
<h1>{{ report.suite.name }}: {{ report.outcome }}</h1>
<p>{{ report.started_at.strftime("%Y-%m-%d %H:%M:%S %Z") }}, {{ report.host }},
{{ report.processes }} worker(s){% if report.generator_saturated %}, <b>the generator was
saturated</b>{% endif %}. {% for what in report.broken %}<b>{{ what }}.</b> {% endfor %}</p>
<table>
<tr><th>target<th>wanted<th>measured<th>last accepted<th>outcome<th>from
{% for row in rows %}<tr><td>{{ row.target }}<td>{{ row.wanted }}<td>{{ row.measured }}
<td>{{ row.accepted }}<td class="{{ row.outcome }}">{{ row.outcome }}<td>{{ row.source }}
{% endfor %}</table>
{% for plot in plots %}{{ plot | safe }}{% endfor %}
<h2>By kind of request</h2>
<table>
<tr><th>user<th>request<th>marketplace<th>requests<th>failed<th>mean<th>p50<th>p95<th>p99
{% for entry in report.measured.entries %}{% set counts = entry.counts %}
<tr><td>{{ entry.user }}<td>{{ entry.operation }}<td>{{ entry.marketplace }}
<td>{{ counts.requests }}<td>{{ counts.failed }}
<td>{{ "%.1f ms" | format(1000 * counts.seconds_sum / counts.requests) }}
{% for share in (0.5, 0.95, 0.99) %}<td>{{ "%.0f ms" | format(1000 * counts.quantile(share)) }}
{% endfor %}{% endfor %}</table>
<h2>Failures</h2>
<table>
{% for failure in report.measured.failures %}<tr><td>{{ failure.count }}
<td>{{ failure.request }}<td>{{ failure.error }}{% else %}<tr><td>none{% endfor %}
</table>
</html>
""",
    autoescape=True,
)


def render(report: reports.Report, rows: Sequence[reports.Row]) -> str:
    """Return the page."""
    graphs = [*_of_load(report.measured.course), *report.graphs]
    page: str = _TEMPLATE.render(
        report=report,
        rows=rows,
        library=offline.get_plotlyjs(),
        plots=[_plot(graph) for graph in graphs],
    )
    return page


def _of_load(course: Sequence[measurement.Moment]) -> list[observed.Graph]:
    times = tuple(moment.at for moment in course)

    def graph(title: str, unit: str, **lines: Sequence[float]) -> observed.Graph:
        return observed.Graph(
            title=title,
            unit=unit,
            lines=tuple(
                observed.Line(name=name, times=times, values=tuple(values))
                for name, values in lines.items()
            ),
        )

    return [
        graph("Throughput", "requests/s", requests=[m.requests / m.seconds for m in course]),
        graph(
            "Latency",
            "ms",
            p50=[1000 * m.p50_seconds for m in course],
            p95=[1000 * m.p95_seconds for m in course],
            p99=[1000 * m.p99_seconds for m in course],
        ),
        graph("Errors", "failed/s", failed=[m.failed / m.seconds for m in course]),
    ]


def _plot(graph: observed.Graph) -> str:
    figure = graph_objects.Figure(
        [
            graph_objects.Scatter(
                x=[1000 * time for time in line.times], y=line.values, name=line.name, mode="lines"
            )
            for line in graph.lines
        ]
    )
    figure.update_layout(
        title=graph.title, height=_HEIGHT, margin=_MARGINS, yaxis_title=graph.unit,
        showlegend=True, yaxis_rangemode="tozero",
    )  # fmt: skip
    figure.update_xaxes(type="date")
    html: str = io.to_html(figure, include_plotlyjs=False, full_html=False)
    return html
