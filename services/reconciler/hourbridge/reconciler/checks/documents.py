"""Charges against documents: nothing billed twice, every document whole and on its way."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, text

from hourbridge.reconciler.causes import Cause, Checked, Finding
from hourbridge.reconciler.checks.scope import Scope

_TWICE = text(
    """
    WITH twice AS (
        SELECT charge_id, array_agg(number ORDER BY number, line_id) AS numbers,
               array_agg(line_id ORDER BY number, line_id) AS line_ids, count(*) AS times
        FROM billed_charge WHERE book = :book GROUP BY charge_id HAVING count(*) > 1
    )
    SELECT twice.numbers, count(*) AS charges,
           (array_agg(twice.charge_id ORDER BY twice.charge_id))[1 : 20] AS charge_ids,
           min(c.client) AS client, min(c.project) AS project, min(c.currency) AS currency,
           sum((twice.times - 1) * coalesce(c.billable_seconds, 0))::bigint AS seconds,
           sum((twice.times - 1) * coalesce(
               c.amount, c.rate * c.billable_seconds / 3600, 0)) AS amount
    FROM twice LEFT JOIN seen_charge c ON c.book = :book AND c.charge_id = twice.charge_id
    GROUP BY twice.numbers ORDER BY twice.numbers LIMIT :findings_max
    """
)
_TOTALS = text(
    """
    SELECT d.document_id, d.number, d.client, d.currency, d.period, d.total, d.tax,
           coalesce(sum(l.amount), 0) + d.tax AS lines_total, count(l.line_id) AS lines
    FROM seen_document d LEFT JOIN document_line l USING (book, document_id, lines_key)
    WHERE d.book = :book AND d.status <> 'withdrawn'
    GROUP BY d.book, d.document_id
    HAVING coalesce(sum(l.amount), 0) + d.tax <> d.total
       AND (count(l.line_id) > 0 OR jsonb_array_length(d.postings) = 0)
    ORDER BY d.document_id LIMIT :findings_max
    """
)
_UNBALANCED = text(
    """
    SELECT document_id, number, client, currency, period, total, purpose, amount, base_amount,
           debits
    FROM seen_document CROSS JOIN LATERAL (
        SELECT sum((p ->> 'amount')::numeric) AS amount,
               sum((p ->> 'base_amount')::numeric) AS base_amount,
               sum(greatest((p ->> 'amount')::numeric, 0)) AS debits
        FROM jsonb_array_elements(postings) AS p) AS posted
    WHERE book = :book AND status <> 'withdrawn' AND jsonb_array_length(postings) > 0
      AND (amount <> 0 OR base_amount <> 0)
    ORDER BY document_id LIMIT :findings_max
    """
)
_LAST_POSTED = text("SELECT max(posted_at) FROM seen_document WHERE book = :book")
_NOT_POSTED = text(
    """
    SELECT document_id, number, client, currency, period, total, seen_at, ledger_connection
    FROM seen_document
    WHERE book = :book AND status = 'posting' AND seen_at < :overdue
    ORDER BY document_id LIMIT :findings_max
    """
)


_CAUSES = frozenset(
    {
        Cause.BILLED_TWICE,
        Cause.DOCUMENT_TOTAL,
        Cause.ENTRY_UNBALANCED,
        Cause.DOCUMENT_NOT_POSTED,
    }
)


def check_documents(connection: Connection, scope: Scope) -> Checked:
    """Check every live document by itself and against the charges it bills."""
    parameters = {"book": scope.book, "findings_max": scope.settings.findings_max}
    twice = connection.execute(_TWICE, parameters).mappings()
    findings = [_billed_twice(scope.book, row) for row in twice]
    totals = connection.execute(_TOTALS, parameters).mappings()
    findings += [_total(scope.book, row) for row in totals]
    unbalanced = connection.execute(_UNBALANCED, parameters).mappings()
    findings += [_unbalanced(scope.book, row) for row in unbalanced]
    overdue = scope.overdue_before(connection.execute(_LAST_POSTED, parameters).scalar())
    late = connection.execute(_NOT_POSTED, {**parameters, "overdue": overdue}).mappings()
    findings += [_not_posted(scope.book, row) for row in late]
    return scope.checked("documents", _CAUSES, findings)


def _billed_twice(book: str, row: RowMapping) -> Finding:
    return Finding(
        book,
        Cause.BILLED_TWICE,
        "+".join(row["numbers"]),
        expected="each charge on one live line",
        found=f"{row['charges']} charges on {len(row['numbers'])} lines each",
        difference_seconds=int(row["seconds"]),
        difference_amount=row["amount"],
        currency=row["currency"],
        client=row["client"],
        project=row["project"],
        detail={"documents": row["numbers"], "charges": row["charge_ids"]},
    )


def _total(book: str, row: RowMapping) -> Finding:
    return Finding(
        book,
        Cause.DOCUMENT_TOTAL,
        row["document_id"],
        expected=f"{row['lines_total']} (sum of {row['lines']} lines, tax {row['tax']})",
        found=str(row["total"]),
        difference_amount=row["total"] - row["lines_total"],
        currency=row["currency"],
        client=row["client"],
        period=row["period"],
        detail={"number": row["number"]},
    )


def _unbalanced(book: str, row: RowMapping) -> Finding:
    return Finding(
        book,
        Cause.ENTRY_UNBALANCED,
        row["document_id"],
        expected="postings that sum to zero in both currencies",
        found=f"{row['amount']} {row['currency']}, {row['base_amount']} in the book's currency",
        difference_amount=row["amount"],
        currency=row["currency"],
        client=row["client"] or None,
        period=row["period"],
        detail={"number": row["number"], "purpose": row["purpose"]},
    )


def _not_posted(book: str, row: RowMapping) -> Finding:
    return Finding(
        book,
        Cause.DOCUMENT_NOT_POSTED,
        row["document_id"],
        expected="posted",
        found=f"posting since {row['seen_at']:%Y-%m-%d %H:%M} UTC",
        difference_amount=-row["total"],
        currency=row["currency"],
        client=row["client"],
        period=row["period"],
        detail={"number": row["number"], "ledger": row["ledger_connection"]},
    )
