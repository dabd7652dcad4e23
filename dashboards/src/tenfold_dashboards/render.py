"""Boards as Grafana's JSON."""

from __future__ import annotations

import json
from string import ascii_uppercase

from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    timeseries,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from tenfold_dashboards.panels import Board, Limit, Look, Panel, Variable

TAG = "tenfold"
_SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
_HEIGHT = 7
_GOOD, _BAD = "green", "red"

AnyPanel = timeseries.Panel | stat.Panel | statetimeline.Panel


def to_json(board: Board) -> str:
    """Return the board as a file that Grafana provisions."""
    builder = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.description)
        .tags([TAG])
        .readonly()
        .refresh("10s")
        .time("now-1h", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(_other_boards())
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
        )
    )
    for variable in board.variables:
        builder.with_variable(_variable(variable))
    numbers = iter(range(1, 1000))
    for row in board.rows:
        builder.with_row(dashboard.Row(row.title).id(next(numbers)))
        for panel in row.panels:
            builder.with_panel(_panel(panel, next(numbers)))
    return json.dumps(builder.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _other_boards() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("Tenfold")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
    )


def _variable(variable: Variable) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(variable.name)
        .label(variable.name.capitalize())
        .datasource(_SOURCE)
        .query(f"label_values({variable.metric}, {variable.name})")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".+")
        .current(VariableOption(selected=True, text="All", value="$__all"))
    )


def _panel(panel: Panel, number: int) -> AnyPanel:
    made = _look(panel)
    made.id(number).title(panel.title).description(panel.description).unit(panel.unit)
    made.datasource(_SOURCE).height(_HEIGHT).span(panel.width)
    for letter, query in zip(ascii_uppercase, panel.queries, strict=False):
        made.with_target(
            prometheus.Dataquery()
            .ref_id(letter)
            .datasource(_SOURCE)
            .expr(query.expr)
            .legend_format(query.legend)
            .range()
        )
    return made


def _look(panel: Panel) -> AnyPanel:
    match panel.look:
        case Look.LINES | Look.BAND:
            return _lines(panel)
        case Look.NUMBER:
            number = (
                stat.Panel()
                .graph_mode(BigValueGraphMode.AREA)
                .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
            )
            return number.thresholds(_thresholds(panel.limit))
        case Look.STATES:
            states = {
                "0": ValueMappingResult(text="no", color=_BAD),
                "1": ValueMappingResult(text="yes", color=_GOOD),
            }
            return statetimeline.Panel().mappings([ValueMap(options=states)]).row_height(0.8)


def _lines(panel: Panel) -> timeseries.Panel:
    lines = (
        timeseries.Panel()
        .line_width(1)
        .fill_opacity(5)
        .show_points(VisibilityMode.NEVER)
        .axis_soft_min(0)
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )
    if panel.limit is not None:
        lines.thresholds(_thresholds(panel.limit)).thresholds_style(
            common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
        )
    if panel.look is Look.BAND:
        lines.override_by_regexp(
            ".*upper.*",
            [
                DynamicConfigValue(id_val="custom.fillBelowTo", value="lower"),
                DynamicConfigValue(id_val="custom.lineWidth", value=0),
                DynamicConfigValue(id_val="custom.fillOpacity", value=15),
            ],
        ).override_by_regexp(".*lower.*", [DynamicConfigValue(id_val="custom.lineWidth", value=0)])
    return lines


def _thresholds(limit: Limit | None) -> dashboard.ThresholdsConfig:
    below, above = (_BAD, _GOOD) if limit and limit.is_goal else (_GOOD, _BAD)
    steps = [Threshold(value=None, color=below)]
    if limit is not None:
        steps.append(Threshold(value=limit.value, color=above))
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
