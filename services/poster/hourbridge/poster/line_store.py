"""Posted lines and the charges on them: what stands, what changed, what leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.billing.basis import LineBasis
from hourbridge.billing.corrections import PostedLine, Sum
from hourbridge.common.messages.events import Charge
from hourbridge.common.store.rows import bulk, statement
from hourbridge.poster.document_store import HeldDocument

_LINES = statement(
    """
    SELECT l.line_id, l.basis,
        l.amount + coalesce(sum(a.amount), 0) AS amount,
        l.billed_seconds + coalesce(sum(a.billed_seconds), 0) AS seconds,
        count(a.line_id) AS adjustments
    FROM document_line l
    LEFT JOIN document_line a
        ON a.is_live AND (a.credits_line_id = l.line_id OR a.supplements_line_id = l.line_id)
    WHERE l.document_id = :document_id AND l.is_live AND l.basis IS NOT NULL
    GROUP BY l.line_id ORDER BY l.position
    """
)
# Two statements in one round trip: what was billed is read after the lock was taken, for a charge
# that changes gives its line a copy of what it was.
_CHARGES = statement(
    """
    SELECT FROM line_charge b
    JOIN document_line l ON l.line_id = b.line_id
    JOIN charge c ON c.charge_id = b.charge_id
    WHERE l.document_id = :document_id AND b.is_live
    ORDER BY b.charge_id FOR UPDATE OF c;
    SELECT b.line_id, b.charge_id, coalesce(b.billed, c.payload) AS billed, c.state, c.payload,
        c.record_revision
    FROM line_charge b
    JOIN document_line l ON l.line_id = b.line_id
    JOIN charge c ON c.charge_id = b.charge_id
    WHERE l.document_id = :document_id AND b.is_live
    ORDER BY b.charge_id
    """
)
_TAKE_OFF = statement(
    """
    UPDATE line_charge b SET is_live = false, billed = coalesce(b.billed, c.payload)
    FROM charge c WHERE c.charge_id = b.charge_id AND b.charge_id = ANY(:charges) AND b.is_live
    """
)
_FREE = statement(
    "UPDATE charge SET state = 'unbilled', changed_at = :now "
    "WHERE charge_id = ANY(:charges) AND state = 'billed'"
)
_FORGET = statement("DELETE FROM charge WHERE charge_id = ANY(:charges) AND state = 'withdrawn'")
_REFLECT = statement(
    """
    UPDATE line_charge b SET billed = r.payload, record_revision = r.record_revision
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        charge_id text, record_revision bigint, payload text)
    WHERE b.charge_id = r.charge_id AND b.is_live
    """
)
_END_LINES = statement("UPDATE document_line SET is_live = false WHERE document_id = :document_id")
_DOCUMENT_CHARGES = statement(
    """
    SELECT b.charge_id FROM line_charge b JOIN document_line l ON l.line_id = b.line_id
    WHERE l.document_id = :document_id AND b.is_live ORDER BY b.charge_id
    """
)
# One statement for all that is freed and all that is assembled again: locks are taken in order.
_LOCK_CHARGES = statement(
    """
    SELECT charge_id FROM charge
    WHERE charge_id = ANY(:charges) OR (book = :book AND engagement_key = :engagement_key
        AND group_key = :group_key AND state = 'unbilled')
    ORDER BY charge_id FOR UPDATE
    """
)
_ADJUSTED = statement(
    """
    SELECT DISTINCT o.document_id FROM document_line l
    JOIN document_line o ON o.line_id IN (l.credits_line_id, l.supplements_line_id)
    WHERE l.document_id = :document_id
    """
)
_DROP_SUPPLEMENTS = statement(
    "DELETE FROM supplement s USING document_line l "
    "WHERE l.line_id = s.line_id AND l.document_id = :document_id"
)
_INSERT_SUPPLEMENTS = statement(
    """
    INSERT INTO supplement (line_id, book, engagement_key, group_key, grouping, automatic,
        work_date, changed_at, payload)
    SELECT line_id, book, engagement_key, group_key, grouping, automatic, work_date, :now, payload
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        line_id text, book text, engagement_key text, group_key text, grouping text,
        automatic boolean, work_date date, payload jsonb)
    """
)


@dataclass(frozen=True)
class BilledCharge:
    """A charge on a line: as it was billed, and as it is now."""

    line_id: str
    charge_id: str
    billed: Charge
    now: Charge
    is_withdrawn: bool
    record_revision: int

    def to_json(self) -> dict[str, Any]:
        """Return what the line is to reflect from now on."""
        return {
            "charge_id": self.charge_id,
            "record_revision": self.record_revision,
            "payload": self.now.model_dump(mode="json", exclude_none=True),
        }


@dataclass(frozen=True)
class StandingLine:
    """A line as it stands, and whether credits or supplements refer to it."""

    posted: PostedLine
    is_adjusted: bool


def standing_lines(connection: Connection, document_id: str) -> list[StandingLine]:
    """Return the priced lines of a document, less credits, plus supplements."""
    rows = connection.execute(_LINES, {"document_id": document_id}).mappings()
    return [
        StandingLine(
            PostedLine(
                row["line_id"],
                LineBasis.model_validate(row["basis"]),
                Sum(row["amount"], int(row["seconds"])),
            ),
            row["adjustments"] > 0,
        )
        for row in rows
    ]


def lock_charges(connection: Connection, document_id: str) -> dict[str, list[BilledCharge]]:
    """Lock and return the charges on a document's lines, by line."""
    by_line: dict[str, list[BilledCharge]] = {}
    for row in connection.execute(_CHARGES, {"document_id": document_id}).mappings():
        charge = BilledCharge(
            row["line_id"],
            row["charge_id"],
            Charge.model_validate_json(row["billed"]),
            Charge.model_validate_json(row["payload"]),
            row["state"] == "withdrawn",
            row["record_revision"],
        )
        by_line.setdefault(charge.line_id, []).append(charge)
    return by_line


def take_off(connection: Connection, charges: Iterable[str], now: datetime) -> None:
    """Take charges off their lines; those that still exist are unbilled again."""
    ids = sorted(charges)
    if ids:
        connection.execute(_TAKE_OFF, {"charges": ids})
        connection.execute(_FREE, {"charges": ids, "now": now})
        connection.execute(_FORGET, {"charges": ids})


def reflect(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Record that lines now reflect these states of their charges."""
    if rows:
        bulk(connection, _REFLECT, rows)


def end_document(connection: Connection, held: HeldDocument, now: datetime) -> list[str]:
    """End all lines of a document that was never posted; return the documents it adjusted."""
    document_id = held.document.document_id
    charges = list(connection.execute(_DOCUMENT_CHARGES, {"document_id": document_id}).scalars())
    group = {
        "book": held.book,
        "engagement_key": held.engagement_key,
        "group_key": held.group_key,
    }
    connection.execute(_LOCK_CHARGES, {"charges": charges, **group}).all()
    take_off(connection, charges, now)
    adjusted = connection.execute(_ADJUSTED, {"document_id": document_id}).scalars()
    connection.execute(_END_LINES, {"document_id": document_id})
    return sorted(adjusted)


def replace_supplements(
    connection: Connection, document_id: str, rows: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    """Let ``rows`` be what the lines of a document still lack."""
    connection.execute(_DROP_SUPPLEMENTS, {"document_id": document_id})
    if rows:
        bulk(connection, _INSERT_SUPPLEMENTS, rows, now=now)
