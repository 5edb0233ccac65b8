"""What decides the price of a line besides its charges: kept with the line, never recomputed."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from hourbridge.common.book import RoundingPolicy
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import Charge
from hourbridge.common.messages.fields import CurrencyCode, DecimalText, Payload
from hourbridge.common.money import EXACT, RoundingMode, round_money


class LineBasis(Payload):
    """The policy snapshot under which a line was priced; repricing uses the same one."""

    kind: Literal["time", "expense", "flat_fee"]
    currency: CurrencyCode
    rounding: RoundingPolicy
    rate: DecimalText | None = None
    """Price of an hour; time only."""
    fee: DecimalText | None = None
    """Price of the term; flat fees only."""
    carry_key: str = ""
    """Lines with the same key pass their quantity residues on to each other."""
    carry_in_seconds: DecimalText = Decimal(0)
    """Residue that earlier lines left when their quantity was cut to few decimals."""
    policy: str | None = None
    """Whose policy it is, at which configuration version: ``client:Acme v3``."""
    list_amount: DecimalText | None = None
    """What the line came to before discount and adjustment, where there is one."""
    net_amount: DecimalText | None = None
    """What was billed of ``list_amount``."""

    def billed_of(self, list_amount: Decimal) -> Decimal:
        """Return what is billed of a line that comes to ``list_amount`` now.

        A corrected line keeps the share of its price that it was billed at: discounts and
        adjustments follow it. In full it is exactly what was billed, and nothing of nothing.
        """
        if self.list_amount is None or self.net_amount is None or list_amount == 0:
            return list_amount
        if self.list_amount == 0:
            return self.net_amount
        share = EXACT.divide(EXACT.multiply(list_amount, self.net_amount), self.list_amount)
        return round_money(share, self.currency, RoundingMode(self.rounding.money_mode))


def charge_kind(charge: Charge) -> Literal["time", "expense", "flat_fee"]:
    """Return how a charge is priced."""
    if charge.kind == "expense":
        return "expense"
    return "flat_fee" if charge.flat_fee is not None else "time"


def price_identity(charge: Charge) -> tuple[str, ...]:
    """Return what a charge must keep in order to stay on its posted line.

    Another customer, job, item, account, rate or currency means another line. Names in the
    source, dates and the rounding policy do not.
    """
    kind = charge_kind(charge)
    rate = f"{charge.rate.amount.normalize():f}" if charge.rate and kind == "time" else ""
    return (
        kind,
        charge.customer.key,
        charge.job.key if charge.job else "",
        charge.item.key if charge.item else "",
        charge.account.key if charge.account else "",
        rate,
        charge.currency,
    )


def line_identity(charge: Charge) -> tuple[str, ...]:
    """Return what charges of one line have in common, whatever the line detail."""
    return (
        *price_identity(charge),
        charge.class_ref.key if charge.class_ref else "",
        charge.tax_code or "",
        charge.client,
        charge.project or "",
        charge.rounding.model_dump_json(),
    )


def carry_key(charge: Charge) -> str:
    """Return the key under which quantity residues are passed on: the engagement and the price."""
    return derive_key("carry", *line_identity(charge))
