"""Field types of messages: exact decimals, aware instants, ISO currencies; as text on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
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

    model_config = ConfigDict(extra="ignore", frozen=True)


def _exact_decimal(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = Decimal(value)
        except InvalidOperation:
            raise ValueError("must be a decimal number written as text") from None
    if not isinstance(value, Decimal):
        raise ValueError("must be text such as \"12.50\"; a JSON number may lose digits")
    if not value.is_finite():
        raise ValueError("must be finite")
    return value


DecimalText = Annotated[
    Decimal,
    BeforeValidator(_exact_decimal),
    PlainSerializer(decimal_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}),
]
"""A Decimal; a JSON string in plain notation. JSON numbers are refused."""


def _no_number(value: Any) -> Any:
    if isinstance(value, int | float):
        raise ValueError("must be RFC 3339 text with an offset; numbers are ambiguous")
    return value


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_no_number),
    AfterValidator(lambda value: value.astimezone(UTC)),
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


CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), AfterValidator(_iso_currency)]
"""An ISO 4217 alphabetic code that has minor units."""

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=255)]
"""An id of an outside system or of ours; opaque text."""

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
    "Payload",
    "SourceName",
    "datetime",
]
