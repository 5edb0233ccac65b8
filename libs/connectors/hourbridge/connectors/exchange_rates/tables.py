"""Rate tables as CSV: a row per day, a column per currency, as the ECB publishes them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from hourbridge.common.exchange_rates import PublishedRate, RatesInvalid

_CURRENCY = re.compile(r"[A-Z]{3}")
_NONE = ("", "N/A", "-")
_DATES = ("%Y-%m-%d", "%d %B %Y")
"""Of the history file, and of the daily one."""


def read_table(text: str) -> Iterator[PublishedRate]:
    """Yield the rates of a CSV table; cells without a rate are left out.

    Raises RatesInvalid for anything that isn't such a table.
    """
    rows = csv.reader(io.StringIO(text))
    header = [name.strip() for name in next(rows, [])]
    if not header or header[0].lower() != "date":
        raise RatesInvalid("the first column of a table of rates is named Date")
    currencies = header[1:]
    for name in currencies:
        if name and not _CURRENCY.fullmatch(name):
            raise RatesInvalid(f"{name!r} heads a column, and is no currency code")
    for number, row in enumerate(rows, start=2):
        if any(cell.strip() for cell in row):
            yield from _row(row, currencies, number)


def _row(row: Sequence[str], currencies: Sequence[str], number: int) -> Iterator[PublishedRate]:
    day = parse_date(row[0].strip(), number)
    for currency, cell in zip(currencies, row[1:], strict=False):
        text = cell.strip()
        if currency and text not in _NONE:
            yield PublishedRate(day, currency, parse_value(text, f"row {number}, {currency}"))


def parse_date(text: str, number: int) -> date:
    """Return a day as it is written in either file of the ECB."""
    for pattern in _DATES:
        try:
            return datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a day, no instant
        except ValueError:
            continue
    raise RatesInvalid(f"row {number}: {text!r} is no date")


def parse_value(text: str, where: str) -> Decimal:
    """Return a published rate; it is a positive decimal, nothing else."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise RatesInvalid(f"{where}: {text!r} is no rate") from None
    if not value.is_finite() or value <= 0:
        raise RatesInvalid(f"{where}: a rate is positive, not {text}")
    return value
