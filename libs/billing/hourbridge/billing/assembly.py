"""Pricing a document: one pure function over the charges that it gathers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hourbridge.billing.amounts import time_amount
from hourbridge.billing.basis import LineBasis, carry_key, charge_kind
from hourbridge.billing.descriptions import describe
from hourbridge.billing.grouping import fee_key, line_key
from hourbridge.billing.pricing import LinePrice, in_order, price_line
from hourbridge.common.book import LedgerReference
from hourbridge.common.calendar import period_of
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import Charge, DocumentLine


@dataclass(frozen=True)
class PricedLine:
    """A line before it has its place in a document."""

    key: str
    basis: LineBasis
    charges: tuple[Charge, ...]
    price: LinePrice
    description: str
    service_date: date
    item: LedgerReference | None
    fee_key: str | None = None

    def to_document_line(self, document_id: str, position: int) -> DocumentLine:
        """Return the line as it stands on a document."""
        first = self.charges[0]
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
            amount=self.price.amount,
            billed_seconds=self.price.billed_seconds,
            worked_seconds=self.price.worked_seconds,
            client=first.client,
            project=None if self._spans_projects() else first.project,
            charge_ids=tuple(charge.charge_id for charge in self.charges),
            roundings=self.price.roundings,
        )

    def _spans_projects(self) -> bool:
        return len({charge.project for charge in self.charges}) > 1


@dataclass(frozen=True)
class Leakage:
    """Work that came to nothing: on no line, listed instead of lost.

    Where no time was billable at all the cause is ``no_time`` and nothing is lost.
    """

    charge_ids: tuple[str, ...]
    seconds: int
    amount: Decimal
    """What the exact time would have cost."""
    currency: str
    cause: str


@dataclass(frozen=True)
class Assembly:
    """What the charges of a document come to."""

    lines: tuple[PricedLine, ...]
    leakage: tuple[Leakage, ...]
    covered: Mapping[str, tuple[Charge, ...]]
    """Charges that a fee billed earlier covers already, by fee key: no line, no money."""

    @property
    def total(self) -> Decimal:
        """Return the sum of the lines."""
        return sum((line.price.amount for line in self.lines), Decimal(0))


def assemble(
    charges: Sequence[Charge],
    *,
    carries: Mapping[str, Decimal] | None = None,
    billed_fees: Collection[str] = (),
) -> Assembly:
    """Gather charges of one customer and currency to priced lines.

    The result depends on the charges alone, not on their order. ``carries`` holds the quantity
    residues (in seconds) that earlier documents left, by carry key; ``billed_fees`` the fees that
    are on a live document already.
    """
    gathered: dict[str, list[Charge]] = {}
    for charge in in_order(charges):
        gathered.setdefault(line_key(charge), []).append(charge)
    residues = dict(carries or {})
    lines: list[PricedLine] = []
    leakage: list[Leakage] = []
    covered: dict[str, tuple[Charge, ...]] = {}
    for key, group in gathered.items():
        fee = fee_key(group[0])
        if fee is not None and fee in billed_fees:
            covered[fee] = tuple(group)
            continue
        line, leaked = _price(key, group, residues)
        lines += [line] if line else []
        leakage += [leaked] if leaked else []
    return Assembly(tuple(lines), tuple(leakage), covered)


def _price(
    key: str, group: list[Charge], residues: dict[str, Decimal]
) -> tuple[PricedLine | None, Leakage | None]:
    basis = _basis(group[-1], residues)
    price = price_line(group, basis)
    leaked = _leakage(price, basis)
    left_out = {charge.charge_id for charge in price.unbilled}
    billed = tuple(charge for charge in group if charge.charge_id not in left_out)
    if not billed:
        return None, leaked
    if basis.carry_key:
        residues[basis.carry_key] = price.carry_out_seconds
    fee = fee_key(billed[0])
    return (
        PricedLine(
            key=key,
            basis=basis,
            charges=billed,
            price=price,
            description=describe(billed, price, basis),
            service_date=_service_date(billed),
            item=_item(billed[0]),
            fee_key=fee,
        ),
        leaked,
    )


def _basis(charge: Charge, residues: Mapping[str, Decimal]) -> LineBasis:
    """Return the policy snapshot; the newest charge's where a fee changed within its term."""
    kind = charge_kind(charge)
    carries = kind == "time" and charge.rounding.quantity_decimals is not None
    key = carry_key(charge) if carries else ""
    return LineBasis(
        kind=kind,
        currency=charge.currency,
        rounding=charge.rounding,
        rate=charge.rate.amount if charge.rate and kind == "time" else None,
        fee=charge.flat_fee.amount if charge.flat_fee and kind == "flat_fee" else None,
        carry_key=key,
        carry_in_seconds=residues.get(key, Decimal(0)),
    )


def _leakage(price: LinePrice, basis: LineBasis) -> Leakage | None:
    seconds = sum(charge.billable_seconds for charge in price.unbilled)
    if not price.unbilled or basis.rate is None:
        return None
    amount, _ = time_amount(Decimal(seconds), basis.rate, basis.currency, basis.rounding.money_mode)
    ids = tuple(charge.charge_id for charge in price.unbilled)
    cause = price.cause if seconds else "no_time"
    return Leakage(ids, seconds, amount, basis.currency, cause)


def _service_date(charges: tuple[Charge, ...]) -> date:
    last = charges[-1]
    if charge_kind(last) == "flat_fee" and last.flat_fee is not None:
        return period_of(last.work_date, last.flat_fee.term).last
    return last.work_date


def _item(charge: Charge) -> LedgerReference | None:
    if charge_kind(charge) == "flat_fee" and charge.flat_fee and charge.flat_fee.item:
        return charge.flat_fee.item
    return charge.item
