"""Caps in a billing run: what was billed under them, and what supplements they leave room for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import Connection

from hourbridge.billing.assembly import Leakage
from hourbridge.billing.basis import charge_kind
from hourbridge.billing.caps import CapRules, Limits, RoomKey, Rooms
from hourbridge.billing.increments import exact_hours
from hourbridge.common.messages.events import Charge, DocumentLine
from hourbridge.common.money import EXACT, RoundingMode, round_digits, round_money
from hourbridge.common.store.rows import statement
from hourbridge.poster.configurations import Configured
from hourbridge.poster.documents import HeldSupplement

_NOTHING = Decimal(0)
# Credits are negative, supplements positive, each with the project and day of the line they
# belong to: the sum is what stands.
_BILLED = statement(
    """
    SELECT coalesce(sum(l.amount), 0) FROM document_line l
    JOIN document d ON d.document_id = l.document_id
    WHERE d.book = :book AND d.engagement_key = :engagement_key AND l.is_live
        AND d.payload ->> 'currency' = :currency
        AND l.charge_kind IS NOT NULL AND (:expenses OR l.charge_kind <> 'expense')
        AND (CAST(:project AS text) IS NULL OR l.project = :project)
        AND (CAST(:first AS date) IS NULL OR l.service_date BETWEEN :first AND :last)
    """
)


def limits_of(
    connection: Connection,
    book: str,
    engagement_key: str,
    configured: Configured,
    charges: Iterable[Charge],
) -> Limits | None:
    """Return the caps that some charges of an engagement are under, None where there is none.

    The caller holds the engagement's lock, so nobody else fills the room meanwhile.
    """
    rules = CapRules(configured.configuration, configured.version)
    wanted: dict[RoomKey, str] = {}
    for charge in charges:
        wanted |= {cap.key: charge.currency for cap in rules.caps_of(charge)}
    if not wanted:
        return None
    billed = {
        key: _billed(connection, book, engagement_key, key, currency)
        for key, currency in wanted.items()
    }
    return Limits(rules, Rooms(billed))


def _billed(
    connection: Connection, book: str, engagement_key: str, key: RoomKey, currency: str
) -> Decimal:
    parameters = {
        "book": book,
        "engagement_key": engagement_key,
        "currency": currency,
        "expenses": key.expenses,
        "project": key.project,
        "first": key.period.first if key.period else None,
        "last": key.period.last if key.period else None,
    }
    return Decimal(connection.execute(_BILLED, parameters).scalar_one())


@dataclass(frozen=True)
class FittedSupplements:
    """Supplements as far as there is room for them."""

    billed: tuple[HeldSupplement, ...]
    held: tuple[HeldSupplement, ...]
    limits: Limits | None

    @property
    def cut(self) -> list[HeldSupplement]:
        """Return what is held of supplements that are billed in part."""
        now = {supplement.line_id for supplement in self.billed}
        return [supplement for supplement in self.held if supplement.line_id in now]

    @property
    def whole(self) -> list[HeldSupplement]:
        """Return the supplements of which nothing is billed."""
        now = {supplement.line_id for supplement in self.billed}
        return [supplement for supplement in self.held if supplement.line_id not in now]

    @property
    def leakage(self) -> list[Leakage]:
        """Return what is still held, as work that was not billed."""
        return [
            Leakage((), s.line.billed_seconds, s.line.amount, s.charge.currency, "capped")
            for s in self.held
        ]


def fit_supplements(
    supplements: tuple[HeldSupplement, ...], limits: Limits | None
) -> FittedSupplements:
    """Return which supplements there is room for; they are older work, so they come first."""
    if limits is None:
        return FittedSupplements(supplements, (), limits)
    rooms = limits.rooms.copy()
    billed: list[HeldSupplement] = []
    held: list[HeldSupplement] = []
    for supplement in sorted(supplements, key=lambda s: (s.work_date, s.line_id)):
        caps, kind = limits.rules.caps_of(supplement.charge), charge_kind(supplement.charge)
        tightest = None if kind == "flat_fee" else rooms.tightest(caps, kind)
        now = supplement.line.amount if tightest is None else tightest[1]
        now = min(now, supplement.line.amount)
        rooms.take(caps, kind, now)
        billed += [_part(supplement, now, from_start=True)] if now > 0 else []
        rest = supplement.line.amount - now
        held += [_part(supplement, rest, from_start=False)] if rest > 0 else []
    return FittedSupplements(tuple(billed), tuple(held), replace(limits, rooms=rooms))


def _part(supplement: HeldSupplement, amount: Decimal, *, from_start: bool) -> HeldSupplement:
    line = supplement.line
    if amount == line.amount:
        return supplement
    other = line.amount - amount
    first = _seconds_of(line, amount if from_start else other)
    seconds = first if from_start else line.billed_seconds - first
    quantity, unit_price = _as_product(supplement.charge, amount, seconds)
    changes = {
        "amount": amount,
        "billed_seconds": seconds,
        "quantity": quantity,
        "unit_price": unit_price,
    }
    return replace(supplement, line=line.model_copy(update=changes))


def _seconds_of(line: DocumentLine, amount: Decimal) -> int:
    """Return the whole seconds that a part of a line stands for."""
    exact = EXACT.divide(EXACT.multiply(Decimal(line.billed_seconds), amount), line.amount)
    return int(round_digits(exact, 0, RoundingMode.DOWN))


def _as_product(charge: Charge, amount: Decimal, seconds: int) -> tuple[Decimal, Decimal]:
    """Return hours at the charge's rate where they give the amount, else one at the amount."""
    if charge.rate is not None and charge_kind(charge) == "time" and seconds > 0:
        hours, rate = exact_hours(seconds), charge.rate.amount
        mode = RoundingMode(charge.rounding.money_mode)
        if round_money(EXACT.multiply(hours, rate), charge.currency, mode) == amount:
            return hours, rate
    return Decimal(1), amount
