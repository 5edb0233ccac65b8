"""Source against records: the source's own control totals, counted before anything was parsed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, RowMapping, text

from hourbridge.reconciler.causes import Cause, Checked, Finding
from hourbridge.reconciler.checks.scope import Scope

_UNACCOUNTED = text(
    """
    SELECT reading_id, source, record_type, rows, totals, outcomes,
           (SELECT coalesce(sum(value::bigint), 0) FROM jsonb_each_text(outcomes)) AS with_outcome
    FROM source_reading
    WHERE book = :book
      AND rows <> (SELECT coalesce(sum(value::bigint), 0) FROM jsonb_each_text(outcomes))
    ORDER BY reading_id LIMIT :findings_max
    """
)
_SNAPSHOTS = text(
    # Only a full reading in which every row is a record, with nothing accepted since, can be
    # compared with what is held now.
    """
    WITH latest AS (
        SELECT DISTINCT ON (source, record_type) * FROM source_reading
        WHERE book = :book AND is_snapshot ORDER BY source, record_type, as_of DESC
    )
    SELECT l.reading_id, l.source, l.record_type, l.rows, l.seconds, l.window_first, l.window_last,
           count(r.record_id) AS records, coalesce(sum(r.worked_seconds), 0) AS record_seconds
    FROM latest l
    LEFT JOIN seen_record r ON r.book = l.book AND r.source = l.source
         AND r.record_type = l.record_type AND NOT r.deleted
         AND (l.window_first IS NULL OR r.work_date >= l.window_first)
         AND (l.window_last IS NULL OR r.work_date <= l.window_last)
    WHERE l.seen_at < :overdue
      AND NOT EXISTS (SELECT 1 FROM jsonb_each_text(l.outcomes)
                      WHERE key NOT IN ('accepted', 'unchanged') AND value::bigint > 0)
      AND NOT EXISTS (SELECT 1 FROM seen_record later WHERE later.book = l.book
                      AND later.source = l.source AND later.record_type = l.record_type
                      AND later.accepted_at > l.recorded_at)
    GROUP BY l.reading_id, l.source, l.record_type, l.rows, l.seconds, l.window_first, l.window_last
    HAVING count(r.record_id) <> l.rows
        OR (l.seconds IS NOT NULL AND coalesce(sum(r.worked_seconds), 0) <> l.seconds)
    ORDER BY l.reading_id LIMIT :findings_max
    """
)


def check_sources(connection: Connection, scope: Scope) -> Checked:
    """Compare each reading's rows with their outcomes, and full readings with what is held."""
    limit = {"findings_max": scope.settings.findings_max}
    unaccounted = connection.execute(_UNACCOUNTED, {"book": scope.book, **limit}).mappings()
    findings = [_unaccounted(scope.book, row) for row in unaccounted]
    overdue = scope.now - scope.settings.grace
    parameters = {"book": scope.book, "overdue": overdue, **limit}
    snapshots = connection.execute(_SNAPSHOTS, parameters).mappings()
    findings += [_differing(scope.book, row) for row in snapshots]
    causes = frozenset({Cause.ROWS_UNACCOUNTED, Cause.SOURCE_TOTALS})
    return scope.checked("sources", causes, findings)


def _unaccounted(book: str, row: RowMapping) -> Finding:
    return Finding(
        book,
        Cause.ROWS_UNACCOUNTED,
        row["reading_id"],
        expected=f"{row['rows']} rows",
        found=f"{row['with_outcome']} rows with an outcome",
        detail=_reading(row) | {"totals": row["totals"], "outcomes": row["outcomes"]},
    )


def _differing(book: str, row: RowMapping) -> Finding:
    stated = row["seconds"]
    return Finding(
        book,
        Cause.SOURCE_TOTALS,
        f"{row['source']}/{row['record_type']}",
        expected=_rows_and_seconds(row["rows"], stated),
        found=_rows_and_seconds(row["records"], None if stated is None else row["record_seconds"]),
        difference_seconds=None if stated is None else int(row["record_seconds"]) - int(stated),
        detail=_reading(row) | {"window": [row["window_first"], row["window_last"]]},
    )


def _reading(row: RowMapping) -> dict[str, Any]:
    return {name: row[name] for name in ("reading_id", "source", "record_type")}


def _rows_and_seconds(rows: int, seconds: int | None) -> str:
    return f"{rows} rows" if seconds is None else f"{rows} rows, {seconds} seconds"
