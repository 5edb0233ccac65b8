"""Closing a month: its totals and their hash are stored, and what it was made under is named.

Work counts by its own day, documents by theirs. Later changes make the hash another one: they are
found by every reconciliation, and the month has to be reopened for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, text

from hourbridge.common.errors import HourbridgeError
from hourbridge.common.runtime.admin import NotFound, RequestInvalid
from hourbridge.common.store import audit
from hourbridge.reconciler.causes import MEANINGS, Cause
from hourbridge.reconciler.period_totals import frozen, period_totals
from hourbridge.reconciler.totals import totals_hash

_MONTH = re.compile(r"^\d{4}-(0[1-9]|1[0-2])$")
_OPEN_DISCREPANCIES = text(
    """
    SELECT id, cause, subject, difference_amount, difference_seconds, currency, client, period,
           resolved_at, detail ->> 'number' AS number
    FROM discrepancy
    WHERE book = :book AND (period = :period OR period IS NULL)
      AND (resolved_at IS NULL OR accepted_as IS NOT NULL)
    ORDER BY cause, subject
    """
)
_MOVING = text(
    """
    SELECT number, kind, status FROM seen_document
    WHERE book = :book AND status IN ('draft', 'posting', 'parked')
      AND to_char(document_date, 'YYYY-MM') = :period ORDER BY number
    """
)
_IN_FORCE = text(
    "SELECT * FROM period_close WHERE book = :book AND period = :period AND reopened_at IS NULL"
)
_INSERT = text(
    """
    INSERT INTO period_close
        (book, period, closed_at, closed_by, note, totals, totals_hash, frozen, explained)
    VALUES (:book, :period, :now, :actor, :note, CAST(:totals AS jsonb), :hash,
        CAST(:frozen AS jsonb), CAST(:explained AS jsonb))
    """
)
_REOPEN = text(
    """
    UPDATE period_close SET reopened_at = :now, reopened_by = :actor, reopened_note = :note
    WHERE book = :book AND period = :period AND reopened_at IS NULL RETURNING totals_hash
    """
)
_LIST = text(
    """
    SELECT period, closed_at, closed_by, note, totals_hash, reopened_at, reopened_by,
           reopened_note, frozen, explained
    FROM period_close WHERE book = :book ORDER BY period DESC, id DESC
    """
)


class CannotClose(HourbridgeError):
    """Something about the period is not settled yet."""

    code = "period_not_settled"
    advice = "Settle or accept what is named, reconcile, and close again."


def check_month(period: str) -> str:
    """Return a month like ``2026-03``, or raise RequestInvalid."""
    if not _MONTH.match(period):
        raise RequestInvalid("a month looks like 2026-03", period=period)
    return period


def close(
    connection: Connection, book: str, period: str, *, actor: str, note: str, now: datetime
) -> dict[str, Any]:
    """Close a month just reconciled; one that is closed already stays as it is.

    Raises CannotClose and names all that stands against it.
    """
    held = in_force(connection, book, period)
    if held is not None:
        return held
    against, explained = _open(connection, book, period)
    moving = connection.execute(_MOVING, {"book": book, "period": period}).mappings()
    against += [f"{row['kind']} {row['number']} is {row['status']}" for row in moving]
    if against:
        raise CannotClose("; ".join(against), book=book, period=period)
    totals = period_totals(connection, book, period)
    values = {
        "book": book,
        "period": period,
        "now": now,
        "actor": actor,
        "note": note,
        "totals": to_json(totals).decode(),
        "hash": totals_hash(totals),
        "frozen": to_json(frozen(connection, book, period)).decode(),
        "explained": to_json(explained).decode(),
    }
    connection.execute(_INSERT, values)
    _audit(connection, book, period, actor, "closed", {"note": note, "hash": values["hash"]})
    stored = in_force(connection, book, period)
    return stored or {}


def reopen(
    connection: Connection, book: str, period: str, *, actor: str, note: str, now: datetime
) -> None:
    """Open a closed month again; what it was closed with is kept."""
    parameters = {"book": book, "period": period, "now": now, "actor": actor, "note": note}
    row = connection.execute(_REOPEN, parameters).first()
    if row is None:
        raise NotFound("this month is not closed", book=book, period=period)
    _audit(connection, book, period, actor, "reopened", {"note": note, "hash": row.totals_hash})


def in_force(connection: Connection, book: str, period: str) -> dict[str, Any] | None:
    """Return the close of a month that holds now, with its totals."""
    row = connection.execute(_IN_FORCE, {"book": book, "period": period}).mappings().first()
    return None if row is None else dict(row)


def closes(connection: Connection, book: str) -> list[dict[str, Any]]:
    """Return all closes of a book, also those that were reopened, the newest month first."""
    return [dict(row) for row in connection.execute(_LIST, {"book": book}).mappings()]


def _open(
    connection: Connection, book: str, period: str
) -> tuple[list[str], list[Mapping[str, Any]]]:
    """Return what stands against closing, and the differences that are explained or accepted."""
    against: list[str] = []
    explained: list[Mapping[str, Any]] = []
    parameters = {"book": book, "period": period}
    for row in connection.execute(_OPEN_DISCREPANCIES, parameters).mappings():
        is_settled = row["resolved_at"] is not None or MEANINGS[Cause(row["cause"])].is_explained
        if is_settled:
            explained.append({name: row[name] for name in row if name != "resolved_at"})
        else:
            against.append(f"{row['cause']} {row['number'] or row['subject']}")
    return against, explained


def _audit(
    connection: Connection, book: str, period: str, actor: str, what: str, detail: dict[str, Any]
) -> None:
    audit.write(
        connection,
        actor=actor,
        action=f"period.{what}",
        subject=f"{book}/{period}",
        book=book,
        detail=detail,
    )
