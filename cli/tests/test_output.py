"""How values become cells, and what becomes of rows that don't fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hourbridge.cli import output
from hourbridge.cli.commands.dead import readable
from hourbridge.cli.references import Reference, parse_reference, parse_service
from hourbridge.common.display import Display
from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.runtime.admin import RequestInvalid


@pytest.fixture(autouse=True)
def _eighty_columns() -> None:
    output.console.width = output.errors.width = 80


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (0, "0"),
        ("1.50", "1.50"),
        ("2026-03-31T20:05:59.123456Z", "2026-03-31 20:05 Z"),
        ("2026-03-31T20:05:00+02:00", "2026-03-31 20:05 +02:00"),
        ("2026-03-31", "2026-03-31"),
        (["a", "b"], "a, b"),
        ([["staff", "task"], ["client"]], "staff+task, client"),
        ({"customer_name": "Acme", "id": None}, "customer name Acme"),
    ],
)
def test_a_cell_s_text(value: Any, text: str) -> None:
    assert output.cell(value) == text


@pytest.fixture
def german() -> Iterator[None]:
    output.present_in(Display("de_AT", "Europe/Vienna"))
    yield
    output.present_in(None)


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("-1234.50", "-1.234,50"),
        ("1234", "1234"),
        ("2026-03-31T22:05:59Z", "01.04.2026, 00:05:59 +02:00"),
        ("2026-03-31", "31.03.2026"),
        ("2026-13-31", "2026-13-31"),
        ("HB-00001", "HB-00001"),
        (True, "yes"),
    ],
)
def test_a_cell_in_the_readers_locale(value: Any, text: str) -> None:
    assert output.cell(value) == text


@pytest.mark.usefixtures("german")
def test_numbers_of_a_locale_stand_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_rows("Sums", [{"name": "a", "total": "5.00"}, {"name": "b", "total": "-10.00"}])
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[3:5] == ["a       5,00", "b     -10,00"]


def test_numbers_stand_to_the_right_and_empty_columns_fall_away(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [{"name": "a", "total": "5.00", "note": None}, {"name": "b", "total": "-10.00"}]
    output.print_rows("Sums", rows, ("name", "total", "note"))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["Sums", "name   total", "────────────", "a       5.00", "b     -10.00", ""]


def test_rows_too_wide_for_the_terminal_become_cards(capsys: pytest.CaptureFixture[str]) -> None:
    row = {f"a_number_{n}": "123456.78" for n in range(9)} | {"client": "Acme", "zero": "0.00"}
    output.print_rows("Wide", [row])
    shown = capsys.readouterr().out
    assert shown.startswith("Wide: 1\nAcme\n  a number 0 123456.78, ")
    assert shown.count("123456.78") == 9
    assert "zero" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_no_rows_are_said_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_rows("Sums [of x]", [])
    output.print_cards("Cards", [])
    assert capsys.readouterr().out == "Sums [of x]: none\nCards: none\n"


def test_brackets_in_values_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_rows("[red]", [{"a": "[bold]x[/]"}])
    output.print_cards("[red]", [("[bold]y", ["[/]z"])])
    output.print_text("[bold]w")
    shown = capsys.readouterr().out
    for text in ("[red]", "[bold]x[/]", "[bold]y", "[/]z", "[bold]w"):
        assert text in shown


def test_an_error_shows_a_line_for_each_reason(capsys: pytest.CaptureFixture[str]) -> None:
    error = ConfigurationInvalid("zone: no zone; currency: no currency", book="acme")
    output.print_error(output.errors, error.code, error)
    lines = [line.rstrip() for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        "error configuration_invalid [book=acme]",
        "  zone: no zone",
        "  currency: no currency",
        "  Correct the named setting and apply again.",
    ]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"a":1}', '{\n  "a": 1\n}'),
        ('{"a":1.10}', '{"a":1.10}'),  # digits stay as they were written
        ("not json", "not json"),
    ],
)
def test_a_body_is_indented_only_where_no_digit_changes(body: str, shown: str) -> None:
    assert readable(body) == shown


def test_a_reference_names_service_and_id() -> None:
    assert parse_reference("mapper:17") == Reference("mapper", "17")
    assert parse_service("poster") == "poster"


@pytest.mark.parametrize("text", ["", "mapper", "mapper:", "nobody:1", ":1", "mapper:../x"])
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(RequestInvalid, match="SERVICE:ID"):
        parse_reference(text)


def test_what_is_no_service_is_refused() -> None:
    with pytest.raises(RequestInvalid, match="no service"):
        parse_service("all")
