"""Dashboards are what the code says, ask what Prometheus understands, and name what exists."""

from __future__ import annotations

import re
from pathlib import Path

import promql_parser
import pytest

from tools.dashboards.generate import DIRECTORY, expressions, generated

METRICS = Path(__file__).parents[2] / "docs/metrics.md"
EXPRESSIONS = expressions()
VARIABLES = {"$__rate_interval": "5m", "$book": ".+", "$service": ".+"}


@pytest.mark.parametrize("name", sorted(generated()))
def test_the_checked_in_file_is_the_generated_one(name: str) -> None:
    assert (DIRECTORY / name).read_text() == generated()[name], "run: make dashboards"


@pytest.mark.parametrize(("panel", "expression"), EXPRESSIONS, ids=[p for p, _ in EXPRESSIONS])
def test_every_expression_is_promql(panel: str, expression: str) -> None:
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    assert "$" not in expression
    promql_parser.parse(expression)


def test_every_metric_that_a_panel_shows_is_exported() -> None:
    known = set(re.findall(r"`(hourbridge_\w+)`", METRICS.read_text()))
    named = {name for _, text in EXPRESSIONS for name in re.findall(r"\bhourbridge_\w+", text)}
    assert named
    assert {name.removesuffix("_bucket") for name in named} <= known
