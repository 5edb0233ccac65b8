"""Reading what callers send: names in any case, numbers as numbers or text, days, flags."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from hourbridge.common.money import RoundingMode, round_digits, round_to_step
from hourbridge.sandbox.bigtime.refusals import invalid

Row = dict[str, Any]
Kind = Literal["text", "number", "flag", "day", "id", "rows"]
ZERO = Decimal(0)
MONEY_DIGITS = 2
_NUMBER_MAX = Decimal(10) ** 15
_DECIMALS_MAX = 12
_ID_MAX = 2**63
_YEARS = range(1900, 2200)


def lowered(body: Mapping[str, Any]) -> Row:
    """Return the members by their names in lower case: field names have no case."""
    return {name.lower(): value for name, value in body.items()}


def read(value: Any, kind: Kind, name: str) -> Any:
    """Return a value of the kind; None and empty text are the kind's empty value."""
    try:
        return _READERS[kind](value)
    except (ValueError, TypeError, InvalidOperation, OverflowError):
        raise invalid(f"The value of {name} is not valid.") from None


def _text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)


def _number(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise TypeError("a flag is no number")
    number = Decimal(str(value).strip()) if value not in (None, "") else ZERO
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -_DECIMALS_MAX or abs(number) >= _NUMBER_MAX:
        raise ValueError("not a number that anybody would enter")
    return number


def _flag(value: Any) -> bool:
    if isinstance(value, str):
        if value.lower() not in ("true", "false", "1", "0", ""):
            raise ValueError(value)
        return value.lower() in ("true", "1")
    return bool(value)


def _day(value: Any) -> str | None:
    if value in (None, ""):
        return None
    day = date.fromisoformat(str(value)[:10])
    if day.year not in _YEARS:
        raise ValueError("not a day of work")
    return day.isoformat()


def _id(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError("a flag is no id")
    identity = int(value) if value not in (None, "") else 0
    if abs(identity) >= _ID_MAX:
        raise ValueError("no id is that large")
    return identity


def _rows(value: Any) -> list[Row] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise TypeError("not a list of objects")
    return value


_READERS: dict[str, Any] = {
    "text": _text,
    "number": _number,
    "flag": _flag,
    "day": _day,
    "id": _id,
    "rows": _rows,
}


def cents(amount: Decimal) -> Decimal:
    """Return an amount at two decimals, half up."""
    return round_digits(amount, MONEY_DIGITS, RoundingMode.HALF_UP)


def to_minutes(hours: Decimal, step_minutes: int, *, up: bool) -> Decimal:
    """Return hours at a multiple of so many minutes; 0: as they are, at two decimals."""
    if not step_minutes:
        return cents(hours)
    mode = RoundingMode.UP if up else RoundingMode.HALF_UP
    return cents(round_to_step(hours, Decimal(step_minutes) / 60, mode))
