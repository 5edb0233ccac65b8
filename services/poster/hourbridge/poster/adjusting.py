"""Write-ups and write-downs of drafts: a person decides what a document or a line comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from hourbridge.billing.adjustments import Adjusting, adjust_document, adjust_line, unadjusted
from hourbridge.billing.basis import LineBasis
from hourbridge.common.messages.events import Document, DocumentLine, DocumentStatus
from hourbridge.common.money import RoundingMode, round_digits
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.poster import group_store, line_store
from hourbridge.poster.currencies.stamping import rated
from hourbridge.poster.decisions import NotPossible
from hourbridge.poster.document_store import DocumentStore, HeldDocument
from hourbridge.poster.taxing import retaxed

_HUNDRED = Decimal(100)
_NOTHING = Decimal(0)


@dataclass(frozen=True)
class AdjustmentAsked:
    """What somebody wants a document, or one line of it, to come to before tax."""

    to: Decimal
    reason: str
    actor: str
    line: int | None = None
    """The line's position; None: the document, shared over its lines."""


class Adjustments:
    """Carries out adjustments; each is audited, and the same one twice changes nothing."""

    def __init__(
        self, store: Store, documents: DocumentStore, announced: Callable[[], None]
    ) -> None:
        self._store = store
        self._documents = documents
        self._announced = announced

    def adjust(self, document_id: str, asked: AdjustmentAsked) -> Document:
        """Let a draft come to the amount asked for and return it.

        Raises NotFound, NotPossible for what is no draft any more, and AdjustmentImpossible.
        """
        with self._store.transaction() as connection:
            held = self._lock(connection, document_id)
            if held.document.status is not DocumentStatus.DRAFT:
                what = f"a document that is {held.document.status} can't be adjusted"
                raise NotPossible(what, document=document_id)
            lines = _adjusted(held.document, asked)
            if lines == held.document.lines:
                return held.document
            document = self._save(connection, held, lines)
            _audit(connection, held, document, asked)
        self._announced()
        return document

    def _lock(self, connection: Connection, document_id: str) -> HeldDocument:
        seen = self._documents.read(connection, document_id)
        group_store.lock_engagement(connection, seen.book, seen.engagement_key)
        return self._documents.lock(connection, document_id)

    def _save(
        self, connection: Connection, held: HeldDocument, lines: Sequence[DocumentLine]
    ) -> Document:
        """Store adjusted lines with the tax and the base amounts that follow from them."""
        changed = held.document.model_copy(update=retaxed(held.document, lines))
        unrated = changed.model_copy(update={"exchange": None})
        fresh = changed.model_copy(update=rated(connection, held.book, unrated))
        bases = line_store.bases_of(connection, held.document.document_id)
        line_store.rewrite(connection, fresh, _with_amounts(bases, fresh.lines))
        names = ("lines", "taxes", "total", "exchange", "base_total")
        changes = {name: getattr(fresh, name) for name in names}
        return self._documents.save(connection, held, reason=held.document.reason, **changes)


def realisation_percent(document: Document) -> Decimal:
    """Return how much of its lines' price a document bills, in percent to a tenth."""
    price = sum((unadjusted(line) for line in document.lines), _NOTHING)
    billed = sum((line.amount for line in document.lines), _NOTHING)
    if price == 0:
        return _HUNDRED
    return round_digits(billed * _HUNDRED / price, 1, RoundingMode.HALF_UP)


def _adjusted(document: Document, asked: AdjustmentAsked) -> tuple[DocumentLine, ...]:
    wanted = Adjusting(asked.to, asked.reason, asked.actor)
    if asked.line is None:
        return adjust_document(document.lines, wanted, document.currency)
    return adjust_line(document.lines, asked.line, wanted, document.currency)


def _with_amounts(
    bases: Mapping[str, LineBasis], lines: Sequence[DocumentLine]
) -> dict[str, LineBasis]:
    """Return what lines are repriced by: they keep the share of their price that is billed now."""
    changed = {}
    for line in lines:
        basis = bases.get(line.line_id)
        if basis is None:
            continue
        listed = unadjusted(line) + (line.discount or _NOTHING)
        is_plain = line.amount == listed
        amounts: dict[str, Any] = {
            "list_amount": None if is_plain else listed,
            "net_amount": None if is_plain else line.amount,
        }
        changed[line.line_id] = basis.model_copy(update=amounts)
    return changed


def _audit(
    connection: Connection, held: HeldDocument, document: Document, asked: AdjustmentAsked
) -> None:
    audit.write(
        connection,
        actor=asked.actor,
        action="document.adjusted",
        subject=document.document_id,
        book=held.book,
        detail={
            "number": document.number,
            "line": asked.line,
            "before": str(held.document.total),
            "after": str(document.total),
            "note": asked.reason,
        },
    )
