"""Retainers: what was taken from each is never more than what was paid in."""

from __future__ import annotations

from sqlalchemy import Connection, text

from hourbridge.reconciler.causes import Cause, Checked, Finding
from hourbridge.reconciler.checks.scope import Scope

# A deposit is a liability: its balance is a credit, so below zero.
_OVERDRAWN = text(
    """
    SELECT d.client, d.engagement, d.currency, sum((p ->> 'amount')::numeric) AS balance,
           array_agg(d.number ORDER BY d.document_date, d.number) AS numbers
    FROM seen_document d CROSS JOIN LATERAL jsonb_array_elements(d.postings) AS p
    WHERE d.book = :book AND d.status <> 'withdrawn' AND d.engagement IS NOT NULL
      AND p ->> 'role' = 'customer_deposits'
    GROUP BY 1, 2, 3 HAVING sum((p ->> 'amount')::numeric) > 0
    ORDER BY 1, 2, 3 LIMIT :findings_max
    """
)


def check_retainers(connection: Connection, scope: Scope) -> Checked:
    """Find retainers whose movements sum to less than nothing."""
    parameters = {"book": scope.book, "findings_max": scope.settings.findings_max}
    findings = [
        Finding(
            scope.book,
            Cause.RETAINER_OVERDRAWN,
            f"{row['client']}/{row['engagement']}/{row['currency']}",
            expected="a balance of zero or more",
            found=f"{-row['balance']} {row['currency']}",
            difference_amount=-row["balance"],
            currency=row["currency"],
            client=row["client"],
            detail={"engagement": row["engagement"], "documents": row["numbers"]},
        )
        for row in connection.execute(_OVERDRAWN, parameters).mappings()
    ]
    return scope.checked("retainers", frozenset({Cause.RETAINER_OVERDRAWN}), findings)
