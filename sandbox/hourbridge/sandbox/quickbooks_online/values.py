"""Reading properties of a request body: the checks that every entity shares."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from hourbridge.common.money import EXACT, RoundingMode, round_digits
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    invalid_property,
    missing_parameter,
    wrong_length,
)

Entity = dict[str, Any]
"""A stored object or a request body, in the service's own property names."""

CENT_DIGITS = 2


def text_of(body: Mapping[str, Any], name: str, limit: int) -> str | None:
    """Return a trimmed text, None when absent or empty; 2050 when longer than ``limit``."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise invalid_property(name)
    value = value.strip()
    if len(value) > limit:
        raise wrong_length(name, limit, len(value))
    return value or None


def date_of(body: Mapping[str, Any], name: str) -> date | None:
    """Return a date; like the service, anything after the tenth character is ignored."""
    value = body.get(name)
    if value is None or value == "":
        return None
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise invalid_property(
            name, f"Can not instantiate value of type date from {value}"
        ) from None


def number_of(body: Mapping[str, Any], name: str, *, decimals_max: int) -> Decimal | None:
    """Return an exact number; numbers written as text are accepted, as the service does."""
    value = body.get(name)
    if value is None or value == "":
        return None
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        raise Refusal("2080", "Illegal number format", f"{name}: {value}", element=name) from None
    if isinstance(value, bool) or not number.is_finite():
        raise Refusal("2080", "Illegal number format", f"{name}: {value}", element=name)
    if round_digits(number, decimals_max, RoundingMode.DOWN) != number:
        raise invalid_property(name, f"has more than {decimals_max} decimals: {value}")
    return number


def reference_of(body: Mapping[str, Any], name: str) -> str | None:
    """Return the id that a reference points at; the name beside it is ignored."""
    value = body.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, Mapping) or not isinstance(value.get("value"), str | int):
        raise invalid_property(name, "Can not instantiate value of type ReferenceType")
    return str(value["value"])


def required_reference(body: Mapping[str, Any], name: str) -> str:
    """Return the id that a mandatory reference points at."""
    value = reference_of(body, name)
    if value is None:
        raise missing_parameter(name)
    return value


def rounded_product(quantity: Decimal, unit_price: Decimal) -> Decimal:
    """Return what the service takes for quantity times price: half up, to the cent."""
    return round_digits(EXACT.multiply(quantity, unit_price), CENT_DIGITS, RoundingMode.HALF_UP)


def without_empty(entity: Mapping[str, Any]) -> Entity:
    """Return the entity without unset properties; the service never answers with nulls."""
    return {name: value for name, value in entity.items() if value is not None}
