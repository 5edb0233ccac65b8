"""Field types of messages: exact decimals, aware instants, ISO currencies; as text on the wire."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetPydanticSchema,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import core_schema

from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.money import decimal_text, minor_unit_digits


class Payload(BaseModel):
    """Base of every message model: immutable; readers ignore fields they do not know."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    @classmethod
    def of_valid(cls, **values: Any) -> Self:
        """Return a model of values that are valid already; all fields, in their order.

        Does what ``model_construct`` does but for aliases and defaults, at a fifth of its cost:
        every record needs several models.
        """
        if len(values) != len(cls.__pydantic_fields__):
            missing = cls.__pydantic_fields__.keys() ^ values.keys()
            raise TypeError(f"{cls.__name__}: all fields must be given, and no others: {missing}")
        model = cls.__new__(cls)
        object.__setattr__(model, "__dict__", values)
        object.__setattr__(model, "__pydantic_fields_set__", _all_fields(cls))
        object.__setattr__(model, "__pydantic_extra__", None)
        object.__setattr__(model, "__pydantic_private__", None)
        return model


@cache
def _all_fields(model: type[Payload]) -> set[str]:
    """Return the names of all fields; models are immutable, so they may share it."""
    return set(model.__pydantic_fields__)


_Written = Literal["str", "date", "datetime"]

_DECIMAL_PATTERN = r"^-?[0-9]{1,60}(\.[0-9]{1,60})?$"
"""Plain notation, and bounded: ``1E+999999`` would be a megabyte of zeros in our documents."""


def _finite(value: Decimal) -> Decimal:
    if not value.is_finite():
        raise ValueError("must be finite")
    return value


def _one_of(
    *choices: core_schema.CoreSchema, code: str, message: str, written_as: _Written
) -> core_schema.CoreSchema:
    """Accept what the first fitting choice makes of a value.

    The ways in which values usually come are checked by pydantic's core alone: calling Python for
    each field of each message would take a third of the time that decoding takes.
    """
    return core_schema.union_schema(
        list(choices),
        mode="left_to_right",
        custom_error_type=code,
        custom_error_message=message,
        serialization=core_schema.simple_ser_schema(written_as),
    )


def _instance(kind: type, then: Callable[[Any], Any]) -> core_schema.CoreSchema:
    """Accept Python's own objects, which JSON does not have."""
    return core_schema.no_info_after_validator_function(then, core_schema.is_instance_schema(kind))


def _text(pattern: str, then: core_schema.CoreSchema) -> core_schema.CoreSchema:
    return core_schema.chain_schema([core_schema.str_schema(strict=True, pattern=pattern), then])


def _decimal_schema(_source: Any, _handler: Any) -> core_schema.CoreSchema:
    return _one_of(
        _text(_DECIMAL_PATTERN, core_schema.decimal_schema()),
        _instance(Decimal, _finite),
        code="decimal_text_expected",
        message='must be text such as "12.50" in plain notation; a JSON number may lose digits',
        written_as="str",
    )


DecimalText = Annotated[
    Decimal,
    GetPydanticSchema(_decimal_schema),
    PlainSerializer(decimal_text, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": _DECIMAL_PATTERN}),
]
"""A Decimal; a JSON string in plain notation. JSON numbers are refused."""


_FULL_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}"


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("names no offset")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside the years 1 to 9999 in UTC") from None


def _instant_schema(_source: Any, _handler: Any) -> core_schema.CoreSchema:
    aware = core_schema.datetime_schema(tz_constraint="aware")
    return _one_of(
        _text(f"{_FULL_DATE}.*Z$", aware),
        _text(_FULL_DATE, core_schema.no_info_after_validator_function(_in_utc, aware)),
        _instance(datetime, _in_utc),
        code="instant_expected",
        message="must be RFC 3339 text with an offset, within the years 1 to 9999 in UTC; "
        "numbers are ambiguous",
        written_as="datetime",
    )


def _date_schema(_source: Any, _handler: Any) -> core_schema.CoreSchema:
    return _one_of(
        _text(f"{_FULL_DATE}$", core_schema.date_schema()),
        _instance(date, _date_alone),
        code="local_date_expected",
        message="must be a local date such as 2026-03-31, without a time",
        written_as="date",
    )


def _date_alone(value: date) -> date:
    if isinstance(value, datetime):
        raise ValueError("has a time")
    return value


LocalDate = Annotated[
    date, GetPydanticSchema(_date_schema), WithJsonSchema({"type": "string", "format": "date"})
]
"""A calendar date where the work was done; no time, no zone."""

Instant = Annotated[
    datetime,
    GetPydanticSchema(_instant_schema),
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


_SHORT_BYTES_MAX = 255
_UTF_8_BYTES_MAX = 4
"""Of one character."""


def _fits_short_string(value: str) -> str:
    if len(value.encode()) > _SHORT_BYTES_MAX:
        raise ValueError("must be at most 255 bytes in UTF-8; it travels as an AMQP property")
    return value


def _short_schema(_source: Any, _handler: Any) -> core_schema.CoreSchema:
    return _one_of(
        core_schema.str_schema(min_length=1, max_length=_SHORT_BYTES_MAX // _UTF_8_BYTES_MAX),
        core_schema.no_info_after_validator_function(
            _fits_short_string, core_schema.str_schema(min_length=1)
        ),
        code="short_text_expected",
        message="must be text of 1 to 255 bytes in UTF-8; it travels as an AMQP property",
        written_as="str",
    )


ShortText = Annotated[
    str,
    GetPydanticSchema(_short_schema),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": _SHORT_BYTES_MAX}),
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
