"""Tables and cards for people, JSON for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hourbridge.common.display import Display
from hourbridge.common.errors import HourbridgeError

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

_INSTANT = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d)?[0-9.]*(Z|[+-]\d\d:\d\d)$")
_UNBOUNDED = 10_000
_NUMBER = re.compile(r"^-?\d+(\.\d+)?$")
_DECIMAL = re.compile(r"^-?\d+\.\d+$")
_DAY = re.compile(r"^\d{4}-\d\d-\d\d$")


def print_json(content: Any) -> None:
    """Print machine-readable JSON, one document; never wrapped or coloured when piped."""
    console.print_json(json.dumps(content, ensure_ascii=False), highlight=console.is_terminal)


def print_text(text: str) -> None:
    """Print text exactly as it is, so that it can be copied."""
    console.print(text, markup=False, soft_wrap=True)


def print_rows(
    title: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] | None = None
) -> None:
    """Print rows as a table with the named columns; say so when there are none.

    A column that is empty in every row is left out; a column of numbers is set to the right. What
    would have to be cut to fit the terminal is printed as cards instead.
    """
    if not rows:
        console.print(f"{escape(title)}: none")
        return
    shown = [name for name in columns or rows[0] if any(cell(row.get(name)) for row in rows)]
    table = _table(rows, shown, gap=1)
    if _widths(table).maximum > console.width:
        table = _table(rows, shown, gap=0)
    if _widths(table).minimum > console.width:
        print_cards(title, [_as_card(row, shown) for row in rows])
        return
    console.print(f"[bold]{escape(title)}[/]", soft_wrap=True)
    console.print(table, "", sep="\n")


def _widths(table: Table) -> Measurement:
    """Return the widths that a table could use, and needs, whatever the terminal has."""
    return Measurement.get(console, console.options.update(width=_UNBOUNDED), table)


def _as_card(row: Mapping[str, Any], shown: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the row's texts as a headline, and its numbers, zeros left out, below."""
    texts = {name: cell(row.get(name)) for name in shown}
    is_number = {name: _is_number(row.get(name)) for name in shown}
    headline = " / ".join(text for name, text in texts.items() if text and not is_number[name])
    numbers = {name: text for name, text in texts.items() if text and is_number[name]}
    told = [f"{words(name)} {text}" for name, text in numbers.items() if text.strip("-0.,")]
    return headline, (", ".join(told),)


def _table(rows: Sequence[Mapping[str, Any]], shown: Sequence[str], *, gap: int) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap, 0, 0))
    for name in shown:
        if all(_is_number(row.get(name)) for row in rows):
            header = escape(words(name)).replace(" ", "\n")
            table.add_column(header, justify="right", no_wrap=True, vertical="top")
        else:
            table.add_column(escape(words(name)), overflow="fold", vertical="top")
    for row in rows:
        table.add_row(*(Text(cell(row.get(name))) for name in shown))
    return table


def print_facts(title: str, facts: Mapping[str, Any]) -> None:
    """Print name and value pairs; a mapping or list among them gets a line for each entry."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column("name", no_wrap=True)
    table.add_column("value", overflow="fold")
    for name, value in facts.items():
        table.add_row(Text(words(name), style="cyan"), Text(fact(value)))
    console.print(f"[bold]{escape(title)}[/]", soft_wrap=True)
    console.print(table, "", sep="\n")


def print_cards(title: str, cards: Iterable[tuple[str, Sequence[str]]]) -> None:
    """Print things too wide for a table: a headline each, and indented lines below it."""
    found = list(cards)
    if not found:
        console.print(f"{escape(title)}: none")
        return
    console.print(f"[bold]{escape(title)}: {len(found)}[/]")
    for headline, lines in found:
        console.print(Text(headline, style="cyan"), soft_wrap=True)
        for line in lines:
            if line:
                console.print(Padding(Text(line), (0, 0, 0, 2)))


def present_in(display: Display | None) -> None:
    """Show dates, instants and numbers of tables from now on as a locale writes them."""
    _Presentation.display = display


class _Presentation:
    display: Display | None = None


def _is_number(value: Any) -> bool:
    """Return whether a cell's value is a number, or none at all."""
    return value in (None, "", []) or _NUMBER.match(str(value)) is not None


def words(name: str) -> str:
    """Return a field's name as people write it."""
    return name.replace("_", " ")


def cell(value: Any) -> str:
    """Return the text of one table cell: instants to the minute, lists with commas."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        nested = ("+".join(map(cell, each)) if isinstance(each, list) else each for each in value)
        return ", ".join(cell(each) for each in nested)
    if isinstance(value, dict):
        present = {name: cell(each) for name, each in value.items() if each is not None}
        return ", ".join(f"{words(name)} {text}" for name, text in present.items())
    if _Presentation.display is not None:
        return _in_locale(_Presentation.display, str(value))
    return _INSTANT.sub(r"\1 \2 \4", str(value))


def _in_locale(display: Display, text: str) -> str:
    """Return the text of a date, an instant or a decimal number in a locale; others as is."""
    try:
        if _INSTANT.match(text):
            return display.instant(datetime.fromisoformat(text))
        if _DAY.match(text):
            return display.day(date.fromisoformat(text))
    except ValueError:
        return text
    return display.number(Decimal(text)) if _DECIMAL.match(text) else text


def fact(value: Any) -> str:
    """Return the text of one fact: like a cell, with a line for each entry of a mapping."""
    if isinstance(value, dict):
        return "\n".join(f"{words(name)}: {cell(each)}" for name, each in value.items()) or "none"
    if isinstance(value, list):
        return "\n".join(cell(each) for each in value) or "none"
    return cell(value)


def print_error(target: Console, code: str, error: HourbridgeError) -> None:
    """Print what happened, to what, and what to do about it; several reasons on a line each."""
    about = ", ".join(f"{name}={value}" for name, value in error.ids.items())
    target.print(Text.assemble(("error ", "bold red"), code, f" [{about}]" if about else ""))
    for reason in error.what.split("; "):
        target.print(Padding(Text(reason), (0, 0, 0, 2)))
    target.print(Padding(Text(error.remedy, style="italic"), (0, 0, 0, 2)))
