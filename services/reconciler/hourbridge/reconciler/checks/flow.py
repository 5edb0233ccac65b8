"""Records against charges: nothing lost between the ingestor and the mapper, no second changed."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, text

from hourbridge.reconciler.causes import Cause, Checked, Finding
from hourbridge.reconciler.checks.scope import Scope
from hourbridge.reconciler.sequence import Gap, Stream, gaps, progress

_UNMAPPED = text(
    """
    SELECT r.record_id, r.record_type, r.source, r.revision, r.sequence, r.client, r.project,
           to_char(r.work_date, 'YYYY-MM') AS period, r.worked_seconds, r.amount, r.currency,
           r.accepted_at, s.revision AS mapped_revision
    FROM seen_record r LEFT JOIN seen_charge_set s USING (book, record_id)
    WHERE r.book = :book AND r.seen_at < :overdue
      AND (s.record_id IS NULL OR s.revision < r.revision)
    ORDER BY r.sequence LIMIT :findings_max
    """
)
# A subcontractor's record has charges of two kinds for the same work: what the vendor is owed,
# and what the client pays, if it does.
_INCONSISTENT = text(
    """
    WITH charge AS (
        SELECT *, bool_or(NOT is_payable) OVER (
            PARTITION BY record_id, revision, mapping_version) AS has_client_side
        FROM seen_charge WHERE book = :book
    )
    SELECT s.record_id, s.client, s.project, to_char(s.work_date, 'YYYY-MM') AS period, s.revision,
           s.mapping_version, s.worked_seconds, s.billable_seconds,
           r.worked_seconds AS record_worked_seconds, count(c.charge_id) AS charges,
           coalesce(sum(c.worked_seconds), 0) AS charged_worked_seconds,
           coalesce(sum(c.billable_seconds), 0) AS charged_billable_seconds
    FROM seen_charge_set s
    LEFT JOIN charge c ON (c.book, c.record_id, c.revision, c.mapping_version)
            = (s.book, s.record_id, s.revision, s.mapping_version)
         AND NOT (c.is_payable AND c.has_client_side)
    LEFT JOIN seen_record r ON r.book = s.book AND r.record_id = s.record_id
         AND r.revision = s.revision
    WHERE s.book = :book AND s.outcome = 'charged' AND NOT s.deleted
      AND s.record_type IN ('time_entry', 'expense')
    GROUP BY s.book, s.record_id, r.book, r.record_id
    HAVING count(c.charge_id) = 0 OR s.record_type = 'time_entry' AND (
           coalesce(sum(c.worked_seconds), 0) <> s.worked_seconds
        OR coalesce(sum(c.billable_seconds), 0) <> s.billable_seconds
        OR r.worked_seconds <> s.worked_seconds AND r.worked_seconds > 0
           AND NOT s.is_by_elapsed_time)
    ORDER BY s.record_id LIMIT :findings_max
    """
)
_CAUSES = frozenset({Cause.SEQUENCE_GAP, Cause.RECORD_NOT_MAPPED, Cause.CHARGE_NOT_CONSISTENT})


def check_flow(connection: Connection, scope: Scope) -> Checked:
    """Compare accepted records with charge sets, by sequence, by revision and by seconds."""
    known = progress(connection, scope.book)
    overdue = scope.overdue_before(known[Stream.COVERED].last_seen_at)
    parameters = {"book": scope.book, "findings_max": scope.settings.findings_max}
    unmapped = connection.execute(_UNMAPPED, {**parameters, "overdue": overdue}).mappings().all()
    findings = [_unmapped(scope.book, row) for row in unmapped]
    named = {int(row["sequence"]) for row in unmapped}
    for stream in Stream:
        late = scope.overdue_before(known[stream].last_seen_at)
        missing = [
            gap
            for gap in gaps(connection, scope.book, stream)
            if gap.overtaken_at is not None
            and gap.overtaken_at < late
            and not named.issuperset(range(gap.first, min(gap.last, gap.first + len(named)) + 1))
        ]
        if missing:
            findings.append(_gap(scope.book, stream, missing))
    inconsistent = connection.execute(_INCONSISTENT, parameters).mappings()
    findings += [_inconsistent(scope.book, row) for row in inconsistent]
    return scope.checked("flow", _CAUSES, findings)


def _unmapped(book: str, row: RowMapping) -> Finding:
    return Finding(
        book,
        Cause.RECORD_NOT_MAPPED,
        row["record_id"],
        expected=f"an outcome for revision {row['revision']}",
        found="none" if row["mapped_revision"] is None else f"revision {row['mapped_revision']}",
        difference_seconds=None if row["worked_seconds"] is None else -int(row["worked_seconds"]),
        difference_amount=None if row["amount"] is None else -row["amount"],
        currency=row["currency"],
        client=row["client"],
        project=row["project"],
        period=row["period"],
        detail={name: row[name] for name in ("record_type", "source", "sequence", "accepted_at")},
    )


def _gap(book: str, stream: Stream, missing: list[Gap]) -> Finding:
    count = sum(gap.last - gap.first + 1 for gap in missing)
    return Finding(
        book,
        Cause.SEQUENCE_GAP,
        stream,
        expected="every sequence number",
        found=f"{count} missing, first {missing[0].first}",
        detail={"missing": [[gap.first, gap.last] for gap in missing]},
    )


def _inconsistent(book: str, row: RowMapping) -> Finding:
    record = row["record_worked_seconds"]
    expected = row["worked_seconds"] if record is None else record
    return Finding(
        book,
        Cause.CHARGE_NOT_CONSISTENT,
        row["record_id"],
        expected=f"{expected} seconds worked, {row['billable_seconds']} billable",
        found=f"{row['charges']} charges with {row['charged_worked_seconds']} seconds worked, "
        f"{row['charged_billable_seconds']} billable",
        difference_seconds=int(row["charged_worked_seconds"]) - int(expected),
        client=row["client"],
        project=row["project"],
        period=row["period"],
        detail={name: row[name] for name in ("revision", "mapping_version")},
    )
