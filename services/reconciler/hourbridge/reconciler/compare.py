"""Comparison rules between a document of ours and the ledger's: pure, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hourbridge.common.money import decimal_text, minor_unit_digits
from hourbridge.reconciler.causes import Cause
from hourbridge.reconciler.rounding import PricedLine, explain_total


@dataclass(frozen=True)
class ExpectedLine:
    """A line as we posted it. ``item_id`` is None while the ledger's id of the item is unknown."""

    position: int
    item_id: str | None
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal


@dataclass(frozen=True)
class FoundLine:
    """A line as the ledger holds it."""

    position: int
    item_id: str | None
    quantity: Decimal | None
    unit_price: Decimal | None
    amount: Decimal


@dataclass(frozen=True)
class ExpectedDocument:
    """A posted document of ours; None for what can't be expected exactly."""

    number: str
    customer_id: str | None
    currency: str
    document_date: date
    total: Decimal
    posted_total: Decimal | None
    """The total with which the ledger answered when we posted."""
    lines: tuple[ExpectedLine, ...]


@dataclass(frozen=True)
class FoundDocument:
    """The ledger's document."""

    number: str | None
    customer_id: str | None
    currency: str | None
    document_date: date
    total: Decimal
    is_void: bool
    lines: tuple[FoundLine, ...]


@dataclass(frozen=True)
class FieldDifference:
    """One field in which the two differ."""

    field: str
    expected: str | None
    found: str | None


@dataclass(frozen=True)
class Difference:
    """Why the two documents do not agree."""

    cause: Cause
    amount: Decimal
    """Found minus expected."""
    fields: tuple[FieldDifference, ...] = ()
    explained_by: tuple[str, ...] = ()


def compare(expected: ExpectedDocument, found: FoundDocument | None) -> Difference | None:
    """Return the one difference between a posted document and the ledger's, None if they agree.

    A deleted or void document counts with its whole total. Texts are the ledger's own matter and
    are not compared.
    """
    if found is None:
        return Difference(Cause.LEDGER_DELETED, -expected.total)
    if found.is_void:
        return Difference(Cause.LEDGER_VOID, found.total - expected.total)
    computed_differently = found.total != expected.total and found.total == expected.posted_total
    fields = tuple(_differing_fields(expected, found))
    if not fields:
        return None
    difference = found.total - expected.total
    if computed_differently and _only_rounded_amounts(expected, found, fields):
        explanations = explain_total(
            [
                PricedLine(str(line.item_id), line.quantity, line.unit_price)
                for line in expected.lines
            ],
            found.total,
            expected.currency,
        )
        return Difference(Cause.LEDGER_TOTAL_ROUNDING, difference, fields, explanations)
    if computed_differently and {item.field for item in fields} == {"total"}:
        return Difference(Cause.LEDGER_TOTAL, difference, fields)
    return Difference(Cause.LEDGER_EDIT, difference, fields)


def _only_rounded_amounts(
    expected: ExpectedDocument, found: FoundDocument, fields: Sequence[FieldDifference]
) -> bool:
    """Return whether only amounts differ, each by no more than a line's rounding can."""
    names = {item.field.rpartition(".")[2] for item in fields}
    if not names <= {"total", "amount"}:
        return False
    unit = Decimal(1).scaleb(-minor_unit_digits(expected.currency))
    coarse = max(unit, Decimal("0.01"))  # some ledgers keep every currency at two decimals
    pairs = zip(expected.lines, found.lines, strict=True)
    each_small = all(abs(ours.amount - theirs.amount) <= coarse for ours, theirs in pairs)
    return each_small and abs(found.total - expected.total) <= coarse * len(expected.lines)


def _differing_fields(
    expected: ExpectedDocument, found: FoundDocument
) -> Iterator[FieldDifference]:
    yield from _differ("number", expected.number, found.number)
    if expected.customer_id is not None:
        yield from _differ("customer", expected.customer_id, found.customer_id)
    if found.currency is not None:
        yield from _differ("currency", expected.currency, found.currency)
    yield from _differ("date", str(expected.document_date), str(found.document_date))
    yield from _differ("total", expected.total, found.total)
    if len(expected.lines) != len(found.lines):
        yield from _differ("lines", str(len(expected.lines)), str(len(found.lines)))
        return
    for ours, theirs in zip(expected.lines, found.lines, strict=True):
        yield from _differing_line_fields(ours, theirs)


def _differing_line_fields(ours: ExpectedLine, theirs: FoundLine) -> Iterator[FieldDifference]:
    name = f"lines.{ours.position}"
    if ours.item_id is not None and theirs.item_id is not None:
        yield from _differ(f"{name}.item", ours.item_id, theirs.item_id)
    if not _is_one_unit(ours, theirs):
        if theirs.quantity is not None:
            yield from _differ(f"{name}.quantity", ours.quantity, theirs.quantity)
        if theirs.unit_price is not None:
            yield from _differ(f"{name}.unit_price", ours.unit_price, theirs.unit_price)
    yield from _differ(f"{name}.amount", ours.amount, theirs.amount)


def _is_one_unit(ours: ExpectedLine, theirs: FoundLine) -> bool:
    """Return whether the ledger, which can't state our product, sells one unit at our amount."""
    return theirs.quantity == 1 and theirs.unit_price == ours.amount


def _differ(
    name: str, expected: str | Decimal | None, found: str | Decimal | None
) -> Iterator[FieldDifference]:
    if expected != found:
        yield FieldDifference(name, _text(expected), _text(found))


def _text(value: str | Decimal | None) -> str | None:
    return decimal_text(value) if isinstance(value, Decimal) else value
