"""The money of a retainer as lots: what was received when, at which rate, and what is left of it.

A balance is never stored: it is what its movements come to. Money leaves the oldest lot first, and
what leaves a lot takes its share of the lot's base amount; the last part takes the residue, so that
a retainer that is used up leaves nothing in either currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from hourbridge.common.messages.fields import DecimalText, Identifier, LocalDate, Payload
from hourbridge.common.money import EXACT, round_money

NOTHING = Decimal(0)


class MovementKind(StrEnum):
    """What moves a retainer's balance."""

    OPENING = "opening"
    RECEIPT = "receipt"
    APPLICATION = "application"
    REFUND = "refund"
    FORFEIT = "forfeit"


INWARD = frozenset({MovementKind.OPENING, MovementKind.RECEIPT})
"""Kinds that add to the balance; the others take from it. A reversal does the opposite."""


class LotPart(Payload):
    """Money of one lot that a movement put in or took out; both amounts positive."""

    lot_id: Identifier
    received_on: LocalDate
    """When the client paid it: decides the rate at which it is earned (IFRIC 22)."""
    amount: DecimalText
    base_amount: DecimalText
    returned_from: Identifier | None = None
    """Reversals: the lot from which the reversed movement had taken it."""


@dataclass(frozen=True)
class Movement:
    """One line of the sub-ledger. Amounts are positive; the kind says in which direction."""

    movement_id: str
    kind: MovementKind
    day: date
    parts: tuple[LotPart, ...]
    counter_base: Decimal
    """The base amount on the other side: the receivable's, the bank's."""
    reverses: str | None = None
    """The movement that this one takes back, in whole or in part."""
    is_posted: bool = True
    """The ledger has it; money that is only announced pays for nothing."""

    @property
    def amount(self) -> Decimal:
        """Return how much moved."""
        return sum((part.amount for part in self.parts), NOTHING)

    @property
    def base_amount(self) -> Decimal:
        """Return how much moved on the deposits account, in the book's currency."""
        return sum((part.base_amount for part in self.parts), NOTHING)

    @property
    def is_inward(self) -> bool:
        """Return whether the balance grows by it."""
        return (self.kind in INWARD) is (self.reverses is None)

    @property
    def effect(self) -> Decimal:
        """Return what it does to the balance."""
        return self.amount if self.is_inward else -self.amount


@dataclass(frozen=True)
class Lot:
    """What is left of money that came in at one time."""

    lot_id: str
    received_on: date
    available_from: date
    """Later than it was received where it was used and given back in between."""
    amount: Decimal
    base_amount: Decimal


def lots_of(movements: Iterable[Movement], *, announced: bool = False) -> tuple[Lot, ...]:
    """Return what is left, the oldest money first.

    What is not posted yet counts where it takes money away and not where it brings some: a lot
    is only there once the ledger has it, unless ``announced`` ones are asked for too. Raises
    ValueError when more was taken than was there.
    """
    lots: dict[str, Lot] = {}
    known = sorted(movements, key=lambda movement: not movement.is_inward)
    for movement in known:
        for part in movement.parts:
            if not movement.is_inward:
                _take_out(lots, part)
            elif movement.is_posted or announced:
                lots[part.lot_id] = Lot(
                    part.lot_id, part.received_on, movement.day, part.amount, part.base_amount
                )
    left = [lot for lot in lots.values() if lot.amount or lot.base_amount]
    return tuple(sorted(left, key=lambda lot: (lot.received_on, lot.available_from, lot.lot_id)))


def _take_out(lots: dict[str, Lot], part: LotPart) -> None:
    lot = lots.get(part.lot_id)
    if lot is None or lot.amount < part.amount:
        raise ValueError(f"lot {part.lot_id} does not hold {part.amount}")
    lots[part.lot_id] = replace(
        lot, amount=lot.amount - part.amount, base_amount=lot.base_amount - part.base_amount
    )


def balance(lots: Iterable[Lot]) -> Decimal:
    """Return how much money the lots hold."""
    return sum((lot.amount for lot in lots), NOTHING)


def base_balance(lots: Iterable[Lot]) -> Decimal:
    """Return what the lots are carried at in the book's currency."""
    return sum((lot.base_amount for lot in lots), NOTHING)


def share_of(whole: Decimal, part: Decimal, base: Decimal, base_currency: str) -> Decimal:
    """Return the base amount of ``part`` of ``whole``, which is carried at ``base``.

    The whole takes all of the base amount: what earlier parts were rounded by comes back.
    """
    if part == whole:
        return base
    return round_money(EXACT.divide(EXACT.multiply(base, part), whole), base_currency)


def take(lots: Sequence[Lot], amount: Decimal, base_currency: str) -> tuple[LotPart, ...]:
    """Return the parts that make up ``amount``, from the first lot on.

    Raises ValueError for an amount that is not positive or more than the lots hold.
    """
    if not NOTHING < amount <= balance(lots):
        raise ValueError(f"{amount} can't be taken from {balance(lots)}")
    parts, missing = [], amount
    for lot in lots:
        used = min(lot.amount, missing)
        if used <= 0:
            continue
        base = share_of(lot.amount, used, lot.base_amount, base_currency)
        parts.append(
            LotPart(lot_id=lot.lot_id, received_on=lot.received_on, amount=used, base_amount=base)
        )
        missing -= used
    return tuple(parts)


def what_stands(movement: Movement, reversals: Iterable[Movement]) -> tuple[LotPart, ...]:
    """Return the parts of a movement that took money out and that nothing has brought back."""
    returned: dict[str, list[LotPart]] = {}
    for reversal in reversals:
        if reversal.reverses == movement.movement_id:
            for part in reversal.parts:
                returned.setdefault(part.returned_from or part.lot_id, []).append(part)
    standing = []
    for part in movement.parts:
        back = returned.get(part.lot_id, [])
        amount = part.amount - sum((p.amount for p in back), NOTHING)
        base = part.base_amount - sum((p.base_amount for p in back), NOTHING)
        if amount:
            standing.append(part.model_copy(update={"amount": amount, "base_amount": base}))
    return tuple(standing)


def give_back(
    standing: Sequence[LotPart], amount: Decimal, reversal_id: str, base_currency: str
) -> tuple[LotPart, ...]:
    """Return the lots that come back when ``amount`` of a movement is reversed, last used first.

    They keep the day on which the client paid and the base amount at which they left. Raises
    ValueError for more than stands.
    """
    parts: list[LotPart] = []
    missing = amount
    for part in reversed(standing):
        used = min(part.amount, missing)
        if used <= 0:
            break
        parts.append(
            LotPart(
                lot_id=f"{root_of(part.lot_id)}{_AGAIN}{reversal_id}/{len(parts) + 1}",
                received_on=part.received_on,
                amount=used,
                base_amount=share_of(part.amount, used, part.base_amount, base_currency),
                returned_from=part.lot_id,
            )
        )
        missing -= used
    if missing or not parts:
        raise ValueError(f"{amount} is more than stands of the movement, or nothing")
    return tuple(parts)


_AGAIN = "@"


def root_of(lot_id: str) -> str:
    """Return the movement that first brought in the money of a lot."""
    return lot_id.partition(_AGAIN)[0]


def is_money(amount: Decimal, currency: str) -> bool:
    """Return whether an amount is positive and no finer than its currency."""
    return amount > 0 and amount == round_money(amount, currency)
