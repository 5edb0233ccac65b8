"""Generated pages are what the code says, and leave nothing unexplained."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tools import generate_metrics, generate_settings, pages


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (generate_settings.PAGE, generate_settings.text),
        (generate_metrics.PAGE, generate_metrics.text),
    ],
)
def test_committed_page_is_fresh(name: str, text: Callable[[], str]) -> None:
    is_fresh = (pages.DOCS / name).read_text(encoding="utf-8") == text()
    assert is_fresh, f"docs/{name} is stale: run `make docs`"


def test_every_setting_is_explained() -> None:
    for _, settings in generate_settings.SECTIONS:
        for name, field in settings.model_fields.items():
            assert field.description, f"{settings.__name__}.{name} has no description"


def test_no_two_sections_mean_different_things_by_one_variable() -> None:
    rows = re.findall(r"^\| `(HOURBRIDGE_\w+)` \|", generate_settings.text(), flags=re.M)
    per_service = {"HOURBRIDGE_HTTP_PORT"}  # each service has its own default
    assert {name for name in rows if rows.count(name) > 1} <= per_service


def test_metrics_carry_our_prefix() -> None:
    names = generate_metrics.names()
    assert names
    assert all(name.startswith("hourbridge_") for name in names)
