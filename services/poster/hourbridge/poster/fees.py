"""Work that a fixed fee billed earlier covers: attached to the fee's line, at no money."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from hourbridge.common.errors import ensure
from hourbridge.common.messages.events import Charge, DocumentLine
from hourbridge.poster import group_store
from hourbridge.poster.document_store import DocumentStore


def attach_covered(
    connection: Connection,
    documents: DocumentStore,
    book: str,
    covered: Mapping[str, tuple[Charge, ...]],
) -> None:
    """Put charges on the lines of the fees (by key) that cover them; documents cost the same."""
    standing = group_store.billed_fees(connection, book, covered.keys())
    for key in sorted(covered):
        ensure(key in standing, "a fee that covers work is on no line", fee=key)
        fee = standing[key]
        charges = covered[key]
        documents.bill_charges(connection, [(fee.line_id, c.charge_id) for c in charges])
        held = documents.lock(connection, fee.document_id)
        lines = tuple(
            _with_charges(line, charges) if line.line_id == fee.line_id else line
            for line in held.document.lines
        )
        documents.save(connection, held, proposed_date=held.proposed_date, lines=lines)


def _with_charges(line: DocumentLine, charges: tuple[Charge, ...]) -> DocumentLine:
    ids = tuple(sorted({*line.charge_ids, *(charge.charge_id for charge in charges)}))
    worked = line.worked_seconds + sum(charge.worked_seconds for charge in charges)
    return line.model_copy(update={"charge_ids": ids, "worked_seconds": worked})
