"""Money that posted lines still lack: held until a document of their group bills it.

Lines lack it because their work grew after posting, or because a cap cut them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.billing.assembly import Leakage
from hourbridge.billing.basis import LineBasis
from hourbridge.billing.corrections import LineDelta
from hourbridge.billing.cutting import Rest
from hourbridge.billing.pricing import as_product
from hourbridge.common.messages.events import Charge, Document, DocumentLine
from hourbridge.common.store.rows import bulk, statement
from hourbridge.poster.correction_plan import correction_line
from hourbridge.poster.documents import HeldSupplement, NewDocument
from hourbridge.poster.leakage import leakage_note

_INSERT = statement(
    """
    INSERT INTO supplement (line_id, book, engagement_key, group_key, grouping, automatic,
        work_date, changed_at, leakage, payload)
    SELECT line_id, book, engagement_key, group_key, grouping, automatic, work_date, :now,
        leakage, payload
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        line_id text, book text, engagement_key text, group_key text, grouping text,
        automatic boolean, work_date date, leakage jsonb, payload jsonb)
    """
)
_DROP_OF_DOCUMENT = statement(
    "DELETE FROM supplement s USING document_line l "
    "WHERE l.line_id = s.line_id AND l.document_id = :document_id"
)
_NOTE = statement(
    """
    UPDATE supplement s SET leakage = r.leakage
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(line_id text, leakage jsonb)
    WHERE s.line_id = r.line_id
    """
)
_DROP = statement("DELETE FROM supplement WHERE line_id = ANY(:lines)")


def insert(connection: Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Hold supplements, one at most for each line."""
    if rows:
        bulk(connection, _INSERT, rows, now=now)


def drop(connection: Connection, lines: Sequence[str]) -> None:
    """Forget supplements that became lines of a document."""
    if lines:
        connection.execute(_DROP, {"lines": list(lines)})


def note_held(connection: Connection, held: Sequence[HeldSupplement]) -> None:
    """Remember at supplements that their cap left no room."""
    rows = [
        {"line_id": each.line_id, "leakage": leakage_note(_capped_supplement(each))}
        for each in held
    ]
    if rows:
        bulk(connection, _NOTE, rows)


def replace_all(
    connection: Connection, document_id: str, rows: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    """Let ``rows`` be what the lines of a document still lack."""
    connection.execute(_DROP_OF_DOCUMENT, {"document_id": document_id})
    insert(connection, rows, now)


def supplement_row(
    keys: Mapping[str, Any],
    line: DocumentLine,
    charge: Charge,
    work_date: date,
    leakage: Leakage | None = None,
) -> dict[str, Any]:
    """Return a supplement as it is stored; ``keys`` are book, engagement and group."""
    return {
        **keys,
        "line_id": line.supplements_line_id,
        "grouping": charge.invoicing.grouping,
        "automatic": charge.invoicing.automatic,
        "work_date": work_date,
        "leakage": leakage_note(leakage) if leakage else None,
        "payload": {
            "line": line.model_dump(mode="json", exclude_none=True),
            "charge": charge.model_dump(mode="json", exclude_none=True),
        },
    }


def lacking(
    document: Document, delta: LineDelta, charge: Charge, keys: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the supplement of a line of ``document`` that lacks ``delta``."""
    (line,) = (line for line in document.lines if line.line_id == delta.line_id)
    shown = correction_line(line, delta, document, document.document_id, 1)
    return supplement_row(keys, shown, charge, charge.work_date)


def held_back(new: NewDocument, book: str) -> list[dict[str, Any]]:
    """Return the supplements of lines that a cap cut when the document was made."""
    keys = {"book": book, "engagement_key": new.engagement_key, "group_key": new.group_key}
    rows = []
    for line in new.lines:
        if line.held_back is None or line.basis is None or not line.charges:
            continue
        delta = _delta_of(line.line, line.basis, line.held_back)
        row = lacking(new.document, delta, line.charges[-1], keys)
        leaked = _capped(line.held_back, new.document.currency)
        rows.append({**row, "leakage": leakage_note(leaked)})
    return rows


def cut_row(keys: Mapping[str, Any], rest: HeldSupplement) -> dict[str, Any]:
    """Return what is still held of a supplement that a cap cut."""
    leaked = _capped_supplement(rest)
    return supplement_row(keys, rest.line, rest.charge, rest.work_date, leaked)


def _capped(rest: Rest, currency: str) -> Leakage:
    return Leakage((), rest.seconds, rest.amount, currency, "capped")


def _capped_supplement(held: HeldSupplement) -> Leakage:
    return _capped(Rest(held.line.amount, held.line.billed_seconds), held.charge.currency)


def _delta_of(line: DocumentLine, basis: LineBasis, rest: Rest) -> LineDelta:
    quantity, unit_price = as_product(basis, rest.amount, rest.seconds)
    return LineDelta(line.line_id, "supplement", quantity, unit_price, rest.amount, rest.seconds)
