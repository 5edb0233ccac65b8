"""Pricing a document: one pure function over the charges that it gathers.

In this order: charges are gathered to lines, each line is priced, caps cut what they leave no room
for, and the discount is shared over what is billed. Tax follows from the document's date.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from hourbridge.billing.amounts import time_amount
from hourbridge.billing.basis import LineBasis, carry_key, charge_kind
from hourbridge.billing.caps import Cap, Limits, Rooms
from hourbridge.billing.cutting import Fitted, Limit, fit
from hourbridge.billing.descriptions import describe
from hourbridge.billing.discounts import (
    amount_before_discount,
    is_discounted,
    net_exactly,
    share_discount,
)
from hourbridge.billing.grouping import fee_key, line_key
from hourbridge.billing.lines import Leakage, PricedLine
from hourbridge.billing.pricing import NOTHING, LinePrice, in_order, price_line
from hourbridge.common.book import DiscountPolicy, LedgerReference
from hourbridge.common.calendar import period_of
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import Charge

__all__ = ["Assembly", "Leakage", "PricedLine", "assemble"]


@dataclass(frozen=True)
class Assembly:
    """What the charges of a document come to."""

    lines: tuple[PricedLine, ...]
    leakage: tuple[Leakage, ...]
    covered: Mapping[str, tuple[Charge, ...]]
    """Charges that a fee billed earlier covers already, by fee key: no line, no money."""
    discount: DiscountPolicy | None = None
    rooms: Rooms | None = field(default=None, compare=False)
    """What the caps leave for what is billed next."""

    @property
    def total(self) -> Decimal:
        """Return the sum of the lines."""
        return sum((line.amount for line in self.lines), NOTHING)


def assemble(
    charges: Sequence[Charge],
    *,
    carries: Mapping[str, Decimal] | None = None,
    billed_fees: Collection[str] = (),
    versions: Mapping[str, int] | None = None,
    limits: Limits | None = None,
) -> Assembly:
    """Gather charges of one customer and currency to priced lines.

    The result depends on the charges alone, not on their order. ``carries`` holds the quantity
    residues (in seconds) that earlier documents left, by carry key; ``billed_fees`` the fees that
    are on a live document already; ``versions`` the configuration versions that charges were made
    with, by charge id; ``limits`` the caps and what they leave.
    """
    work = _Work(dict(carries or {}), versions or {}, limits, _discount(charges))
    gathered: dict[str, list[Charge]] = {}
    for charge in in_order(charges):
        gathered.setdefault(work.line_key(charge), []).append(charge)
    covered: dict[str, tuple[Charge, ...]] = {}
    for key, group in gathered.items():
        fee = fee_key(group[0])
        if fee is not None and fee in billed_fees:
            covered[fee] = tuple(group)
        else:
            work.price(key, group)
    lines = work.discounted()
    rooms = work.rooms_after(lines)
    return Assembly(lines, tuple(work.leakage), covered, work.discount, rooms)


class _Work:
    """One document on its way from charges to lines."""

    def __init__(
        self,
        residues: dict[str, Decimal],
        versions: Mapping[str, int],
        limits: Limits | None,
        discount: DiscountPolicy | None,
    ) -> None:
        self.discount = discount
        self.leakage: list[Leakage] = []
        self._residues = residues
        self._versions = versions
        self._limits = limits
        self._rooms = limits.rooms.copy() if limits else None
        self._lines: list[PricedLine] = []
        self._caps: dict[str, tuple[Cap, ...]] = {}

    def line_key(self, charge: Charge) -> str:
        """Return the key of a charge's line; a line never spans two terms of a cap."""
        key = line_key(charge)
        caps = self._limits.rules.caps_of(charge) if self._limits else ()
        if not caps:
            return key
        parts = [str(cap.key.period.first) if cap.key.period else "" for cap in caps]
        key = derive_key("capped", key, *parts, *(str(cap.policy.amount) for cap in caps))
        self._caps[key] = caps
        return key

    def price(self, key: str, group: list[Charge]) -> None:
        """Add the line of some charges, as far as there is room, and what it leaves out."""
        basis = self._basis(group[-1])
        fitted = fit(group, basis, self._limit(key, basis))
        self._leave(fitted, basis)
        left_out = {charge.charge_id for charge in fitted.price.unbilled}
        billed = tuple(charge for charge in fitted.charges if charge.charge_id not in left_out)
        if not billed:
            return
        if basis.carry_key:
            self._residues[basis.carry_key] = fitted.price.carry_out_seconds
        if self._rooms is not None and key in self._caps:
            taken = self._after_discount(basis, fitted.price.amount)
            self._rooms.take(self._caps[key], basis.kind, taken)
        self._lines.append(_line(key, basis, billed, fitted))

    def discounted(self) -> tuple[PricedLine, ...]:
        """Return the lines with their parts of the discount."""
        policy = self.discount
        at = [
            place
            for place, line in enumerate(self._lines)
            if policy is not None and is_discounted(policy, line.basis.kind)
        ]
        if policy is None or not at:
            return tuple(self._lines)
        lines = list(self._lines)
        newest = lines[at[-1]].charges[-1]
        shares = share_discount(
            policy,
            [lines[place].price.amount for place in at],
            newest.currency,
            named=self._named(newest, newest.invoicing_origin),
        )
        for place, part in zip(at, shares, strict=True):
            lines[place] = lines[place].less(part)
        return tuple(lines)

    def rooms_after(self, lines: Sequence[PricedLine]) -> Rooms | None:
        """Return what caps leave when these lines are billed, to the cent."""
        if self._limits is None:
            return None
        rooms = self._limits.rooms.copy()
        for line in lines:
            rooms.take(self._caps.get(line.key, ()), line.basis.kind, line.amount)
        return rooms

    def _limit(self, key: str, basis: LineBasis) -> Limit | None:
        """Return up to which price a line has room; a fixed fee counts, but is never cut."""
        if self._rooms is None or basis.kind == "flat_fee":
            return None
        tightest = self._rooms.tightest(self._caps.get(key, ()), basis.kind)
        if tightest is None:
            return None
        cap, room = tightest
        if self.discount is None or not is_discounted(self.discount, basis.kind):
            return Limit(cap, room)
        before = amount_before_discount(self.discount, room, basis.currency)
        return None if before is None else Limit(cap, before)

    def _after_discount(self, basis: LineBasis, amount: Decimal) -> Decimal:
        if self.discount is None or not is_discounted(self.discount, basis.kind):
            return amount
        return net_exactly(self.discount, amount)

    def _basis(self, charge: Charge) -> LineBasis:
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
            carry_in_seconds=self._residues.get(key, Decimal(0)),
            policy=self._named(charge, charge.rounding_origin),
        )

    def _named(self, charge: Charge, origin: str | None) -> str:
        """Return whose policy it is, at the configuration version that the charge knows."""
        version = self._versions.get(charge.charge_id)
        return (origin or "book") + ("" if version is None else f" v{version}")

    def _leave(self, fitted: Fitted, basis: LineBasis) -> None:
        """Note what is on no line, or not whole."""
        self.leakage += _below_step(fitted.price, basis)
        self.leakage += _over_cap(fitted, basis)


