"""Exchange rates: where they come from, which day's holds, and what happens without one."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from hourbridge.common.messages.fields import CurrencyCode, DecimalText, Identifier, Payload


class CurrencyPolicy(Payload):
    """How amounts in other currencies become amounts in the book's."""

    source: Identifier = "ecb"
    """The provider whose rates count."""
    pivot: CurrencyCode = "EUR"
    """Cross rates go through it, unrounded (Reg. (EC) 1103/97)."""
    lock: Literal["invoice_date", "transaction_date"] = "invoice_date"
    """Which day's rate a document's lines take."""
    days_back_max: int = Field(7, ge=0, le=31)
    """Without a rate of the day, the last one before it counts, if not older than this."""
    corrected_rates: Literal["first_published", "newest"] = "newest"
    """For new documents on a day whose rate was corrected. Posted ones keep theirs."""
    revaluation: Literal["reversing", "off"] = "off"
    """Month-end revaluation of open items with reversal on the next day (IAS 21.23, 21.28)."""
    residue_max: Annotated[DecimalText, Field(ge=0)] = Decimal("1.00")
    """Balances up to this, left in one currency alone after settlement, are cleared by an entry."""
