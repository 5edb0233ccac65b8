"""Lines against their own roundings: every second between charged and billed has a step."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, text

from hourbridge.reconciler.causes import Cause, Checked, Finding
from hourbridge.reconciler.checks.scope import Scope
from hourbridge.reconciler.residue import TIME_STEPS

# Only lines whose charges are what they were when the line was priced; what changed since is
# the correction check's.
_UNEXPLAINED = text(
    """
    WITH line AS (
        SELECT l.*, (SELECT coalesce(sum((s ->> 'before')::numeric - (s ->> 'after')::numeric), 0)
                     FROM jsonb_array_elements(l.roundings) AS s
                     WHERE s ->> 'step' = ANY(:steps)) AS residue
        FROM live_line l
        WHERE l.book = :book AND l.is_sale AND l.billed_seconds > 0
          AND l.credits_line_id IS NULL AND l.supplements_line_id IS NULL
    ),
    charged AS (
        SELECT b.line_id, sum(c.billable_seconds) AS billable, sum(c.worked_seconds) AS worked,
               bool_and(c.charge_id IS NOT NULL) AS is_known,
               coalesce(bool_or(c.flat_fee_key IS NOT NULL), false) AS is_fee
        FROM billed_charge b
        LEFT JOIN (SELECT * FROM current_charge WHERE book = :book) c USING (charge_id)
        WHERE b.book = :book GROUP BY b.line_id
    )
    SELECT document_id, number, document_client AS client, project, currency, period,
           sum(billable - residue - capped_seconds)::bigint AS expected,
           sum(billed_seconds)::bigint AS found, array_agg(line_id ORDER BY line_id) AS line_ids
    FROM line JOIN charged USING (line_id)
    WHERE is_known AND NOT is_fee AND worked = worked_seconds
      AND billable - residue - capped_seconds <> billed_seconds
      AND NOT EXISTS (SELECT 1 FROM live_line a WHERE a.book = :book
                      AND line.line_id IN (a.credits_line_id, a.supplements_line_id))
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY document_id LIMIT :findings_max
    """
)


def check_residues(connection: Connection, scope: Scope) -> Checked:
    """Find lines that bill other time than their charges and roundings lead to."""
    rows = connection.execute(
        _UNEXPLAINED,
        {
            "book": scope.book,
            "steps": list(TIME_STEPS),
            "findings_max": scope.settings.findings_max,
        },
    ).mappings()
    findings = [_finding(scope.book, row) for row in rows]
    return scope.checked("residues", frozenset({Cause.RESIDUE_UNEXPLAINED}), findings)


def _finding(book: str, row: RowMapping) -> Finding:
    return Finding(
        book,
        Cause.RESIDUE_UNEXPLAINED,
        row["document_id"],
        expected=f"{row['expected']} seconds by the roundings stated",
        found=f"{row['found']} seconds billed",
        difference_seconds=row["found"] - row["expected"],
        currency=row["currency"],
        client=row["client"],
        project=row["project"],
        period=row["period"],
        detail={"number": row["number"], "lines": row["line_ids"]},
    )
