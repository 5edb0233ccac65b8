"""The life of a discrepancy: opened when found, seen again, resolved when gone, opened again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from hourbridge.common.ids import derive_key
from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store import audit
from hourbridge.common.store.rows import bulk, statement
from hourbridge.reconciler.causes import DOCUMENT_CAUSES, MEANINGS, Cause, Checked, Finding

ACTOR = "reconciler"
_OPEN = text(
    "SELECT id, cause, scope, subject FROM discrepancy WHERE book = :book AND resolved_at IS NULL"
)
_FINGERPRINTS = text(
    "SELECT id, accepted_as FROM discrepancy WHERE book = :book AND accepted_as IS NOT NULL"
)
_UPSERT = statement(
    """
    INSERT INTO discrepancy AS d
    SELECT id, book, cause, level, scope, subject, expected, found, difference_seconds,
           difference_amount, currency, client, project, period, detail, :now, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        id text, book text, cause text, level text, scope text, subject text, expected text,
        found text, difference_seconds bigint, difference_amount numeric, currency text,
        client text, project text, period text, detail jsonb)
    ON CONFLICT (id) DO UPDATE SET
        expected = excluded.expected, found = excluded.found,
        difference_seconds = excluded.difference_seconds,
        difference_amount = excluded.difference_amount, currency = excluded.currency,
        client = excluded.client, project = excluded.project, period = excluded.period,
        detail = excluded.detail, last_seen_at = excluded.last_seen_at, scope = excluded.scope,
        opened_at = CASE WHEN d.resolved_at IS NULL THEN d.opened_at ELSE excluded.opened_at END,
        times_opened = d.times_opened + CASE WHEN d.resolved_at IS NULL THEN 0 ELSE 1 END,
        resolved_at = NULL, resolution = NULL, accepted_as = NULL
    """
)
_RESOLVE = statement(
    """
    UPDATE discrepancy d SET resolved_at = :now, resolution = r.resolution
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id text, resolution text)
    WHERE d.id = r.id AND d.resolved_at IS NULL
    """
)
_COLUMNS = (
    "id, cause, level, subject, expected, found, difference_seconds, difference_amount, currency, "
    "client, project, period, detail, opened_at, last_seen_at, times_opened, resolved_at, "
    "resolution"
)
_LIST = text(
    f"SELECT {_COLUMNS} FROM discrepancy WHERE book = :book "
    "AND (:state = 'all' OR (resolved_at IS NULL) = (:state = 'open')) "
    "AND (CAST(:cause AS text) IS NULL OR cause = :cause) "
    "ORDER BY opened_at DESC, id LIMIT :limit"
)
_BY_CAUSE = text(
    "SELECT cause, count(*) AS open FROM discrepancy WHERE book = :book AND resolved_at IS NULL "
    "GROUP BY cause ORDER BY cause"
)
_ONE = text("SELECT * FROM discrepancy WHERE book = :book AND id = :id FOR UPDATE")
_ACCEPT = text(
    "UPDATE discrepancy SET resolved_at = :now, resolution = :resolution, "
    "accepted_as = :fingerprint WHERE id = :id"
)


@dataclass(frozen=True)
class Outcome:
    """What one run changed."""

    found: int
    opened: int
    resolved: int


def open_ids(connection: Connection, book: str) -> set[str]:
    """Return the ids of the book's open discrepancies."""
    return {row.id for row in connection.execute(_OPEN, {"book": book})}


