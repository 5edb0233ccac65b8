"""Bodies of requests about currencies."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hourbridge.common.messages.fields import CurrencyCode, DecimalText
from hourbridge.common.money import round_money
from hourbridge.common.runtime.admin import RequestInvalid
from hourbridge.poster.currencies.opening_items import OpeningItem

_Amount = Annotated[DecimalText, Field(ge=0)]


class RevaluationBody(BaseModel):
    """Body of a request for a revaluation."""

    model_config = ConfigDict(extra="forbid")

    month: str


class OpenItemBody(BaseModel):
    """Body of a request to take an open item over from the books before."""

    model_config = ConfigDict(extra="forbid")

    reference: str = Field(min_length=1, max_length=100)
    side: Literal["receivable", "payable"] = "receivable"
    party: str = Field(min_length=1, max_length=400)
    currency: CurrencyCode
    amount: _Amount = Decimal(0)
    base_amount: _Amount = Decimal(0)
    day: date

    def item(self) -> OpeningItem:
        """Return the item; raises RequestInvalid for amounts finer than their currency."""
        if round_money(self.amount, self.currency) != self.amount:
            raise RequestInvalid(f"{self.amount} is finer than {self.currency} goes")
        return OpeningItem(
            reference=self.reference,
            side=self.side,
            party=self.party,
            currency=self.currency,
            amount=self.amount,
            base_amount=self.base_amount,
            day=self.day,
        )
