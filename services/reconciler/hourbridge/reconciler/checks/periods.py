"""Closed months against what they were closed with."""

from __future__ import annotations

from sqlalchemy import Connection, text

from hourbridge.reconciler.causes import Cause, Checked, Finding
from hourbridge.reconciler.checks.scope import Scope
from hourbridge.reconciler.period_totals import changed_levels, period_totals
from hourbridge.reconciler.totals import totals_hash

_IN_FORCE = text(
    "SELECT period, totals, totals_hash FROM period_close "
    "WHERE book = :book AND reopened_at IS NULL ORDER BY period"
)


def check_periods(connection: Connection, scope: Scope) -> Checked:
    """Find closed months whose totals are no longer those that were stored."""
    findings = []
    for row in connection.execute(_IN_FORCE, {"book": scope.book}).all():
        now = period_totals(connection, scope.book, row.period)
        found = totals_hash(now)
        if found != row.totals_hash:
            findings.append(
                Finding(
                    scope.book,
                    Cause.PERIOD_CHANGED,
                    row.period,
                    expected=row.totals_hash,
                    found=found,
                    period=row.period,
                    detail={"changed": changed_levels(row.totals, now)},
                )
            )
    return scope.checked("periods", frozenset({Cause.PERIOD_CHANGED}), findings)
