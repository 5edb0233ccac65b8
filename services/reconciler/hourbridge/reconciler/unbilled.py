"""The unbilled report: work that a client should pay and no document bills, by age and reason.

Money is what the hours would bring: seconds times rate, not rounded to billing increments. A flat
fee counts once per term, on the first work of the term that has not been billed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from hourbridge.reconciler.capped import capped_charges, capped_rests
from hourbridge.reconciler.figures import hours, money, percent, summed

AGES = ("0-30", "31-60", "61-90", "over_90")

_WORK = text(
    """
    WITH on_line AS (
        SELECT charge_id, bool_or(status = 'posted') AS is_posted
        FROM billed_charge WHERE book = :book GROUP BY charge_id
    ),
    charge AS (
        SELECT c.*, CASE WHEN o.charge_id IS NULL THEN 'unbilled'
                         WHEN o.is_posted THEN 'billed' ELSE 'in_documents' END AS state
        FROM current_charge c LEFT JOIN on_line o USING (charge_id) WHERE c.book = :book
    ),
    priced AS (
        SELECT *, coalesce(amount, rate * billable_seconds / 3600, 0) AS value
        FROM charge WHERE flat_fee_amount IS NULL
        UNION ALL
        SELECT *, CASE WHEN row_number() OVER (
                PARTITION BY flat_fee_key, flat_fee_term, date_trunc(flat_fee_term, work_date)
                ORDER BY state, work_date, charge_id) = 1
            THEN flat_fee_amount ELSE 0 END AS value
        FROM charge WHERE flat_fee_amount IS NOT NULL
    ),
    aged AS (
        SELECT *, :today - work_date AS age_days,
            CASE WHEN charge_id = ANY(:capped) THEN 'capped'
                 WHEN rounding_scope = 'entry' AND minimum_seconds = 0 AND billable_seconds > 0
                  AND flat_fee_amount IS NULL AND kind = 'time'
                  AND CASE rounding_mode
                      WHEN 'half_up' THEN billable_seconds * 2 < increment_seconds
                      WHEN 'half_down' THEN billable_seconds * 2 <= increment_seconds
                      WHEN 'half_even' THEN billable_seconds * 2 <= increment_seconds
                      WHEN 'down' THEN billable_seconds < increment_seconds
                      WHEN 'floor' THEN billable_seconds < increment_seconds
                      ELSE false END
                 THEN 'below_half_step'
                 WHEN grouping_policy LIKE '%on_demand' THEN 'on_demand'
                 WHEN grouping_policy LIKE '%month'
                  AND date_trunc('month', :today) <= work_date THEN 'not_due'
                 WHEN grouping_policy LIKE '%quarter'
                  AND date_trunc('quarter', :today) <= work_date THEN 'not_due'
                 ELSE 'past_due' END AS why
        FROM priced
    )
    SELECT client, project, currency, state, why,
           CASE WHEN age_days <= 30 THEN '0-30' WHEN age_days <= 60 THEN '31-60'
                WHEN age_days <= 90 THEN '61-90' ELSE 'over_90' END AS age,
           why <> 'capped' AND (age_days > :leakage_after_days OR why = 'below_half_step')
               AS is_leakage,
           count(*) AS charges, sum(billable_seconds)::bigint AS seconds, sum(value) AS value
    FROM aged GROUP BY 1, 2, 3, 4, 5, 6, 7
    """
)
_UNCHARGED = text(
    """
    SELECT outcome, client, project, reason_code AS code, count(*) AS records,
           sum(worked_seconds)::bigint AS seconds
    FROM seen_charge_set
    WHERE book = :book AND outcome IN ('parked', 'skipped') AND NOT deleted
      AND record_type IN ('time_entry', 'expense')
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    """
)
_IN_FLIGHT = text(
    """
    SELECT count(*) AS records, coalesce(sum(r.worked_seconds), 0)::bigint AS seconds
    FROM seen_record r LEFT JOIN seen_charge_set s USING (book, record_id)
    WHERE r.book = :book AND r.record_type IN ('time_entry', 'expense')
      AND (s.record_id IS NULL OR s.revision < r.revision)
    """
)
_SUMS = ("charges", "seconds", "value")


def unbilled_work(
    connection: Connection, book: str, *, today: date, leakage_after_days: int
) -> Sequence[Mapping[str, Any]]:
    """Return all charged work by client, project, currency, state, reason and age, exact."""
    parameters = {
        "book": book,
        "today": today,
        "leakage_after_days": leakage_after_days,
        "capped": capped_charges(connection, book),
    }
    return [dict(row) for row in connection.execute(_WORK, parameters).mappings()]


def unbilled_report(
    connection: Connection, book: str, *, today: date, leakage_after_days: int
) -> dict[str, Any]:
    """Return the report as JSON-ready values; money per currency, never added across them."""
    work = unbilled_work(connection, book, today=today, leakage_after_days=leakage_after_days)
    missing = [row for row in work if row["state"] == "unbilled"]
    uncharged = [dict(row) for row in connection.execute(_UNCHARGED, {"book": book}).mappings()]
    flying = connection.execute(_IN_FLIGHT, {"book": book}).mappings().one()
    by_state = summed(work, by=("state", "currency"), of=_SUMS)
    return {
        "book": book,
        "as_of": today,
        "unbilled": _written(summed(missing, by=("currency",), of=_SUMS)),
        "unbilled_hours": hours(sum(row["seconds"] for row in missing)),
        "rows": _written(
            summed(missing, by=("client", "project", "currency", "age", "why"), of=_SUMS)
        ),
        "charged": _written(summed(work, by=("currency",), of=_SUMS)),
        "billed": _written(row for row in by_state if row["state"] == "billed"),
        "in_documents": _written(row for row in by_state if row["state"] == "in_documents"),
        "capped": _written(capped_rests(connection, book)),
        "leakage_after_days": leakage_after_days,
        "leakage": _leakage(work, by=("currency",)),
        "leakage_rows": _leakage(work, by=("client", "project", "currency")),
        "parked": _uncharged(uncharged, "parked"),
        "skipped": _uncharged(uncharged, "skipped"),
        "in_flight": {
            "records": flying["records"],
            "seconds": flying["seconds"],
            "hours": hours(flying["seconds"]),
        },
    }


def _leakage(work: Sequence[Mapping[str, Any]], *, by: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return what is unbilled past its time as a share of all charged work."""
    leaked = [row for row in work if row["state"] == "unbilled" and row["is_leakage"]]
    return _shares(leaked, work, by)


def _shares(
    part: Iterable[Mapping[str, Any]], whole: Iterable[Mapping[str, Any]], by: tuple[str, ...]
) -> list[dict[str, Any]]:
    seconds = {
        tuple(row[name] for name in by): row["seconds"]
        for row in summed(whole, by=by, of=("seconds",))
    }
    groups = summed(part, by=by, of=_SUMS)
    shares = [percent(row["seconds"], seconds[tuple(row[name] for name in by)]) for row in groups]
    return [{**row, "percent": share} for row, share in zip(_written(groups), shares, strict=True)]


def _written(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            **{name: value for name, value in row.items() if name != "value"},
            "hours": hours(row["seconds"]),
            "amount": money(Decimal(row["value"]), row["currency"]),
        }
        for row in rows
    ]


def _uncharged(rows: Sequence[Mapping[str, Any]], outcome: str) -> list[dict[str, Any]]:
    return [
        {**{name: row[name] for name in row if name != "outcome"}, "hours": hours(row["seconds"])}
        for row in rows
        if row["outcome"] == outcome
    ]
