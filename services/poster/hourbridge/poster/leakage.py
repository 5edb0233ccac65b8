"""Why work was not billed: noted with the work when a run passes it by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from hourbridge.billing.assembly import Leakage
from hourbridge.common.store.rows import bulk, statement

_NOTE = statement(
    """
    UPDATE charge c SET leakage = r.leakage
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(charge_id text, leakage jsonb)
    WHERE c.charge_id = r.charge_id
    """
)
# Charges that were left out together carry the same note: it counts at the first of them.
_NOTED = statement(
    """
    SELECT client, project, leakage ->> 'cause' AS cause, leakage ->> 'currency' AS currency,
        CAST(sum(CAST(leakage ->> 'charges' AS integer)) AS integer) AS charges,
        CAST(sum(CAST(leakage ->> 'seconds' AS bigint)) AS bigint) AS seconds,
        sum(CAST(leakage ->> 'amount' AS numeric)) AS amount
    FROM (
        SELECT client, project, leakage FROM charge
        WHERE book = :book AND state = 'unbilled' AND leakage ->> 'first' = charge_id
        UNION ALL
        SELECT payload #>> '{charge,client}', payload #>> '{charge,project}', leakage
        FROM supplement WHERE book = :book AND leakage IS NOT NULL
    ) AS noted
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2 NULLS FIRST, 3, 4
    """
)


def leakage_note(leaked: Leakage) -> dict[str, Any]:
    """Return why something was not billed, as it is kept with it."""
    return {
        "cause": leaked.cause,
        "seconds": leaked.seconds,
        "amount": str(leaked.amount),
        "currency": leaked.currency,
        "charges": len(leaked.charge_ids),
        "first": leaked.charge_ids[0] if leaked.charge_ids else None,
    }


def note_leakage(connection: Connection, leakage: Sequence[Leakage]) -> None:
    """Remember at each charge that it came to nothing, and why."""
    rows = [
        {"charge_id": charge_id, "leakage": leakage_note(leaked)}
        for leaked in leakage
        for charge_id in leaked.charge_ids
    ]
    if rows:
        bulk(connection, _NOTE, rows)


def noted(connection: Connection, book: str) -> list[Mapping[str, Any]]:
    """Return what runs passed by and is still unbilled, by client, project, cause and currency.

    ``capped`` work waits for room; ``below_step`` and ``below_quantity_unit`` came to nothing by
    rounding. Money as text.
    """
    rows = connection.execute(_NOTED, {"book": book}).mappings()
    return [{**row, "amount": str(row["amount"])} for row in rows]
