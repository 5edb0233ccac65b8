"""What rounding took away and added: every residue of every line, summed by its step.

Read from the documents alone, as they state their roundings. What was taken away is positive.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from hourbridge.common.money import decimal_text
from hourbridge.reconciler.categories import categories
from hourbridge.reconciler.figures import hours, money

TIME_STEPS = ("minimum", "increment", "billable_part")
"""Steps between the billable seconds of a line's charges and the seconds it bills."""
_SECOND_STEPS = (*TIME_STEPS, "quantity")

_STEPS = text(
    """
    SELECT coalesce(l.client, l.document_client) AS client, l.project,
           to_char(coalesce(l.service_date, l.document_date), 'YYYY-MM') AS period, l.currency,
           s ->> 'step' AS step, s ->> 'mode' AS mode, s ->> 'policy' AS policy,
           count(*) AS roundings,
           sum(CASE l.kind WHEN 'credit_memo' THEN -1 ELSE 1 END
               * ((s ->> 'before')::numeric - (s ->> 'after')::numeric)) AS residue
    FROM live_line l CROSS JOIN LATERAL jsonb_array_elements(l.roundings) AS s
    WHERE l.book = :book AND l.is_sale
      AND (CAST(:period AS text) IS NULL
           OR to_char(coalesce(l.service_date, l.document_date), 'YYYY-MM') = :period)
    GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7
    """
)


def residue_report(connection: Connection, book: str, period: str | None = None) -> dict[str, Any]:
    """Return residues by step, client, project and month, beside where all worked time went."""
    parameters = {"book": book, "period": period}
    rows = [dict(row) for row in connection.execute(_STEPS, parameters).mappings()]
    shares = categories(connection, book)
    return {
        "book": book,
        "period": period,
        "time": [_time(row) for row in rows if row["step"] in _SECOND_STEPS],
        "money": [_money(row) for row in rows if row["step"] not in _SECOND_STEPS],
        "balance": [row for row in shares["time"] if period in (None, row["period"])],
        "balance_money": [row for row in shares["money"] if period in (None, row["period"])],
        "totals": _totals(rows),
    }


def _time(row: Mapping[str, Any]) -> dict[str, Any]:
    seconds = row["residue"]
    named = {name: row[name] for name in row if name not in ("residue", "currency")}
    return {**named, "seconds": decimal_text(seconds), "hours": hours(seconds)}


def _money(row: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: row[name] for name in row if name != "residue"}
    return {**named, "amount": decimal_text(row["residue"])}


def _totals(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the sum of each step over everything: seconds, or money by currency."""
    sums: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        unit = "seconds" if row["step"] in _SECOND_STEPS else row["currency"]
        key = (row["step"], unit)
        sums[key] = sums.get(key, Decimal(0)) + row["residue"]
    return [
        {
            "step": step,
            "unit": unit,
            "residue": decimal_text(residue),
            "shown": hours(residue) + " h" if unit == "seconds" else money(residue, unit),
        }
        for (step, unit), residue in sorted(sums.items())
    ]