def settle(connection: Connection, book: str, checks: Sequence[Checked], now: datetime) -> Outcome:
    """Open what was found, resolve what has gone; what no check could judge stays as it is."""
    held = connection.execute(_OPEN, {"book": book}).mappings().all()
    accepted = {
        row.id: row.accepted_as for row in connection.execute(_FINGERPRINTS, {"book": book})
    }
    found = {
        finding.discrepancy_id: (finding, check.scope)
        for check in checks
        for finding in check.findings
        if accepted.get(finding.discrepancy_id) != fingerprint(finding)
    }
    gone = [row for row in held if row["id"] not in found and _is_judged(row, checks)]
    opened = sorted(set(found) - {row["id"] for row in held})
    if found:
        bulk(connection, _UPSERT, [_row(*found[key]) for key in sorted(found)], now=now)
    if gone:
        bulk(connection, _RESOLVE, sorted(map(_resolved, gone), key=lambda r: r["id"]), now=now)
    _write_audit(connection, book, "discrepancy.opened", [found[key][0] for key in opened])
    for row in gone:
        audit.write(
            connection, actor=ACTOR, action="discrepancy.resolved", subject=row["id"], book=book
        )
    return Outcome(len(found), len(opened), len(gone))


def accept(
    connection: Connection, book: str, discrepancy_id: str, *, actor: str, note: str, now: datetime
) -> None:
    """Close a discrepancy as it stands by a person's decision; another difference reopens it."""
    row = connection.execute(_ONE, {"book": book, "id": discrepancy_id}).mappings().first()
    if row is None:
        raise NotFound("no such discrepancy", book=book, id=discrepancy_id)
    connection.execute(
        _ACCEPT,
        {
            "id": discrepancy_id,
            "now": now,
            "resolution": f"accepted by {actor}: {note}",
            "fingerprint": _fingerprint(row["expected"], row["found"]),
        },
    )
    audit.write(
        connection,
        actor=actor,
        action="discrepancy.accepted",
        subject=discrepancy_id,
        book=book,
        detail={"note": note, "cause": row["cause"], "subject": row["subject"]},
    )


def listed(
    connection: Connection, book: str, *, state: str, cause: str | None, limit: int
) -> list[dict[str, Any]]:
    """Return discrepancies, newest first; ``state`` is open, resolved or all."""
    parameters = {"book": book, "state": state, "cause": cause, "limit": limit}
    return [_listed(row) for row in connection.execute(_LIST, parameters).mappings()]


def open_by_cause(connection: Connection, book: str) -> dict[str, int]:
    """Return how many discrepancies of each cause are open."""
    return {row.cause: row.open for row in connection.execute(_BY_CAUSE, {"book": book})}


def fingerprint(finding: Finding) -> str:
    """Return a text that changes when what was expected or found changes."""
    return _fingerprint(finding.expected, finding.found)


def _fingerprint(expected: str | None, found: str | None) -> str:
    return derive_key(expected or "", found or "")


def _is_judged(row: RowMapping, checks: Iterable[Checked]) -> bool:
    return any(
        row["scope"] == check.scope
        and row["cause"] in check.causes
        and row["subject"] not in check.undecided
        for check in checks
    )


def _resolved(row: RowMapping) -> dict[str, str]:
    return {"id": row["id"], "resolution": MEANINGS[Cause(row["cause"])].resolution}


def _row(finding: Finding, scope: str) -> dict[str, Any]:
    return {
        "id": finding.discrepancy_id,
        "book": finding.book,
        "cause": finding.cause,
        "level": MEANINGS[finding.cause].level,
        "scope": scope,
        "subject": finding.subject,
        "expected": finding.expected,
        "found": finding.found,
        "difference_seconds": finding.difference_seconds,
        "difference_amount": finding.difference_amount,
        "currency": finding.currency,
        "client": finding.client,
        "project": finding.project,
        "period": finding.period,
        "detail": dict(finding.detail),
    }


def _listed(row: RowMapping) -> dict[str, Any]:
    """Return a row with the document that it is about, if any: what a repair works on."""
    is_about_document = Cause(row["cause"]) in DOCUMENT_CAUSES
    return {**row, "document_id": row["subject"] if is_about_document else None}


def _write_audit(
    connection: Connection, book: str, action: str, findings: Sequence[Finding]
) -> None:
    for finding in findings:
        audit.write(
            connection,
            actor=ACTOR,
            action=action,
            subject=finding.discrepancy_id,
            book=book,
            detail={
                "cause": finding.cause,
                "subject": finding.subject,
                "expected": finding.expected,
                "found": finding.found,
            },
        )