def _discount(charges: Sequence[Charge]) -> DiscountPolicy | None:
    """Return the discount of the document: that of its newest charge."""
    return in_order(charges)[-1].invoicing.discount if charges else None


def _line(key: str, basis: LineBasis, billed: tuple[Charge, ...], fitted: Fitted) -> PricedLine:
    capped = fitted.rest.seconds if fitted.rest else 0
    return PricedLine(
        key=key,
        basis=basis,
        charges=billed,
        price=fitted.price,
        description=describe(billed, fitted.price, basis, capped_seconds=capped),
        service_date=_service_date(billed),
        item=_item(billed[0]),
        fee_key=fee_key(billed[0]),
        rest=fitted.rest,
    )


def _below_step(price: LinePrice, basis: LineBasis) -> list[Leakage]:
    seconds = sum(charge.billable_seconds for charge in price.unbilled)
    if not price.unbilled or basis.rate is None:
        return []
    amount, _ = time_amount(Decimal(seconds), basis.rate, basis.currency, basis.rounding.money_mode)
    ids = tuple(charge.charge_id for charge in price.unbilled)
    cause = price.cause if seconds else "no_time"
    return [Leakage(ids, seconds, amount, basis.currency, cause)]


def _over_cap(fitted: Fitted, basis: LineBasis) -> list[Leakage]:
    found = []
    if fitted.rest:
        seconds, amount = fitted.rest.seconds, fitted.rest.amount
        found.append(Leakage((), seconds, amount, basis.currency, "capped"))
    if fitted.left:
        ids = tuple(charge.charge_id for charge in fitted.left)
        price = price_line(fitted.left, basis)
        found.append(Leakage(ids, price.billed_seconds, price.amount, basis.currency, "capped"))
    return found


def _service_date(charges: tuple[Charge, ...]) -> date:
    last = charges[-1]
    if charge_kind(last) == "flat_fee" and last.flat_fee is not None:
        return period_of(last.work_date, last.flat_fee.term).last
    return last.work_date


def _item(charge: Charge) -> LedgerReference | None:
    if charge_kind(charge) == "flat_fee" and charge.flat_fee and charge.flat_fee.item:
        return charge.flat_fee.item
    return charge.item
