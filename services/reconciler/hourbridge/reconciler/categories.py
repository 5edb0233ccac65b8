"""Where worked time and its money went: billed, rounded, written down, capped, unbilled.

For each month of work, client and project ``worked = not_billable + parked + in_flight +
only_paid + written_down + covered + billed + rounding + capped + unbilled``, in seconds. Rounding
of a line that spans months counts in its last one. In money, by currency: ``worked + fees +
converted = written_down + discount + adjustment + rounding + billed + capped + unbilled``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, text

from hourbridge.reconciler.capped import capped_charges
from hourbridge.reconciler.figures import hours, money, percent

TIME = (
    "not_billable",
    "parked",
    "in_flight",
    "only_paid",
    "written_down",
    "covered",
    "billed",
    "rounding",
    "capped",
    "unbilled",
)
"""What becomes of worked seconds; ``only_paid`` is a subcontractor's that no client pays."""
VALUE = ("worked", "fees", "converted")
"""Worked time at its rate and expenses; prices that follow no hours; costs of other currencies."""
MONEY = (
    "written_down",
    "discount",
    "adjustment",
    "rounding",
    "billed",
    "capped",
    "unbilled",
)
"""What becomes of it, before tax."""

_SETS = text(
    """
    SELECT to_char(coalesce(s.work_date, r.work_date), 'YYYY-MM') AS period,
           coalesce(s.client, r.client) AS client, coalesce(s.project, r.project) AS project,
           CASE WHEN s.record_id IS NULL THEN 'in_flight' ELSE s.outcome END AS outcome,
           sum(coalesce(s.worked_seconds, r.worked_seconds))::bigint AS seconds
    FROM (SELECT * FROM seen_record WHERE book = :book AND record_type = 'time_entry'
          AND NOT deleted) r
    FULL JOIN (SELECT * FROM seen_charge_set WHERE book = :book AND record_type = 'time_entry'
          AND NOT deleted) s USING (book, record_id)
    WHERE s.record_id IS NOT NULL OR NOT EXISTS (
        SELECT 1 FROM seen_charge_set gone
        WHERE gone.book = r.book AND gone.record_id = r.record_id)
    GROUP BY 1, 2, 3, 4
    """
)
# Charges with the line that bills them, and lines with what their charges come to: both queries
# below add these up, so that a book of millions leads to as few rows as it has months and projects.
_BASE = """
    WITH sale AS (
        SELECT *, CASE kind WHEN 'credit_memo' THEN -1 ELSE 1 END AS sign
        FROM live_line WHERE book = :book AND is_sale
    ),
    on_line AS (
        SELECT unnest(charge_ids) AS charge_id, line_id, currency AS line_currency FROM sale
    ),
    charge AS (
        SELECT c.charge_id, to_char(c.work_date, 'YYYY-MM') AS period, c.client, c.project,
               c.currency, c.flat_fee_key IS NOT NULL AS is_fee, c.worked_seconds,
               c.billable_seconds, o.line_id, o.line_currency,
               coalesce(c.amount, c.rate * c.worked_seconds / 3600, 0) AS worked_value,
               coalesce(c.amount, c.rate * c.billable_seconds / 3600, 0) AS billable_value
        FROM current_charge c LEFT JOIN on_line o USING (charge_id) WHERE c.book = :book
    ),
    gathered AS (
        SELECT line_id, sum(billable_seconds) AS seconds, sum(billable_value) AS value,
               bool_or(is_fee) AS is_fee, bool_or(currency <> line_currency) AS is_converted
        FROM charge WHERE line_id IS NOT NULL GROUP BY line_id
    )
"""
_CHARGES = text(
    f"""{_BASE}
    SELECT c.period, c.client, c.project, c.currency, c.is_fee,
           coalesce(g.is_converted AND NOT g.is_fee, false) AS is_converted,
           CASE WHEN c.line_id IS NOT NULL THEN CASE WHEN c.is_fee THEN 'covered' ELSE 'billed' END
                WHEN c.charge_id = ANY(:capped) THEN 'capped' ELSE 'unbilled' END AS state,
           sum(c.worked_seconds)::bigint AS worked_seconds,
           sum(c.billable_seconds)::bigint AS billable_seconds,
           sum(c.worked_value) AS worked_value, sum(c.billable_value) AS billable_value
    FROM charge c LEFT JOIN gathered g USING (line_id)
    GROUP BY 1, 2, 3, 4, 5, 6, 7
    """
)
_LINES = text(
    f"""{_BASE},
    correction AS (
        SELECT coalesce(credits_line_id, supplements_line_id) AS line_id,
               sum(CASE WHEN credits_line_id IS NULL THEN billed_seconds
                        ELSE -billed_seconds END) AS seconds,
               sum(CASE WHEN credits_line_id IS NULL THEN amount ELSE -amount END) AS amount,
               sum(CASE WHEN credits_line_id IS NULL THEN billed_seconds ELSE 0 END)
                   AS added_seconds,
               sum(CASE WHEN credits_line_id IS NULL THEN amount ELSE 0 END) AS added_amount
        FROM sale WHERE coalesce(credits_line_id, supplements_line_id) IS NOT NULL GROUP BY 1
    ),
    line AS (
        SELECT coalesce(l.client, l.document_client) AS client, l.project, l.currency,
               to_char(coalesce(l.service_date, l.document_date), 'YYYY-MM') AS period,
               g.line_id IS NOT NULL AS has_charges, coalesce(g.is_fee, false) AS is_fee,
               coalesce(g.is_converted, false) AS is_converted,
               coalesce(g.seconds, 0) AS seconds, coalesce(g.value, 0) AS value,
               l.billed_seconds + coalesce(k.seconds, 0) AS standing_seconds,
               l.sign * l.amount + coalesce(k.amount, 0) AS standing_amount,
               greatest(l.capped_seconds - coalesce(k.added_seconds, 0), 0) AS capped_seconds,
               greatest(l.capped_amount - coalesce(k.added_amount, 0), 0) AS capped_amount,
               l.sign * l.discount AS discount, l.sign * l.adjustment AS adjustment,
               (SELECT coalesce(sum((s ->> 'before')::numeric - (s ->> 'after')::numeric), 0)
                FROM jsonb_array_elements(l.roundings) AS s WHERE s ->> 'step' = 'billable_part')
               AS part_seconds
        FROM sale l LEFT JOIN correction k USING (line_id) LEFT JOIN gathered g USING (line_id)
        WHERE l.credits_line_id IS NULL AND l.supplements_line_id IS NULL
    )
    SELECT period, client, project, currency, has_charges, is_fee, is_converted,
           sum(seconds)::bigint AS seconds, sum(value) AS value,
           sum(standing_seconds)::bigint AS standing_seconds,
           sum(standing_amount) AS standing_amount,
           sum(capped_seconds)::bigint AS capped_seconds, sum(capped_amount) AS capped_amount,
           sum(discount) AS discount, sum(adjustment) AS adjustment,
           sum(part_seconds)::bigint AS part_seconds,
           sum(CASE WHEN seconds > 0 THEN value * part_seconds / seconds ELSE 0 END) AS part_value
    FROM line GROUP BY 1, 2, 3, 4, 5, 6, 7
    """
)
Key = tuple[str | None, str | None, str | None]
MoneyKey = tuple[str | None, str | None, str | None, str]


