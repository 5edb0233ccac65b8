"""The rate between two currencies, as an amount took it."""

from __future__ import annotations

from hourbridge.common.messages.fields import (
    CurrencyCode,
    DecimalText,
    Identifier,
    LocalDate,
    Payload,
)


class RateLeg(Payload):
    """A published rate: units of a currency per unit of the pivot currency."""

    currency: CurrencyCode
    value: DecimalText


class ExchangeRateUsed(Payload):
    """The rate between a document's currency and the book's, as it was used."""

    rate_id: Identifier
    source: str
    base_currency: CurrencyCode
    value: DecimalText
    """Units of the book's currency per unit of the document's; exact or to 28 digits."""
    wanted_date: LocalDate
    rate_date: LocalDate
    """Earlier than wanted where no rate was published that day."""
    is_fallback: bool = False
    legs: tuple[RateLeg, ...] = ()
    """The published rates from which a cross rate was made."""
