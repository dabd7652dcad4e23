"""A verdict as a table for people, JUnit XML for CI and JSON for whoever compares runs."""

import datetime
import pathlib
from xml.etree import ElementTree

import pydantic
from rich import table, text

from tenfold_loadtests import measurement, targets, verdict

_STYLES = {
    verdict.Outcome.HELD: "green",
    verdict.Outcome.MISSED: "bold red",
    verdict.Outcome.NOT_JUDGED: "yellow",
}


class Report(pydantic.BaseModel):
    """All that is known of a run; what `<suite>.json` holds."""

    model_config = pydantic.ConfigDict(frozen=True)

    suite: targets.Suite
    host: str
    # Why load was allowed to leave this machine.
    remote_reason: str | None
    started_at: datetime.datetime
    processes: int
    figures: dict[str, float]
    judgements: tuple[verdict.Judgement, ...]
    generator_saturated: bool
    outcome: verdict.Outcome
    measured: measurement.Measurement


def write(report: Report, folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """Write JSON and JUnit XML to the folder and return their paths."""
    as_json, as_junit = _paths(report.suite, folder)
    as_json.write_text(report.model_dump_json(indent=2), encoding="utf-8")
    tree = ElementTree.ElementTree(_junit(report))
    ElementTree.indent(tree)
    tree.write(as_junit, encoding="utf-8", xml_declaration=True)
    return as_json, as_junit


def remove(suite: targets.Suite, folder: pathlib.Path) -> None:
    """Remove the reports of an earlier run, lest they be read as those of one that broke."""
    for path in _paths(suite, folder):
        path.unlink(missing_ok=True)


def _paths(suite: targets.Suite, folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    return folder / f"{suite.name}.json", folder / f"{suite.name}.xml"


def as_table(report: Report) -> table.Table:
    """Return the judgements as a table, one target a row."""
    result = table.Table(title=f"{report.suite.name} against {report.host}", title_justify="left")
    for heading in ("target", "wanted", "measured", "outcome"):
        result.add_column(heading)
    for judgement in report.judgements:
        result.add_row(
            judgement.target.name,
            _wanted(judgement),
            _measured(judgement),
            text.Text(judgement.outcome, style=_STYLES[judgement.outcome]),
        )
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


def _figure(value: float, unit: str) -> str:
    match unit:
        case "s":
            return f"{value * 1000:.1f} ms"
        case "/s":
            return f"{value:.1f}/s"
        case _:
            return f"{value:.4%}"


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
