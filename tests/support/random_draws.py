"""What random books draw: the same seed draws the same."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from hourbridge.common.book import DiscountPolicy
from hourbridge.common.messages.events import ExchangeRateUsed
from hourbridge.common.money import minor_unit_digits

FIRST_DAY, DAYS = date(2026, 1, 1), 180
BASES = ("USD", "USD", "EUR", "GBP", "JPY", "KWD")
CURRENCIES = ("USD", "EUR", "GBP", "JPY", "KWD", "CHF", "CLF")
CLIENTS = ("Acme", 'Müller; "Söhne"', "Tab\there", "a:b, c [2026-01-01]", "(Birch) | Co", "東京")


class Draws:
    """Chance, for one book."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.base = self.chance.choice(BASES)

    def discount(self, currency: str) -> DiscountPolicy | None:
        """Return a discount or none."""
        if self.chance.random() < 0.7:
            return None
        percent = DiscountPolicy(kind="percent", value=Decimal("7.5"))
        amount = DiscountPolicy(kind="amount", value=self.amount(currency, 9))
        return self.chance.choice((percent, amount))

    def rate(self, currency: str, day: date) -> ExchangeRateUsed | None:
        """Return the rate of a day, the same whenever it is asked for."""
        if currency == self.base:
            return None
        drawn = random.Random(f"{self.seed} {currency} {self.base} {day}")
        value = Decimal(drawn.randint(1, 10**7)).scaleb(-drawn.randint(2, 6))
        return ExchangeRateUsed(
            rate_id=f"{currency}-{day}",
            source="random",
            base_currency=self.base,
            value=value,
            wanted_date=day,
            rate_date=day,
        )

    def amount(self, currency: str, highest: int) -> Decimal:
        """Return an amount at the currency's minor unit, more than nothing."""
        digits = minor_unit_digits(currency)
        return Decimal(self.chance.randint(1, highest * 10**digits)).scaleb(-digits)

    def client(self) -> str:
        """Return a client, some of them with awkward names."""
        return self.chance.choice(CLIENTS)

    def currency(self) -> str:
        """Return the book's currency, or any."""
        return self.base if self.chance.random() < 0.4 else self.chance.choice(CURRENCIES)

    def day(self) -> date:
        """Return a day of the half-year."""
        return FIRST_DAY + timedelta(days=self.chance.randint(0, DAYS))
