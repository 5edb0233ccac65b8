"""Priced lines before they have their place in a document, and work that came to nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from hourbridge.billing.basis import LineBasis
from hourbridge.billing.cutting import Rest, rest_of_line
from hourbridge.billing.discounts import Discounted
from hourbridge.billing.expenses import role_of
from hourbridge.billing.pricing import LinePrice
from hourbridge.common.book import LedgerReference
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import Charge, DocumentLine


@dataclass(frozen=True)
class PricedLine:
    """A line before it has its place in a document."""

    key: str
    basis: LineBasis
    charges: tuple[Charge, ...]
    price: LinePrice
    """Before the discount; where a cap cut the line, what it left room for."""
    description: str
    service_date: date
    item: LedgerReference | None
    fee_key: str | None = None
    discount: Discounted | None = None
    rest: Rest | None = None
    """What a cap held back of it, before the discount."""

    @property
    def amount(self) -> Decimal:
        """Return what the line bills, before tax."""
        return self.price.amount - (self.discount.discount if self.discount else 0)

    @property
    def held_back(self) -> Rest | None:
        """Return what waits until the cap leaves room, after the discount."""
        return None if self.rest is None else rest_of_line(self.basis, self.amount, self.rest)

    def less(self, discount: Discounted) -> PricedLine:
        """Return the line with its part of the document's discount."""
        if discount.discount == 0:
            return self
        amounts = {
            "list_amount": self.price.amount,
            "net_amount": self.price.amount - discount.discount,
        }
        return replace(self, discount=discount, basis=self.basis.model_copy(update=amounts))

    def to_document_line(self, document_id: str, position: int) -> DocumentLine:
        """Return the line as it stands on a document."""
        first, held_back = self.charges[0], self.held_back
        return DocumentLine(
            line_id=derive_id("line", document_id, self.key),
            position=position,
            description=self.description,
            item=self.item,
            account=first.account,
            class_ref=first.class_ref,
            tax_code=first.tax_code,
            service_date=self.service_date,
            quantity=self.price.quantity,
            unit_price=self.price.unit_price,
            amount=self.amount,
            billed_seconds=self.price.billed_seconds,
            worked_seconds=self.price.worked_seconds,
            client=first.client,
            project=None if self._spans_projects() else first.project,
            charge_ids=tuple(charge.charge_id for charge in self.charges),
            roundings=(*self.price.roundings, *(self.discount.steps if self.discount else ())),
            discount=self.discount.discount if self.discount else None,
            capped_seconds=held_back.seconds if held_back else 0,
            capped_amount=held_back.amount if held_back else None,
            role=role_of(first),
            cost=first.cost,
        )

    def _spans_projects(self) -> bool:
        return len({charge.project for charge in self.charges}) > 1


@dataclass(frozen=True)
class Leakage:
    """Work that came to nothing: on no line, listed instead of lost.

    Where no time was billable at all the cause is ``no_time`` and nothing is lost; ``capped`` work
    waits until its cap leaves room.
    """

    charge_ids: tuple[str, ...]
    """Empty for the rest of a line that a cap cut: its charges are on that line."""
    seconds: int
    amount: Decimal
    """What the exact time would have cost; of capped work, what it would be billed at."""
    currency: str
    cause: str
