"""Posted lines and the charges on them: what stands, what changed, what leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.billing.basis import LineBasis
from hourbridge.billing.corrections import PostedLine, Sum
from hourbridge.billing.tax_credits import StandingTax
from hourbridge.common.messages.events import Charge, Document, DocumentKind
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
    UPDATE line_charge b SET is_live = false, billed = coalesce(b.billed, c.payload),
        record_id = c.record_id
    FROM charge c WHERE c.charge_id = b.charge_id AND b.charge_id = ANY(:charges) AND b.is_live
    """
)
_FREE = statement(
    "UPDATE charge SET state = 'unbilled', changed_at = :now "
    "WHERE charge_id = ANY(:charges) AND state = 'billed'"
)
_FORGET = statement("DELETE FROM charge WHERE charge_id = ANY(:charges) AND state = 'withdrawn'")
_SUPPLEMENTS = statement(
    """
    SELECT l.line_id, l.amount, l.billed_seconds, o.line_id AS original, o.document_id, o.basis
    FROM document_line l JOIN document_line o ON o.line_id = l.supplements_line_id
    WHERE l.document_id = :document_id AND l.is_live ORDER BY l.position
    """
)
_TAXES = statement(
    """
    SELECT l.line_id, l.tax_code, l.amount + coalesce(sum(a.amount), 0) AS taxable,
        l.tax_amount + coalesce(sum(a.tax_amount), 0) AS tax
    FROM document_line l
    LEFT JOIN document_line a
        ON a.is_live AND (a.credits_line_id = l.line_id OR a.supplements_line_id = l.line_id)
    WHERE l.document_id = :document_id AND l.is_live AND l.tax_code IS NOT NULL
    GROUP BY l.line_id
    """
)
_BASES = statement(
    "SELECT line_id, basis FROM document_line "
    "WHERE document_id = :document_id AND is_live AND basis IS NOT NULL"
)
_REWRITE = statement(
    """
    UPDATE document_line l SET amount = r.amount, tax_amount = r.tax_amount,
        basis = coalesce(r.basis, l.basis)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        line_id text, amount numeric, tax_amount numeric, basis jsonb)
    WHERE l.line_id = r.line_id
    """
)
_FORGET_CARRIES = statement(
    "UPDATE document_line SET carried_seconds = 0 WHERE document_id = :document_id"
)
_REFLECT = statement(
    """
    UPDATE line_charge b SET billed = r.payload, record_revision = r.record_revision,
        first_billed =
            CASE WHEN :line_rewritten THEN NULL ELSE coalesce(b.first_billed, b.billed) END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        charge_id text, record_revision bigint, payload text)
    WHERE b.charge_id = r.charge_id AND b.is_live
    """
)
_DROP_SUPPLEMENTS = statement(
    "DELETE FROM supplement s USING document_line l "
    "WHERE l.line_id = s.line_id AND l.document_id = :document_id"
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


def bases_of(connection: Connection, document_id: str) -> dict[str, LineBasis]:
    """Return what the lines of a document are priced by."""
    rows = connection.execute(_BASES, {"document_id": document_id})
    return {row.line_id: LineBasis.model_validate(row.basis) for row in rows}


def rewrite(
    connection: Connection, document: Document, bases: Mapping[str, LineBasis] | None = None
) -> None:
    """Let the amounts of lines be those of a document that isn't posted yet."""
    sign = -1 if document.kind is DocumentKind.CREDIT_MEMO else 1
    rows = [
        {
            "line_id": line.line_id,
            "amount": str(sign * line.amount),
            "tax_amount": str(sign * (line.tax_amount or 0)),
            "basis": bases[line.line_id].model_dump(mode="json")
            if bases and line.line_id in bases
            else None,
        }
        for line in document.lines
    ]
    if rows:
        bulk(connection, _REWRITE, rows)


def standing_taxes(connection: Connection, document_id: str) -> dict[str, StandingTax]:
    """Return what stands of a document's taxed lines, by line."""
    rows = connection.execute(_TAXES, {"document_id": document_id})
    return {row.line_id: StandingTax(row.tax_code, row.taxable, row.tax) for row in rows}


@dataclass(frozen=True)
class SupplementLine:
    """A line that bills what an earlier line, of another document, lacked."""

    standing: StandingLine
    original_line_id: str
    original_document_id: str


def supplement_lines(connection: Connection, document_id: str) -> list[SupplementLine]:
    """Return the lines of a document that supplement earlier ones, as they were billed."""
    rows = connection.execute(_SUPPLEMENTS, {"document_id": document_id}).mappings()
    return [
        SupplementLine(
            StandingLine(
                PostedLine(
                    row["line_id"],
                    LineBasis.model_validate(row["basis"]),
                    Sum(row["amount"], row["billed_seconds"]),
                ),
                is_adjusted=False,
            ),
            row["original"],
            row["document_id"],
        )
        for row in rows
    ]


def forget_carries(connection: Connection, document_id: str) -> None:
    """Let a document that was taken back as a whole leave no quantity residues to later lines."""
    connection.execute(_FORGET_CARRIES, {"document_id": document_id})


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


def reflect(
    connection: Connection, rows: Sequence[Mapping[str, Any]], *, line_rewritten: bool = False
) -> None:
    """Record that lines, with their corrections, now reflect these states of their charges.

    What a line was posted for is kept, for who asks why it says what it says, unless the line
    itself was rewritten.
    """
    if rows:
        bulk(connection, _REFLECT, rows, line_rewritten=line_rewritten)


def end_document(connection: Connection, held: HeldDocument, now: datetime) -> list[str]:
    """End all lines of a document that was never posted; return the documents it adjusted."""
    document_id = held.document.document_id
    charges = list(connection.execute(_DOCUMENT_CHARGES, {"document_id": document_id}).scalars())
    connection.execute(_LOCK_CHARGES, {"charges": charges, **held.keys}).all()
    take_off(connection, charges, now)
    adjusted = connection.execute(_ADJUSTED, {"document_id": document_id}).scalars()
    connection.execute(_DROP_SUPPLEMENTS, {"document_id": document_id})
    connection.execute(_END_LINES, {"document_id": document_id})
    return sorted(adjusted)
