"""Documents that only the ledger knows: entered by hand beside ours, or posted twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from hourbridge.reconciler.causes import Cause, Finding
from hourbridge.reconciler.checks.scope import Scope
from hourbridge.reconciler.read_back import Target

_UNKNOWN = """
    WITH ours AS (
        SELECT d.kind, d.ledger_id, d.document_id, d.number, d.status, d.total, d.book, d.client
        FROM seen_document d WHERE d.ledger ->> 'company_id' = :company_id
    ),
    held AS (
        SELECT s.* FROM ledger_snapshot s
        WHERE s.book = :book AND s.ledger_connection = :connection AND s.run_id = :run_id
    ),
    prefix AS (
        SELECT DISTINCT substring(number FROM '^(.*-)[0-9]+$') AS text FROM ours
    ),
    customer AS (
        SELECT held.customer_id, min(ours.client) AS client,
               date_trunc('month', min(held.document_date))::date AS since
        FROM held JOIN ours USING (kind, ledger_id) WHERE ours.book = :book
        GROUP BY held.customer_id
    ),
    unknown AS (
        SELECT held.*, customer.client,
               EXISTS (SELECT 1 FROM prefix WHERE starts_with(held.number, prefix.text))
                   AS has_our_number,
               customer.customer_id IS NOT NULL AND held.document_date >= customer.since
                   AND held.kind IN ('invoice', 'credit_memo')  -- payments are entered there
                   AS has_our_customer,
               EXISTS (SELECT 1 FROM ours WHERE ours.status NOT IN ('posted', 'withdrawn') AND (
                   ours.number = held.number OR ours.document_id = held.marked_document_id))
                   AS is_moving
        FROM held LEFT JOIN customer USING (customer_id)
        WHERE NOT held.is_void AND NOT EXISTS (
            SELECT 1 FROM ours WHERE ours.kind = held.kind AND ours.ledger_id = held.ledger_id)
    )
"""
_STRANGERS = text(
    f"""{_UNKNOWN}
    SELECT u.*, (SELECT min(ours.number) FROM ours JOIN held USING (kind, ledger_id)
                 WHERE held.customer_id = u.customer_id AND held.kind = u.kind
                   AND held.total = u.total) AS duplicate_of
    FROM unknown u
    WHERE NOT is_moving
      AND (is_ours AND coalesce(updated_at < :settled_before, true)
           OR NOT is_ours AND has_our_number OR NOT is_ours AND has_our_customer AND :customers)
    ORDER BY kind, ledger_id LIMIT :findings_max
    """
)
_IN_FLIGHT = text(
    f"""{_UNKNOWN}
    SELECT kind, ledger_id FROM unknown
    WHERE is_moving OR is_ours AND updated_at >= :settled_before
    """
)


@dataclass(frozen=True)
class Stranger:
    """A document in the ledger that none of our documents stands for."""

    connection: str
    kind: str
    ledger_id: str
    number: str | None
    customer_id: str | None
    client: str | None
    currency: str | None
    document_date: date
    total: Decimal
    mark: str
    """Why it concerns us: our marker, our number range, or our customer."""
    duplicate_of: str | None

    @property
    def subject(self) -> str:
        """Return what identifies it."""
        return subject_of(self.connection, self.kind, self.ledger_id)

    def finding(self, book: str) -> Finding:
        """Return the difference that it makes."""
        sign = -1 if self.kind == "credit_memo" else 1
        detail: dict[str, Any] = {
            "number": self.number,
            "kind": self.kind,
            "ledger_id": self.ledger_id,
            "customer_id": self.customer_id,
            "document_date": self.document_date,
            "mark": self.mark,
            "suspected_duplicate_of": self.duplicate_of,
        }
        return Finding(
            book,
            Cause.TARGET_ONLY,
            self.subject,
            expected="no such document",
            found=f"{self.kind} {self.number or self.ledger_id}, total {self.total}",
            difference_amount=sign * self.total,
            currency=self.currency,
            client=self.client,
            period=f"{self.document_date:%Y-%m}",
            detail=detail,
        )


def subject_of(connection: str, kind: str, ledger_id: str) -> str:
    """Return the subject of a discrepancy about a document that only the ledger knows."""
    return f"{connection}/{kind}/{ledger_id}"


def strangers(connection: Connection, scope: Scope, target: Target) -> list[Stranger]:
    """Return documents of the last read-back that concern the book and are unknown to us.

    Documents that other books of ours posted to the same company are known.
    """
    rows = connection.execute(
        _STRANGERS,
        {
            **_parameters(scope, target),
            "customers": scope.settings.ledger_only_scope == "customers",
            "findings_max": scope.settings.findings_max,
        },
    )
    return [
        Stranger(
            connection=target.binding.connection,
            kind=row.kind,
            ledger_id=row.ledger_id,
            number=row.number,
            customer_id=row.customer_id,
            client=row.client,
            currency=row.currency,
            document_date=row.document_date,
            total=row.total,
            mark="marker" if row.is_ours else "number" if row.has_our_number else "customer",
            duplicate_of=row.duplicate_of,
        )
        for row in rows
    ]


def in_flight(connection: Connection, scope: Scope, target: Target) -> set[str]:
    """Return subjects that may be ours a moment from now: posted there, not yet told here."""
    rows = connection.execute(_IN_FLIGHT, _parameters(scope, target))
    return {subject_of(target.binding.connection, row.kind, row.ledger_id) for row in rows}


def _parameters(scope: Scope, target: Target) -> dict[str, Any]:
    return {
        "book": scope.book,
        "connection": target.binding.connection,
        "company_id": target.binding.company_id,
        "run_id": target.run_id,
        "settled_before": scope.now - scope.settings.grace,
    }
