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
    as_json = folder / f"{report.suite.name}.json"
    as_json.write_text(report.model_dump_json(indent=2), encoding="utf-8")
    as_junit = folder / f"{report.suite.name}.xml"
    tree = ElementTree.ElementTree(_junit(report))
    ElementTree.indent(tree)
    tree.write(as_junit, encoding="utf-8", xml_declaration=True)
    return as_json, as_junit


def as_table(report: Report) -> table.Table:
    """Return the verdict as a table, one target a row."""
    result = table.Table(title=f"{report.suite.name} against {report.host}", title_justify="left")
    for heading in ("target", "wanted", "measured", "outcome", "why"):
        result.add_column(heading)
    for judgement in report.judgements:
        target = judgement.target
        result.add_row(
            target.name,
            f"{target.bound} {_figure(target.limit, target.unit)}",
            "-" if judgement.measured is None else _figure(judgement.measured, target.unit),
            text.Text(judgement.outcome, style=_STYLES[judgement.outcome]),
            # What a missed target is owed to; the reason of a held one is its figure.
            judgement.reason and f"{judgement.reason} [{target.source}]",
        )
    return result


def _figure(value: float, unit: str) -> str:
    match unit:
        case "s":
            return f"{value * 1000:.1f} ms"
        case "/s":
            return f"{value:.1f}/s"
        case _:
            return f"{value:.4%}"


def _junit(report: Report) -> ElementTree.Element:
    judgements = report.judgements
    counts = [judgement.outcome for judgement in judgements]
    suite = ElementTree.Element(
        "testsuite",
        name=f"tenfold-load {report.suite.name}",
        timestamp=report.started_at.isoformat(),
        time=f"{report.measured.window_seconds:.1f}",
        tests=str(len(counts)),
        failures=str(counts.count(verdict.Outcome.MISSED)),
        errors=str(counts.count(verdict.Outcome.NOT_JUDGED)),
    )
    for judgement in judgements:
        case = ElementTree.SubElement(
            suite, "testcase", classname=report.suite.name, name=judgement.target.name
        )
        # In JUnit a failure is a wrong result and an error is a test that could not be made.
        kind = {verdict.Outcome.MISSED: "failure", verdict.Outcome.NOT_JUDGED: "error"}
        if tag := kind.get(judgement.outcome):
            detail = ElementTree.SubElement(case, tag, message=judgement.reason)
            detail.text = f"measured {judgement.measured}; {judgement.target.source}"
    return suite
