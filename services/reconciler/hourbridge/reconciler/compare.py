"""Comparison rules between a document of ours and the ledger's: pure, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from hourbridge.common.money import decimal_text
from hourbridge.reconciler.causes import Cause


@dataclass(frozen=True)
class ExpectedLine:
    """A line as we posted it. ``item_id`` is None while the ledger's id of the item is unknown."""

    position: int
    item_id: str | None
    quantity: Decimal | None
    unit_price: Decimal | None
    amount: Decimal
    tax_code: str | None = None
    base_amount: Decimal | None = None


@dataclass(frozen=True)
class FoundLine:
    """A line as the ledger holds it."""

    position: int
    item_id: str | None
    quantity: Decimal | None
    unit_price: Decimal | None
    amount: Decimal
    base_amount: Decimal | None = None


@dataclass(frozen=True)
class ExpectedTax:
    """Tax of one code on a document of ours."""

    code: str
    percent: Decimal
    amount: Decimal
    method: str
    mode: str | None = None


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
    taxes: tuple[ExpectedTax, ...] = ()
    base_currency: str | None = None
    """Of documents in another currency than the book's."""
    base_total: Decimal | None = None
    rate: Decimal | None = None
    """Units of the book's currency per unit of the document's."""
    is_ordered: bool = True
    """The ledger keeps the order of lines; entries and payments are sets of amounts."""
    is_computed: bool = True
    """Lines are quantities times prices, which a ledger may compute in its own way."""

    stated: Mapping[str, str] = field(default_factory=dict)
    """What the ledger should say beside that; empty while nobody touched the document."""

    @property
    def tax(self) -> Decimal:
        """Return the document's tax."""
        return sum((tax.amount for tax in self.taxes), Decimal(0))


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
    tax: Decimal | None = None
    rate: Decimal | None = None
    base_total: Decimal | None = None
    stated: Mapping[str, str] = field(default_factory=dict)


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
    is_in_base: bool = False
    """``amount`` is in the book's currency: the document's own amounts agree."""


def differing_fields(expected: ExpectedDocument, found: FoundDocument) -> list[FieldDifference]:
    """Return the fields in which two documents differ; texts are the ledger's own matter."""
    return list(_differing_fields(expected, found))


def _differing_fields(
    expected: ExpectedDocument, found: FoundDocument
) -> Iterator[FieldDifference]:
    yield from differ("number", expected.number, found.number)
    if expected.customer_id is not None:
        yield from differ("customer", expected.customer_id, found.customer_id)
    if found.currency is not None:
        yield from differ("currency", expected.currency, found.currency)
    yield from differ("date", str(expected.document_date), str(found.document_date))
    yield from differ("total", expected.total, found.total)
    if found.tax is not None:
        yield from differ("tax", expected.tax, found.tax)
    for name, value in sorted(expected.stated.items()):
        yield from differ(name, value, found.stated.get(name))
    yield from _differing_lines(expected, found)


def _differing_lines(expected: ExpectedDocument, found: FoundDocument) -> Iterator[FieldDifference]:
    if len(expected.lines) != len(found.lines):
        yield from differ("lines", str(len(expected.lines)), str(len(found.lines)))
        return
    ours: Sequence[ExpectedLine] = expected.lines
    theirs: Sequence[FoundLine] = found.lines
    if not expected.is_ordered:
        ours = sorted(ours, key=lambda line: line.amount)
        theirs = sorted(theirs, key=lambda line: line.amount)
    for one, other in zip(ours, theirs, strict=True):
        yield from _differing_line_fields(one, other)


def _differing_line_fields(ours: ExpectedLine, theirs: FoundLine) -> Iterator[FieldDifference]:
    name = f"lines.{ours.position}"
    if ours.item_id is not None and theirs.item_id is not None:
        yield from differ(f"{name}.item", ours.item_id, theirs.item_id)
    if ours.quantity is not None and not _is_one_unit(ours, theirs):
        if theirs.quantity is not None:
            yield from differ(f"{name}.quantity", ours.quantity, theirs.quantity)
        if theirs.unit_price is not None:
            yield from differ(f"{name}.unit_price", ours.unit_price, theirs.unit_price)
    yield from differ(f"{name}.amount", ours.amount, theirs.amount)


def _is_one_unit(ours: ExpectedLine, theirs: FoundLine) -> bool:
    """Return whether the ledger, which can't state our product, sells one unit at our amount."""
    return theirs.quantity == 1 and theirs.unit_price in (ours.amount, theirs.amount)


def differ(
    name: str, expected: str | Decimal | None, found: str | Decimal | None
) -> Iterator[FieldDifference]:
    """Yield the difference of one field, if there is one."""
    if expected != found:
        yield FieldDifference(name, _text(expected), _text(found))


def _text(value: str | Decimal | None) -> str | None:
    return decimal_text(value) if isinstance(value, Decimal) else value
