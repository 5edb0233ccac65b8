"""Rows of BigTime's answers: names in any case, numbers as numbers or text, bytes as received."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from hourbridge.common.exact_json import dumps
from hourbridge.common.messages.events import FieldReason
from hourbridge.common.money import EXACT

DIGITS_MAX = 30
"""Of a number on either side of the point: more is no amount, and could be ``1E+999999``."""

_NUMBER = re.compile(
    rf"[+-]?(\d{{1,{DIGITS_MAX}}}(\.\d{{0,{DIGITS_MAX}}})?|\.\d{{1,{DIGITS_MAX}}})"
)
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?(?:Z)?)?")
_TRUE = frozenset({"true", "1", "yes", "y"})
_FALSE = frozenset({"false", "0", "no", "n"})
_NO_ID = frozenset({"", "0"})


@dataclass
class Row:
    """One row with its raw form; what can't be read of it is noted in ``reasons``.

    Names are given as the reference spells them and found in any case. Empty text is absent.
    """

    values: Mapping[str, Any]
    raw: bytes = b""
    reasons: list[FieldReason] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """How values came about that are not simply stated: the record's ``derivation``."""

    def __post_init__(self) -> None:
        self._lowered = {str(name).lower(): value for name, value in self.values.items()}

    def value(self, *names: str) -> Any:
        """Return the first value that is there, as it stands."""
        for name in names:
            found = self._lowered.get(name.lower())
            if found is not None and found != "":
                return found
        return None

    def has(self, *names: str) -> bool:
        """Return whether the row has one of the fields at all, empty or not."""
        return any(name.lower() in self._lowered for name in names)

    def text(self, *names: str) -> str | None:
        """Return text as it stands; other scalars in their plain form."""
        found = self.value(*names)
        if found is None or isinstance(found, Mapping | list):
            return None
        text = _plain(found)
        return text if text.strip() else None

    def identifier(self, *names: str) -> str | None:
        """Return an id as text, None for 0 and empty ones: that is how BigTime writes "none"."""
        text = self.text(*names)
        if text is None or text.strip() in _NO_ID:
            return None
        return text.strip()

    def number(self, *names: str) -> Decimal | None:
        """Return an exact decimal; text in any local form is refused, never guessed at."""
        found = self.value(*names)
        if found is None:
            return None
        if isinstance(found, Decimal | int | str) and not isinstance(found, bool):
            number = _decimal(found)
            if number is not None:
                return number
        self.refuse(names[0], "number_invalid", f"{_shown(found)} is no plain decimal number")
        return None

    def flag(self, *names: str) -> bool | None:
        """Return a yes or no, None when it is not said."""
        found = self.value(*names)
        if found is None or isinstance(found, bool):
            return found
        word = _plain(found).strip().lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
        self.refuse(names[0], "flag_invalid", f"{_shown(found)} is neither yes nor no")
        return None

    def day(self, *names: str) -> date | None:
        """Return a local date; a time other than midnight is not one."""
        found = self.value(*names)
        if found is None:
            return None
        match = _DAY.fullmatch(_plain(found).strip())
        try:
            if match is not None:
                return date.fromisoformat(match[1])
        except ValueError:
            pass
        self.refuse(names[0], "date_invalid", f"{_shown(found)} is no date such as 2026-03-31")
        return None

    def children(self, *names: str) -> tuple[Row, ...]:
        """Return the rows of a list inside this one."""
        found = self.value(*names)
        if not isinstance(found, list):
            return ()
        return tuple(Row(item) for item in found if isinstance(item, Mapping))

    def child(self, *names: str) -> Row | None:
        """Return an object inside this one."""
        found = self.value(*names)
        return Row(found) if isinstance(found, Mapping) else None

    def refuse(self, field_name: str, code: str, detail: str) -> None:
        """Note why the row gives no record."""
        self.reasons.append(FieldReason(field=field_name, code=code, detail=detail))

    def note(self, text: str) -> None:
        """Note how a value came about."""
        self.notes.append(text)


class NotRows(ValueError):
    """A body is JSON, but not of the shape that was asked for."""


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)
_SPACE = re.compile(r"[ \t\r\n]*")


def split_rows(body: bytes) -> list[Row]:
    """Return the rows of a JSON array of objects, each with its own bytes as received.

    Raises ValueError (NotRows for another shape) when the body isn't such an array.
    """
    text = body.decode("utf-8-sig")
    at = _skip(text, 0)
    if text[at : at + 1] != "[":
        _DECODER.decode(text)
        raise NotRows("an array was expected")
    rows: list[Row] = []
    at = _skip(text, at + 1)
    if text[at : at + 1] == "]":
        return _ended(text, at + 1, rows)
    while True:
        value, end = _DECODER.raw_decode(text, at)
        rows.append(row_of(value, text[at:end].encode()))
        at = _skip(text, end)
        if text[at : at + 1] == "]":
            return _ended(text, at + 1, rows)
        if text[at : at + 1] != ",":
            raise ValueError(f"the array breaks off at character {at}")
        at = _skip(text, at + 1)


def row_of(value: Any, raw: bytes) -> Row:
    """Return an object as a row; anything else as one that says what it is instead."""
    if isinstance(value, Mapping):
        return Row(value, raw)
    row = Row({}, raw)
    row.refuse("(row)", "not_an_object", f"{_shown(value)} where a row was expected")
    return row


def raw_of(values: Mapping[str, Any]) -> bytes:
    """Return a row that had no bytes of its own (a report's) as JSON; exact where possible."""
    try:
        return dumps({name: _bounded(value) for name, value in values.items()}).encode(
            errors="backslashreplace"
        )
    except TypeError:
        return json.dumps(values, default=str).encode()


def _bounded(value: Any) -> Any:
    if isinstance(value, Decimal) and abs(value.adjusted()) > 10 * DIGITS_MAX:
        return str(value)  # in full it could be a megabyte of zeros
    return value


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _ended(text: str, at: int, rows: list[Row]) -> list[Row]:
    if _skip(text, at) != len(text):
        raise ValueError("there is more after the end of the array")
    return rows


def _plain(value: Any) -> str:
    """Return a scalar as text: 12.0 and "12" are one id, true is "true"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > DIGITS_MAX:
            return str(value)
        whole = value.to_integral_value(context=EXACT)
        return format(whole if value == whole else value, "f")
    return str(value)


def _decimal(value: Decimal | int | str) -> Decimal | None:
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > DIGITS_MAX:
            return None
        text = format(value, "f")
    else:
        text = str(value).strip() if isinstance(value, str) or abs(value) < 10**DIGITS_MAX else ""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _shown(value: Any) -> str:
    text = str(value) if not isinstance(value, Mapping | Sequence) or isinstance(value, str) else ""
    return repr(text[:60]) if text else type(value).__name__
