"""Posted lines against their charges as they are now: what shrank must have been credited."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, text

from hourbridge.reconciler.causes import Cause, Checked, Finding
from hourbridge.reconciler.checks.scope import Scope

_OVERBILLED = text(
    # Seconds are compared with a margin of one rounding step per charge: this check knows
    # nothing of prices and so can't repeat a mistake made there.
    """
    WITH line AS (
        SELECT document_id, line_id, number, document_client AS client, currency, period,
               billed_seconds, charge_ids, seen_at
        FROM live_line
        WHERE book = :book AND status = 'posted' AND billed_seconds > 0 AND is_sale
          AND credits_line_id IS NULL AND supplements_line_id IS NULL
    ),
    correction AS (
        SELECT coalesce(credits_line_id, supplements_line_id) AS line_id,
               sum(CASE WHEN credits_line_id IS NULL THEN billed_seconds
                        ELSE -billed_seconds END) AS seconds
        FROM live_line
        WHERE book = :book AND coalesce(credits_line_id, supplements_line_id) IS NOT NULL
        GROUP BY 1
    ),
    billed AS (
        SELECT line_id, unnest(charge_ids) AS charge_id FROM line
    ),
    charged AS (
        SELECT b.line_id, sum(c.billable_seconds) AS seconds,
               sum(greatest(c.increment_seconds, c.minimum_seconds)) AS margin,
               max(s.seen_at) AS changed_at, bool_or(any_charge.flat_fee_key IS NOT NULL) AS is_fee,
               bool_and(any_charge.charge_id IS NOT NULL) AS is_known
        FROM billed b
        LEFT JOIN (SELECT * FROM seen_charge WHERE book = :book) any_charge USING (charge_id)
        LEFT JOIN (SELECT * FROM seen_charge_set WHERE book = :book) s USING (record_id)
        LEFT JOIN (SELECT * FROM current_charge WHERE book = :book) c USING (charge_id)
        GROUP BY b.line_id
    ),
    compared AS (
        SELECT line.*, billed_seconds + coalesce(correction.seconds, 0) AS standing_seconds,
               coalesce(charged.seconds, 0) AS charged_seconds,
               coalesce(charged.margin, 0) AS margin
        FROM line LEFT JOIN charged USING (line_id) LEFT JOIN correction USING (line_id)
        WHERE coalesce(charged.is_known, true) AND NOT coalesce(charged.is_fee, false)
          AND greatest(charged.changed_at, line.seen_at) < :overdue
    )
    SELECT document_id, number, client, currency, period,
           sum(standing_seconds)::bigint AS standing_seconds,
           sum(charged_seconds)::bigint AS charged_seconds, array_agg(line_id ORDER BY line_id)
               AS line_ids
    FROM compared WHERE standing_seconds > charged_seconds + margin
    GROUP BY 1, 2, 3, 4, 5 ORDER BY document_id LIMIT :findings_max
    """
)
_LAST_POSTED = text("SELECT max(posted_at) FROM seen_document WHERE book = :book")


def check_corrections(connection: Connection, scope: Scope) -> Checked:
    """Find posted documents that bill more time than their charges hold and no credit returns."""
    last_posted_at = connection.execute(_LAST_POSTED, {"book": scope.book}).scalar()
    rows = connection.execute(
        _OVERBILLED,
        {
            "book": scope.book,
            "overdue": scope.overdue_before(last_posted_at),
            "findings_max": scope.settings.findings_max,
        },
    ).mappings()
    findings = [_finding(scope.book, row) for row in rows]
    return scope.checked("corrections", frozenset({Cause.CORRECTION_MISSING}), findings)


def _finding(book: str, row: RowMapping) -> Finding:
    return Finding(
        book,
        Cause.CORRECTION_MISSING,
        row["document_id"],
        expected=f"{row['charged_seconds']} seconds charged",
        found=f"{row['standing_seconds']} seconds billed and not credited",
        difference_seconds=row["standing_seconds"] - row["charged_seconds"],
        currency=row["currency"],
        client=row["client"],
        period=row["period"],
        detail={"number": row["number"], "lines": row["line_ids"]},
    )
