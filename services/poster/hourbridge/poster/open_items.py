"""Open items: what of posted documents is still to be paid, in both currencies.

Whoever settles a document (a payment, a retainer) locks it first, then asks here. Everything that
stands counts, also what is still on its way to the ledger: an item is never settled twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection, TextClause

from hourbridge.billing.retainers.lots import share_of
from hourbridge.common.messages.events import Document, DocumentStatus
from hourbridge.common.store.rows import statement

_NOTHING = Decimal(0)
_LOCK = statement(
    """
    SELECT payload FROM document WHERE document_id = ANY(CAST(:ids AS text[]))
    ORDER BY document_id FOR UPDATE
    """
)
_READ = statement("SELECT payload FROM document WHERE document_id = ANY(CAST(:ids AS text[]))")
_REDUCTIONS = statement(
    """
    SELECT i.id AS item_id, d.document_id, d.status, d.payload ->> 'engagement' AS engagement,
        false AS is_credit, CAST(s.item ->> 'amount' AS numeric) AS amount, NULL AS base_amount,
        d.payload ->> 'reverses_document_id' AS reverses,
        CAST(d.payload ->> 'document_date' AS date) AS day, d.created_at, d.number
    FROM unnest(CAST(:ids AS text[])) AS i(id)
    JOIN document d ON d.payload -> 'settles' <> '[]' AND d.status <> 'withdrawn'
        AND d.payload -> 'settles' @> jsonb_build_array(jsonb_build_object('document_id', i.id))
    CROSS JOIN LATERAL jsonb_array_elements(d.payload -> 'settles') AS s(item)
    WHERE s.item ->> 'document_id' = i.id
    UNION ALL
    SELECT d.payload ->> 'credits_document_id', d.document_id, d.status, NULL, true,
        CAST(d.payload ->> 'total' AS numeric), CAST(d.payload ->> 'base_total' AS numeric),
        NULL, CAST(d.payload ->> 'document_date' AS date), d.created_at, d.number
    FROM document d
    WHERE d.payload ? 'credits_document_id' AND d.status <> 'withdrawn'
        AND d.payload ->> 'credits_document_id' = ANY(CAST(:ids AS text[]))
    ORDER BY created_at, number
    """
)


@dataclass(frozen=True)
class Reduction:
    """A credit, or a settlement, of an item; negative where one was taken back."""

    document_id: str
    amount: Decimal
    base_amount: Decimal | None
    """Of credits in another currency: what they are carried at themselves."""
    is_credit: bool
    is_posted: bool
    engagement: str | None
    """The retainer that settled it."""
    day: date
    reverses: str | None = None
    """The settlement that this one takes back, in whole or in part."""


@dataclass(frozen=True)
class OpenItem:
    """A document with everything that reduces it, in the order in which it happened."""

    document: Document
    reductions: tuple[Reduction, ...]

    @property
    def credited(self) -> Decimal:
        """Return what credit memos take back."""
        return sum((r.amount for r in self.reductions if r.is_credit), _NOTHING)

    @property
    def credited_for_good(self) -> Decimal:
        """Return what posted credit memos took back."""
        posted = [r.amount for r in self.reductions if r.is_credit and r.is_posted]
        return sum(posted, _NOTHING)

    @property
    def settled(self) -> Decimal:
        """Return what was paid, by whomever."""
        return sum((r.amount for r in self.reductions if not r.is_credit), _NOTHING)

    def settled_from(self, engagement: str) -> Decimal:
        """Return what a retainer paid."""
        own = [r.amount for r in self.reductions if r.engagement == engagement]
        return sum(own, _NOTHING)

    @property
    def open_amount(self) -> Decimal:
        """Return what is still to be paid; negative where too much was."""
        return self.document.total - self.credited - self.settled

    def open_base(self, base_currency: str) -> Decimal:
        """Return what the open amount is carried at in the book's currency.

        Each settlement took its share of what was carried then; the last one takes the residue.
        """
        taken = (base for _, base in self.taken_bases(base_currency))
        return self.base_total - sum(taken, _NOTHING)

    @property
    def base_total(self) -> Decimal:
        """Return what the whole document was carried at when it was posted."""
        document = self.document
        return document.total if document.base_total is None else document.base_total

    def taken_bases(self, base_currency: str) -> list[tuple[Reduction, Decimal]]:
        """Return every reduction with what it took of what the item was carried at.

        What takes a settlement back gives back what that had taken, whatever is open meanwhile.
        """
        amount, base = self.document.total, self.base_total
        taken: dict[str, tuple[Decimal, Decimal]] = {}
        found = []
        for reduction in self.reductions:
            reversed_one = taken.get(reduction.reverses or "")
            if reduction.base_amount is not None:
                part = reduction.base_amount
            elif reversed_one is not None:
                part = -share_of(reversed_one[0], -reduction.amount, reversed_one[1], base_currency)
            else:
                part = share_of(amount, reduction.amount, base, base_currency) if amount else base
            taken[reduction.document_id] = (reduction.amount, part)
            found.append((reduction, part))
            amount, base = amount - reduction.amount, base - part
        return found

    def open_on(self, day: date, base_currency: str) -> tuple[Decimal, Decimal]:
        """Return what was open at the end of a day, and what that was carried at."""
        amount, base = self.document.total, self.base_total
        for reduction, part in self.taken_bases(base_currency):
            if reduction.day <= day:
                amount, base = amount - reduction.amount, base - part
        return amount, base

    def share_of_open(self, amount: Decimal, base_currency: str) -> Decimal:
        """Return what ``amount`` of the open amount is carried at."""
        return share_of(self.open_amount, amount, self.open_base(base_currency), base_currency)


def lock_items(connection: Connection, document_ids: Iterable[str]) -> dict[str, OpenItem]:
    """Lock and return documents with what reduces them, by id."""
    return _items(connection, sorted(set(document_ids)), _LOCK)


def read_items(connection: Connection, document_ids: Iterable[str]) -> dict[str, OpenItem]:
    """Return documents with what reduces them, by id."""
    return _items(connection, sorted(set(document_ids)), _READ)


def is_open(document: Document) -> bool:
    """Return whether a document can be settled at all: the ledger has it."""
    return document.status is DocumentStatus.POSTED


def _items(connection: Connection, ids: Sequence[str], sql: TextClause) -> dict[str, OpenItem]:
    if not ids:
        return {}
    rows = connection.execute(sql, {"ids": list(ids)}).scalars()
    documents = [Document.model_validate(row) for row in rows]
    reductions: dict[str, list[Reduction]] = {}
    for row in connection.execute(_REDUCTIONS, {"ids": list(ids)}):
        reduction = Reduction(
            document_id=row.document_id,
            amount=row.amount,
            base_amount=row.base_amount,
            is_credit=row.is_credit,
            is_posted=row.status == DocumentStatus.POSTED,
            engagement=row.engagement,
            day=row.day,
            reverses=row.reverses,
        )
        reductions.setdefault(row.item_id, []).append(reduction)
    return {
        document.document_id: OpenItem(document, tuple(reductions.get(document.document_id, ())))
        for document in documents
    }
