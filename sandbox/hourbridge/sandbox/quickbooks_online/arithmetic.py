"""How a company's books reckon. By default like the service itself; switches imitate others.

Other accounting systems round half to even, know other decimals of a currency, round tax per line,
keep exchange rates as a rounded inverse, or compute amounts themselves. A company with such
switches stands for one of them, behind the same interface.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from typing import Any, Literal

from hourbridge.common.money import EXACT, RoundingMode, round_digits

_DIGITS = 2
_INVERSE_SHOWN_DIGITS = 12


@dataclass(frozen=True)
class Arithmetic:
    """The switches; the defaults are those of the service."""

    money_mode: Literal["half_up", "half_even"] = "half_up"
    computes_amounts: bool = False
    """A line's amount is the rounded product, whatever amount was sent."""
    currency_digits: Mapping[str, int] = field(default_factory=dict)
    """Decimals kept of a currency. Finer amounts in one that is named here are rounded; in all
    others they are refused beyond two decimals."""
    tax_scope: Literal["document", "line"] = "document"
    keeps_given_tax: bool = True
    """A tax total that the caller states is kept instead of computed anew."""
    rate_inverse_decimals: int | None = None
    """Exchange rates are kept as the inverse, with so many decimals."""
    line_base_amounts: bool = False
    """Each line is converted by itself; what is left of the document goes to the account for
    exchange differences, without which nothing foreign is posted."""
    unit_price_decimals_max: int = 7
    quantity_decimals_max: int = 5
    warns_of_similar: bool = False
    """Documents like one that is there are refused with a warning until it is acknowledged."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Arithmetic:
        """Return switches; raises ValueError for unknown names."""
        known = {each.name for each in fields(cls)}
        unknown = set(values) - known
        if unknown:
            raise ValueError(f"unknown switches {sorted(unknown)}; known: {sorted(known)}")
        return cls(**values)

    def as_json(self) -> dict[str, Any]:
        """Return the switches as they travel."""
        return asdict(self)

    @property
    def mode(self) -> RoundingMode:
        """How money is rounded."""
        return RoundingMode(self.money_mode)

    def digits(self, currency: str) -> int:
        """Return how many decimals are kept of a currency."""
        return self.currency_digits.get(currency, _DIGITS)

    def decimals_max(self, currency: str) -> int:
        """Return how many decimals an amount may be sent with."""
        return 10 if currency in self.currency_digits else _DIGITS

    def money(self, amount: Decimal, currency: str) -> Decimal:
        """Return the amount as the books keep it."""
        return round_digits(amount, self.digits(currency), self.mode)

    def product(self, quantity: Decimal, price: Decimal, currency: str) -> Decimal:
        """Return what the books take for quantity times price."""
        return self.money(EXACT.multiply(quantity, price), currency)

    def kept_rate(self, rate: Decimal) -> Decimal:
        """Return the rate that the books will show for one that was given."""
        if self.rate_inverse_decimals is None or rate == 1:
            return rate
        inverse = self._inverse(rate, self.rate_inverse_decimals)
        return round_digits(
            EXACT.divide(Decimal(1), inverse), _INVERSE_SHOWN_DIGITS, RoundingMode.HALF_UP
        )

    def home(self, amount: Decimal, rate: Decimal, home_currency: str) -> Decimal:
        """Return an amount in home currency; ``rate`` is home units per foreign unit, as given."""
        if self.rate_inverse_decimals is None or rate == 1:
            return self.money(EXACT.multiply(amount, rate), home_currency)
        inverse = self._inverse(rate, self.rate_inverse_decimals)
        return self.money(EXACT.divide(amount, inverse), home_currency)

    def _inverse(self, rate: Decimal, decimals: int) -> Decimal:
        return round_digits(EXACT.divide(Decimal(1), rate), decimals, self.mode)
