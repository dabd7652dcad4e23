"""A verdict as a table and a page for people, JUnit XML for CI, JSON for whoever compares runs."""

import datetime
import pathlib
from typing import NamedTuple
from xml.etree import ElementTree

import pydantic
from rich import table, text

from tenfold_loadtests import measurement, observed, page, suites, verdict

_STYLES = {
    verdict.Outcome.HELD: "green",
    verdict.Outcome.MISSED: "bold red",
    verdict.Outcome.NOT_JUDGED: "yellow",
}


class Report(pydantic.BaseModel):
    """All that is known of a run; what `<suite>.json` holds."""

    model_config = pydantic.ConfigDict(frozen=True)

    suite: suites.Suite
    host: str
    # Why load was allowed to leave this machine.
    remote_reason: str | None
    started_at: datetime.datetime
    processes: int
    broken: tuple[str, ...]
    """What a fault broke."""
    judgements: tuple[verdict.Judgement, ...]
    generator_saturated: bool
    outcome: verdict.Outcome
    measured: measurement.Measurement
    graphs: tuple[observed.Graph, ...]

    @property
    def figures(self) -> dict[str, float | None]:
        """What was measured, by target."""
        return {judgement.target.name: judgement.measured for judgement in self.judgements}


def write(
    report: Report, accepted: Report | None, folder: pathlib.Path
) -> tuple[pathlib.Path, ...]:
    """Write JSON, JUnit XML and the page to the folder and return their paths."""
    as_json, as_junit, as_page = paths = _paths(report.suite, folder)
    as_json.write_text(report.model_dump_json(indent=2), encoding="utf-8")
    tree = ElementTree.ElementTree(_junit(report))
    ElementTree.indent(tree)
    tree.write(as_junit, encoding="utf-8", xml_declaration=True)
    as_page.write_text(page.render(report, as_rows(report, accepted)), encoding="utf-8")
    return paths


def remove(suite: suites.Suite, folder: pathlib.Path) -> None:
    """Remove the reports of an earlier run, lest they be read as those of one that broke."""
    for path in _paths(suite, folder):
        path.unlink(missing_ok=True)


def read(suite: str, folder: pathlib.Path) -> Report | None:
    """Return a suite's report in a folder; None where there is none."""
    path = folder / f"{suite}.json"
    return Report.model_validate_json(path.read_bytes()) if path.exists() else None


def accept(report: Report, folder: pathlib.Path) -> pathlib.Path:
    """Make a run the one that later ones are compared with; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report.suite.name}.json"
    path.write_text(report.model_dump_json(indent=2), encoding="utf-8")
    return path


def _paths(suite: suites.Suite, folder: pathlib.Path) -> tuple[pathlib.Path, ...]:
    return tuple(folder / f"{suite.name}.{suffix}" for suffix in ("json", "xml", "html"))


class Row(NamedTuple):
    """One target as people read it."""

    target: str
    wanted: str
    measured: str
    accepted: str
    outcome: verdict.Outcome
    source: str


def as_rows(report: Report, accepted: Report | None) -> list[Row]:
    """Return the judgements, each beside the last accepted run's figure."""
    before = accepted.figures if accepted else {}
    return [
        Row(
            target=judgement.target.name,
            wanted=_wanted(judgement),
            measured=_measured(judgement),
            accepted=_compared(judgement, before.get(judgement.target.name)),
            outcome=judgement.outcome,
            source=judgement.target.source,
        )
        for judgement in report.judgements
    ]


def as_table(report: Report, accepted: Report | None) -> table.Table:
    """Return the judgements as a table, one target a row."""
    result = table.Table(title=f"{report.suite.name} against {report.host}", title_justify="left")
    for heading in ("target", "wanted", "measured", "last accepted", "outcome"):
        result.add_column(heading)
    for row in as_rows(report, accepted):
        outcome = text.Text(row.outcome, style=_STYLES[row.outcome])
        result.add_row(row.target, row.wanted, row.measured, row.accepted, outcome)
    return result


def explanations(report: Report) -> list[str]:
    """Say of every target that was not held why, and of each kind of failure how often."""
    lines = [
        f"{judgement.target.name}: {_explain(judgement)}"
        for judgement in report.judgements
        if judgement.outcome is not verdict.Outcome.HELD
    ]
    failures = sorted(report.measured.failures, key=lambda failure: -failure.count)
    return lines + [f"{failure.count} x {failure.request}: {failure.error}" for failure in failures]


def _explain(judgement: verdict.Judgement) -> str:
    parts = [
        f"{_measured(judgement)} instead of {_wanted(judgement)} ({judgement.target.source})",
        judgement.reason,
    ]
    return "; ".join(filter(None, parts))


def _wanted(judgement: verdict.Judgement) -> str:
    return f"{judgement.target.bound} {_figure(judgement.target.limit, judgement.target.unit)}"


def _measured(judgement: verdict.Judgement) -> str:
    if judgement.measured is None:
        return "nothing"
    return _figure(judgement.measured, judgement.target.unit)


def _compared(judgement: verdict.Judgement, before: float | None) -> str:
    if before is None:
        return ""
    figure = _figure(before, judgement.target.unit)
    if judgement.measured is None or before == 0:
        return figure
    return f"{figure} ({judgement.measured / before - 1:+.0%})"


def _figure(value: float, unit: str) -> str:
    match unit:
        case "s":
            return f"{value * 1000:.2f} ms" if value < 0.001 else f"{value * 1000:.1f} ms"
        case "/s":
            return f"{value:.1f}/s"
        case "ratio":
            return f"{value:.4%}"
        case _:
            return f"{value:g}"


def _junit(report: Report) -> ElementTree.Element:
    outcomes = [judgement.outcome for judgement in report.judgements]
    suite = ElementTree.Element(
        "testsuite",
        name=f"tenfold-load {report.suite.name}",
        timestamp=report.started_at.isoformat(),
        time=f"{report.measured.window_seconds:.1f}",
        tests=str(len(outcomes)),
        failures=str(outcomes.count(verdict.Outcome.MISSED)),
        errors=str(outcomes.count(verdict.Outcome.NOT_JUDGED)),
    )
    # In JUnit a failure is a wrong result, and an error a test that could not be made.
    tags = {verdict.Outcome.MISSED: "failure", verdict.Outcome.NOT_JUDGED: "error"}
    for judgement in report.judgements:
        case = ElementTree.SubElement(
            suite, "testcase", classname=report.suite.name, name=judgement.target.name
        )
        if tag := tags.get(judgement.outcome):
            ElementTree.SubElement(case, tag, message=_explain(judgement))
    return suite