class _Sums:
    """Sums of seconds and of money by their keys."""

    def __init__(self) -> None:
        self.time: defaultdict[Key, dict[str, int]] = defaultdict(lambda: dict.fromkeys(TIME, 0))
        self.money: defaultdict[MoneyKey, dict[str, Decimal]] = defaultdict(
            lambda: dict.fromkeys((*VALUE, *MONEY), Decimal(0))
        )

    def seconds(self, row: Mapping[str, Any], name: str, seconds: int) -> None:
        self.time[row["period"], row["client"], row["project"]][name] += seconds

    def value(self, row: Mapping[str, Any], name: str, amount: Decimal) -> None:
        key = (row["period"], row["client"], row["project"], row["currency"])
        self.money[key][name] += amount


def categories(connection: Connection, book: str) -> dict[str, Any]:
    """Return time and money by period, client and project; hours and money as text."""
    sums = _Sums()
    parameters = {"book": book}
    capped = {"capped": capped_charges(connection, book)}
    for row in connection.execute(_SETS, parameters).mappings():
        _add_set(sums, dict(row))
    for row in connection.execute(_CHARGES, parameters | capped).mappings():
        _add_charges(sums, dict(row))
    for row in connection.execute(_LINES, parameters).mappings():
        _add_lines(sums, dict(row))
    return {
        "book": book,
        "time": [_time(key, sums.time[key]) for key in sorted(sums.time, key=_sortable)],
        "money": [_money(key, sums.money[key]) for key in sorted(sums.money, key=_sortable)],
    }


