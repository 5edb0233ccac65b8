"""Rows of a JSON answer, each with its own bytes, and the statements made of them. Pure.

What is wrong with one row never touches its neighbours: it becomes that row's reasons.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import ValidationError

from hourbridge.common.errors import SourceAnswerUnreadable
from hourbridge.common.messages.events import FieldReason
from hourbridge.common.messages.records import Record
from hourbridge.common.messages.registry import reasons_of
from hourbridge.connectors.source import Statement

SECONDS_MAX = 366 * 24 * 3600
"""Longer than any period in which somebody may sum up work in one entry."""
_IDENTIFIER_CHARACTERS_MAX = 255
_AMOUNT_DIGITS_MAX = 60
"""Before and after the point, as in messages; 1E+999999 would be a megabyte of zeros there."""
_SHOWN_CHARACTERS_MAX = 80
_WHITE = " \t\r\n"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:40]} is beyond any number") from None


_DECODER = json.JSONDecoder(parse_float=_exact, parse_constant=_no_constant)


@dataclass(frozen=True)
class RawRow:
    """One element of an answer's array, and the bytes that it stood in."""

    value: Any
    raw: bytes


def parse(body: bytes) -> Any:
    """Return the JSON value of a body, numbers exact.

    Raises ValueError, with the reason in words, for whatever is not JSON in UTF-8.
    """
    try:
        return _DECODER.decode(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def rows_of(body: bytes, *members: str) -> list[RawRow]:
    """Return the elements of the array in ``body``: the whole, or the first named member there is.

    Raises SourceAnswerUnreadable when there is no such array.
    """
    try:
        value = parse(body)
    except ValueError as error:
        raise SourceAnswerUnreadable(f"the answer is not JSON: {error}", raw=body) from None
    text = body.decode("utf-8-sig")
    start: int | None = _skip(text, 0)
    if isinstance(value, dict):
        start = next((at for name, at in _members(text) if name in members), None)
    if start is None or text[start] != "[":
        expected = " or ".join(repr(name) for name in members) or "an array"
        raise SourceAnswerUnreadable(f"the answer holds no {expected}", raw=body)
    return _elements(text, start)


def _skip(text: str, index: int) -> int:
    while text[index] in _WHITE:
        index += 1
    return index


def _members(text: str) -> list[tuple[str, int]]:
    """Return the members of the object that ``text`` is, with where their values begin."""
    found = []
    index = _skip(text, _skip(text, 0) + 1)
    while text[index] != "}":
        name, index = _DECODER.raw_decode(text, index)
        start = _skip(text, _skip(text, index) + 1)
        found.append((name, start))
        _, index = _DECODER.raw_decode(text, start)
        index = _after_comma(text, index)
    return found


def _elements(text: str, start: int) -> list[RawRow]:
    found = []
    index = _skip(text, start + 1)
    while text[index] != "]":
        value, end = _DECODER.raw_decode(text, index)
        # Surrogates can't be in decoded UTF-8; escapes keep them out of the bytes.
        found.append(RawRow(value, text[index:end].encode()))
        index = _after_comma(text, end)
    return found


def _after_comma(text: str, index: int) -> int:
    index = _skip(text, index)
    return _skip(text, index + 1) if text[index] == "," else index


@dataclass
class RowReader:
    """One row being read; what is wrong gathers in ``reasons``, with the field's name."""

    row: Mapping[str, Any]
    reasons: list[FieldReason] = field(default_factory=list)

    def refuse(self, name: str, code: str, detail: str) -> None:
        """Note why the row can't be used."""
        self.reasons.append(FieldReason(field=name, code=code, detail=detail))

    def value(self, *names: str) -> Any:
        """Return the first of several names' values that is not null."""
        return next((self.row[name] for name in names if self.row.get(name) is not None), None)

    def identifier(self, *names: str) -> str | None:
        """Return an id as text, however long; None when it is absent (or 0, as some say none)."""
        value = self.value(*names)
        if value is None or value == "" or (value == 0 and not isinstance(value, bool)):
            return None
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(text, str) or len(text) > _IDENTIFIER_CHARACTERS_MAX:
            self.refuse(names[0], "id_invalid", f"{_shown(value)} is no id")
            return None
        return text

    def text(self, *names: str) -> str | None:
        """Return a text; None when it is absent or empty."""
        value = self.value(*names)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            self.refuse(names[0], "text_expected", f"{_shown(value)} is no text")
            return None
        return value

    def flag(self, *names: str) -> bool | None:
        """Return true, false, or None when it is absent."""
        value = self.value(*names)
        if value is not None and not isinstance(value, bool):
            self.refuse(names[0], "flag_expected", f"{_shown(value)} is neither true nor false")
            return None
        return value

    def whole(self, *names: str) -> int | None:
        """Return a whole number; None when it is absent."""
        value = self.value(*names)
        if isinstance(value, Decimal) and value == value.to_integral_value():
            value = int(value) if value.adjusted() < _IDENTIFIER_CHARACTERS_MAX else value
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            self.refuse(names[0], "whole_number_expected", f"{_shown(value)} is no whole number")
            return None
        return value

    def amount(self, *names: str) -> Decimal | None:
        """Return an amount, from a number or its text; None when it is absent."""
        value = self.value(*names)
        if value is None or value == "":
            return None
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            amount = Decimal(value)
            exponent = amount.as_tuple().exponent
            is_fraction = isinstance(exponent, int) and exponent >= -_AMOUNT_DIGITS_MAX
            if is_fraction and amount.adjusted() < _AMOUNT_DIGITS_MAX:
                return amount
        self.refuse(names[0], "number_expected", f"{_shown(value)} is no number")
        return None

    def instant(self, *names: str) -> datetime | None:
        """Return an instant in UTC; None when it is absent."""
        value = self.value(*names)
        if value is None or value == "":
            return None
        found = instant_of(value)
        if found is None:
            self.refuse(names[0], "instant_invalid", f"{_shown(value)} is no time with an offset")
        return found

    def seconds(self, name: str, value: int) -> int:
        """Return a duration that can be one; refuses others."""
        if value < 0:
            self.refuse(name, "end_before_start", "the end lies before the start")
        elif value > SECONDS_MAX:
            self.refuse(name, "over_a_year", "more than a year of work")
        return value


def instant_of(value: Any) -> datetime | None:
    """Return an RFC 3339 text as an instant in UTC, None if it is none."""
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value)
        return None if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def instant_at(seconds: int) -> datetime | None:
    """Return the instant so many seconds after 1970, None outside the years 1 to 9999."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def seconds_since_epoch(instant: datetime) -> int:
    """Return whole seconds since 1970, rounded down, 0 for earlier instants."""
    return max(0, int((instant - _EPOCH).total_seconds()))


def _shown(value: Any) -> str:
    shown = str(value) if isinstance(value, Decimal) else repr(value)
    is_short = len(shown) <= _SHOWN_CHARACTERS_MAX
    return shown if is_short else f"{shown[:_SHOWN_CHARACTERS_MAX]}..."


def stated(
    model: type[Record],
    fields: Mapping[str, Any],
    reader: RowReader,
    *,
    raw: bytes,
    location: str,
    order_key: int | None,
) -> Statement:
    """Return the record that ``fields`` make, or every reason against it."""
    reasons = list(reader.reasons)
    record = None
    if not is_storable(fields):
        detail = "NUL and lone surrogate characters can't be kept"
        reasons.append(FieldReason(field="(row)", code="text_invalid", detail=detail))
    if not reasons:
        try:
            record = model.model_validate(fields)
        except ValidationError as error:
            reasons = [FieldReason(**reason) for reason in reasons_of(error)]
    if record is not None:
        return Statement(raw, location, record, order_key=order_key)
    known = fields.get("external_id")
    # What can't be used is there all the same: it must not seem deleted.
    notes = {"external_id": known} if known and is_storable(known) else {}
    return Statement(raw, location, reasons=tuple(reasons), notes=notes)


def unusable(raw: bytes, location: str, name: str, code: str, detail: str) -> Statement:
    """Return the statement of something that can't be read as a whole."""
    return Statement(raw, location, reasons=(FieldReason(field=name, code=code, detail=detail),))


def is_storable(value: Any) -> bool:
    """Return whether PostgreSQL can hold every text in ``value``: no NUL, no lone surrogates."""
    if isinstance(value, str):
        try:
            return b"\x00" not in value.encode()
        except UnicodeEncodeError:
            return False
    if isinstance(value, Mapping):
        return all(is_storable(key) and is_storable(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(is_storable(item) for item in value)
    return True
