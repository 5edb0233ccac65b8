"""Dates, times, numbers and money as people of a locale write them (CLDR). Only for reading.

CLDR knows languages; money's decimals come from ISO 4217 all the same, for CLDR counts a dozen
currencies otherwise. Nothing that is shown here is ever read back or computed with.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import cached_property

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import NumberPattern

from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.money import minor_unit_digits
from hourbridge.common.zones import zone_of


@dataclass(frozen=True)
class Display:
    """Writes values in a locale, and instants in a zone."""

    locale_name: str = "en_US"
    zone_name: str = "UTC"

    @cached_property
    def locale(self) -> Locale:
        """Return the locale, or raise ConfigurationInvalid if CLDR describes none such."""
        try:
            return Locale.parse(self.locale_name.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            raise ConfigurationInvalid(f"{self.locale_name!r} is not a locale") from None

    @cached_property
    def zone(self) -> tzinfo:
        """Return the zone, or raise ConfigurationInvalid if there is none such."""
        found = zone_of(self.zone_name)
        if found is None:
            raise ConfigurationInvalid(f"{self.zone_name!r} is not an IANA time zone")
        return found

    def day(self, day: date) -> str:
        """Return a local date."""
        return format_date(day, format="medium", locale=self.locale)

    def instant(self, at: datetime) -> str:
        """Return an instant as a clock in the zone shows it, with the zone's offset."""
        local = at.astimezone(self.zone)
        shown = format_datetime(local, format="medium", tzinfo=self.zone, locale=self.locale)
        return f"{shown} {format_datetime(local, 'xxx', tzinfo=self.zone, locale=self.locale)}"

    def number(self, value: Decimal) -> str:
        """Return a number with just the decimals that it has."""
        digits = max(-int(value.as_tuple().exponent), 0)
        return self._apply(self.locale.decimal_formats[None], value, digits, None)

    def money(self, amount: Decimal, currency: str) -> str:
        """Return an amount with its currency, never with fewer decimals than it has."""
        digits = max(-int(amount.as_tuple().exponent), minor_unit_digits(currency))
        return self._apply(self.locale.currency_formats["standard"], amount, digits, currency)

    def duration(self, seconds: int) -> str:
        """Return a duration as hours, minutes and, where there are any, seconds."""
        minutes, rest = divmod(abs(seconds), 60)
        text = f"{'-' if seconds < 0 else ''}{minutes // 60}:{minutes % 60:02}"
        return text + (f":{rest:02}" if rest else "")

    def _apply(
        self, pattern: NumberPattern, value: Decimal, digits: int, currency: str | None
    ) -> str:
        own = copy.copy(pattern)
        own.frac_prec = (digits, digits)
        shown: str = own.apply(
            value, self.locale, currency=currency, currency_digits=False,
            decimal_quantization=False,
        )  # fmt: skip
        return shown
