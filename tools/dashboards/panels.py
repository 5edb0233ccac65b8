"""Short words for the panels that our dashboards use."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.common import ReduceDataOptions, VizLegendOptions
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
)

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
GRID_COLUMNS = 24

Panel = stat.Panel | timeseries.Panel | table.Panel


def _target(expression: str, legend: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(expression).legend_format(legend)


def number(
    title: str,
    expression: str,
    meaning: str,
    *,
    unit: str = "short",
    bad_from: int | None = None,
    legend: str = "",
) -> stat.Panel:
    """Return one figure; green below ``bad_from``, red from it on."""
    steps = [Threshold(value=None, color="green")]
    if bad_from is not None:
        steps.append(Threshold(value=bad_from, color="red"))
    thresholds = dashboards.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
    return (
        stat.Panel()
        .title(title)
        .description(meaning)
        .datasource(SOURCE)
        .unit(unit)
        .thresholds(thresholds)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .span(6)
        .height(5)
        .with_target(_target(expression, legend))
    )


def graph(
    title: str, meaning: str, *targets: tuple[str, str], unit: str = "short", span: int = 12
) -> timeseries.Panel:
    """Return lines over time; ``targets`` pair an expression with its legend."""
    legend = (
        VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)
    )
    panel = (
        timeseries.Panel()
        .title(title)
        .description(meaning)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .fill_opacity(10)
        .legend(legend)
        .span(span)
        .height(8)
    )
    for expression, name in targets:
        panel = panel.with_target(_target(expression, name))
    return panel


def board(uid: str, title: str, *variables: tuple[str, str]) -> dashboards.Dashboard:
    """Return an empty dashboard; ``variables`` pair a label's name with a metric that has it."""
    result = (
        dashboards.Dashboard(title)
        .uid(uid)
        .tags(["hourbridge"])
        .refresh("30s")
        .time("now-6h", "now")
        .timezone("browser")
        .with_variable(dashboards.DatasourceVariable("datasource").type("prometheus"))
    )
    for label, metric in variables:
        result = result.with_variable(
            dashboards.QueryVariable(label)
            .query(f"label_values({metric}, {label})")
            .datasource(SOURCE)
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .include_all(True)
            .multi(True)
        )
    return result


def with_rows(
    result: dashboards.Dashboard, *rows: tuple[str, Sequence[Panel]]
) -> dashboards.Dashboard:
    """Return ``result`` with titled rows of panels."""
    for title, panels in rows:
        result = result.with_row(dashboards.Row(title))
        for panel in panels:
            result = result.with_panel(panel)
    return result