_OF_OUTCOME = {"skipped": "not_billable", "parked": "parked", "in_flight": "in_flight"}


def _add_set(sums: _Sums, row: Mapping[str, Any]) -> None:
    """Add worked time by outcome; charged time is all ``only_paid`` until charges claim it."""
    sums.seconds(row, _OF_OUTCOME.get(row["outcome"], "only_paid"), int(row["seconds"] or 0))


def _add_charges(sums: _Sums, charges: Mapping[str, Any]) -> None:
    worked, billable = charges["worked_seconds"], charges["billable_seconds"]
    state = charges["state"]
    sums.seconds(charges, "only_paid", -worked)
    sums.seconds(charges, "written_down", worked - billable)
    sums.seconds(charges, state, billable)
    if charges["is_fee"]:
        return
    value, billable_value = charges["worked_value"], charges["billable_value"]
    sums.value(charges, "worked", value)
    sums.value(charges, "written_down", value - billable_value)
    if state in ("capped", "unbilled"):
        sums.value(charges, state, billable_value)
    elif charges["is_converted"]:  # what they come to is on a line in another currency
        sums.value(charges, "converted", -billable_value)


def _add_lines(sums: _Sums, lines: Mapping[str, Any]) -> None:
    """Move what lines do not bill of their charges' time from billed to where it went."""
    standing = lines["standing_amount"]
    sums.value(lines, "billed", standing)
    if not lines["is_fee"]:
        capped = lines["capped_seconds"]
        part = lines["part_seconds"] if lines["has_charges"] else 0
        rounding = lines["seconds"] - lines["standing_seconds"] - capped - part
        sums.seconds(lines, "capped", capped)
        sums.seconds(lines, "written_down", part)
        sums.seconds(lines, "rounding", rounding)
        sums.seconds(lines, "billed", -capped - part - rounding)
    if lines["is_fee"]:
        sums.value(lines, "fees", standing)
    elif lines["is_converted"]:
        sums.value(lines, "converted", standing)
    else:
        _add_parts(sums, lines)


def _add_parts(sums: _Sums, lines: Mapping[str, Any]) -> None:
    parts: dict[str, Decimal] = {}
    if lines["has_charges"]:  # where the charges left, what stands is all that there is
        parts = {
            "written_down": lines["part_value"],
            "discount": lines["discount"],
            "adjustment": -lines["adjustment"],
            "capped": lines["capped_amount"],
        }
    for name, amount in parts.items():
        sums.value(lines, name, amount)
    rest = lines["value"] - lines["standing_amount"] - sum(parts.values(), Decimal(0))
    sums.value(lines, "rounding", rest)


def _time(key: Key, seconds: Mapping[str, int]) -> dict[str, Any]:
    worked = sum(seconds.values())
    named = {f"{name}_seconds": seconds[name] for name in TIME}
    shown = {f"{name}_hours": hours(seconds[name]) for name in TIME}
    return {
        **dict(zip(("period", "client", "project"), key, strict=True)),
        "worked_seconds": worked,
        "worked_hours": hours(worked),
        **named,
        **shown,
    }


def _money(key: MoneyKey, amounts: Mapping[str, Decimal]) -> dict[str, Any]:
    """Return a row at the currency's minor units; what that cuts off counts as rounding."""
    currency = key[3]
    shown = {name: Decimal(money(amounts[name], currency)) for name in (*VALUE, *MONEY)}
    left = sum((shown[name] for name in VALUE), Decimal(0))
    shown["rounding"] += left - sum((shown[name] for name in MONEY), Decimal(0))
    return {
        **dict(zip(("period", "client", "project", "currency"), key, strict=True)),
        **{name: money(amount, currency) for name, amount in shown.items()},
        "realisation_percent": percent(shown["billed"], left),
    }


def _sortable(key: tuple[str | None, ...]) -> tuple[tuple[bool, str], ...]:
    return tuple((part is not None, part or "") for part in key)
