"""From the price of each entry by itself to what documents bill: every cent has a cause.

``entries + line_grouping + billing_increment + rounding + discount + adjustment + capped +
converted + flat_fee + changed + credited + supplemented = billed`` for each client, project and
currency; before tax.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, text

from hourbridge.common.money import decimal_text, minor_unit_digits, round_money
from hourbridge.reconciler.figures import summed

STEPS = (
    "line_grouping",
    "billing_increment",
    "rounding",
    "discount",
    "adjustment",
    "capped",
    "converted",
    "flat_fee",
    "changed",
    "credited",
    "supplemented",
)
_CURRENCIES = text("SELECT DISTINCT currency FROM seen_document WHERE book = :book")
# A line that a cap cut is priced up to what it would have come to; one that is stated as one unit
# of its amount has no rate to compare.
_LINES = text(
    """
    WITH digits AS (SELECT key AS currency, value::int AS digits
                    FROM jsonb_each_text(CAST(:digits AS jsonb))),
    line AS (
        SELECT l.*, coalesce(l.client, l.document_client) AS payer, digits.digits,
               CASE l.kind WHEN 'credit_memo' THEN -1 ELSE 1 END AS sign
        FROM live_line l JOIN digits USING (currency) WHERE l.book = :book AND l.is_sale
    ),
    billed AS (
        SELECT line_id, currency, unit_price, digits, quantity = 1 AND billed_seconds <> 3600
               AS is_one_unit, unnest(charge_ids) AS charge_id FROM line
    ),
    entry AS (
        SELECT billed.line_id,
               sum(coalesce(c.amount, c.rate * c.billable_seconds / 3600)) AS exact,
               sum(round(coalesce(c.amount, c.rate * c.billable_seconds / 3600), digits)) AS singly,
               max(c.rate) AS rate, coalesce(sum(c.worked_seconds), 0) AS worked_seconds,
               coalesce(bool_or(c.flat_fee_key IS NOT NULL), false) AS is_fee,
               coalesce(bool_or(c.currency <> billed.currency), false) AS is_converted,
               coalesce(bool_or(c.rate <> billed.unit_price AND NOT is_one_unit), false)
                   AS has_other_rate
        FROM billed LEFT JOIN (SELECT * FROM current_charge WHERE book = :book) c USING (charge_id)
        GROUP BY billed.line_id
    ),
    kind AS (
        SELECT line.*, coalesce(entry.exact, 0) AS exact, coalesce(entry.singly, 0) AS singly,
               coalesce(entry.rate, unit_price) AS rate, sign * amount AS signed,
               CASE WHEN credits_line_id IS NOT NULL THEN 'credited'
                    WHEN supplements_line_id IS NOT NULL THEN 'supplemented'
                    WHEN entry.is_fee THEN 'flat_fee'
                    WHEN entry.is_converted THEN 'converted'
                    WHEN entry.worked_seconds IS DISTINCT FROM line.worked_seconds
                         OR entry.has_other_rate THEN 'changed'
                    ELSE 'priced' END AS sort
        FROM line LEFT JOIN entry USING (line_id)
    ),
    step AS (
        SELECT payer AS client, project, currency, signed AS billed, sort,
               CASE WHEN sort IN ('priced', 'changed') THEN singly ELSE 0 END AS entries,
               CASE WHEN sort = 'priced' THEN round(exact, digits) - singly ELSE 0 END
                   AS line_grouping,
               CASE WHEN sort = 'priced' AND billed_seconds + capped_seconds > 0
                    THEN round((billed_seconds + capped_seconds) * rate / 3600, digits)
                         - round(exact, digits) ELSE 0 END AS billing_increment,
               CASE WHEN sort = 'priced' THEN -sign * discount ELSE 0 END AS discount,
               CASE WHEN sort = 'priced' THEN sign * adjustment ELSE 0 END AS adjustment,
               CASE WHEN sort = 'priced' THEN -sign * capped_amount ELSE 0 END AS capped
        FROM kind
    )
    SELECT client, project, currency, sum(billed) AS billed, sum(entries) AS entries,
           sum(line_grouping) AS line_grouping, sum(billing_increment) AS billing_increment,
           sum(CASE WHEN sort = 'priced' THEN billed - entries - line_grouping
               - billing_increment - discount - adjustment - capped ELSE 0 END) AS rounding,
           sum(discount) AS discount, sum(adjustment) AS adjustment, sum(capped) AS capped,
           sum(CASE WHEN sort = 'converted' THEN billed ELSE 0 END) AS converted,
           sum(CASE WHEN sort = 'flat_fee' THEN billed ELSE 0 END) AS flat_fee,
           sum(CASE WHEN sort = 'changed' THEN billed - entries ELSE 0 END) AS changed,
           sum(CASE WHEN sort = 'credited' THEN billed ELSE 0 END) AS credited,
           sum(CASE WHEN sort = 'supplemented' THEN billed ELSE 0 END) AS supplemented
    FROM step GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """
)


def pricing_bridge(connection: Connection, book: str) -> list[dict[str, Any]]:
    """Return the bridge by client, project and currency; money as text at minor units."""
    currencies = connection.execute(_CURRENCIES, {"book": book}).scalars()
    digits = {currency: minor_unit_digits(currency) for currency in currencies}
    parameters = {"book": book, "digits": to_json(digits).decode()}
    rows = [dict(row) for row in connection.execute(_LINES, parameters).mappings()]
    totals = summed(rows, by=("currency",), of=("entries", *STEPS, "billed"))
    whole = [{"client": None, "project": None, **row} for row in totals]
    return [_written(row) for row in (*rows, *whole)]


def _written(row: Mapping[str, Any]) -> dict[str, Any]:
    money = {
        name: decimal_text(round_money(Decimal(row[name]), row["currency"]))
        for name in ("entries", *STEPS, "billed")
    }
    return {
        "client": row["client"],
        "project": row["project"],
        "currency": row["currency"],
        **money,
    }
