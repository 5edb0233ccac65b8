"""Field types of messages: exact decimals, aware instants, ISO currencies; as text on the wire."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from hourbridge.common.clock import to_text
from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.money import decimal_text, minor_unit_digits


class Payload(BaseModel):
    """Base of every message model: immutable; readers ignore fields they do not know."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


_DECIMAL_PATTERN = r"^-?[0-9]{1,60}(\.[0-9]{1,60})?$"
"""Plain notation, and bounded: ``1E+999999`` would be a megabyte of zeros in our documents."""


def _exact_decimal(value: Any) -> Any:
    if isinstance(value, str):
        if not re.fullmatch(_DECIMAL_PATTERN, value):
            raise ValueError('must be a decimal number in plain notation, such as "12.50"')
        value = Decimal(value)
    if not isinstance(value, Decimal):
        raise ValueError('must be text such as "12.50"; a JSON number may lose digits')
    if not value.is_finite():
        raise ValueError("must be finite")
    return value


DecimalText = Annotated[
    Decimal,
    BeforeValidator(_exact_decimal),
    PlainSerializer(decimal_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _DECIMAL_PATTERN}),
]
"""A Decimal; a JSON string in plain notation. JSON numbers are refused."""


_FULL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _no_number(value: Any) -> Any:
    is_text = isinstance(value, str)
    if isinstance(value, int | float) or (is_text and not _FULL_DATE.match(value)):
        raise ValueError("must be RFC 3339 text with an offset; numbers are ambiguous")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside the years 1 to 9999 in UTC") from None


def _date_alone(value: Any) -> Any:
    is_text = isinstance(value, str)
    if isinstance(value, int | float | datetime) or (is_text and not _FULL_DATE.fullmatch(value)):
        raise ValueError("must be a local date such as 2026-03-31, without a time")
    return value


LocalDate = Annotated[date, BeforeValidator(_date_alone)]
"""A calendar date where the work was done; no time, no zone."""

Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_no_number),
    AfterValidator(_in_utc),
    PlainSerializer(to_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""An instant: RFC 3339 with offset on input, UTC inside and on output."""


def _iso_currency(code: str) -> str:
    try:
        minor_unit_digits(code)
    except ConfigurationInvalid as error:
        raise ValueError(error.what) from None
    return code


CurrencyCode = Annotated[
    str, StringConstraints(pattern=r"^[A-Z]{3}$"), AfterValidator(_iso_currency)
]
"""An ISO 4217 alphabetic code that has minor units."""

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=255)]
"""An id of an outside system or of ours; opaque text."""


def _fits_short_string(value: str) -> str:
    if len(value.encode()) > 255:
        raise ValueError("must be at most 255 bytes in UTF-8; it travels as an AMQP property")
    return value


ShortText = Annotated[
    str, StringConstraints(min_length=1, max_length=255), AfterValidator(_fits_short_string)
]
"""Text that fits an AMQP short string, whose limit counts bytes."""

BookName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""The name of a book: lower case, digits, dash and underscore; at most 63 characters."""

SourceName = BookName
"""The name of a source within its book; same alphabet as a book's name."""

__all__ = [
    "BookName",
    "CurrencyCode",
    "DecimalText",
    "Identifier",
    "Instant",
    "LocalDate",
    "Payload",
    "ShortText",
    "SourceName",
    "datetime",
]
