"""Top-up requests of evergreen retainers: one open at a time, met when the balance suffices."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.store.rows import statement

_ASK = statement(
    """
    INSERT INTO retainer_top_up (retainer_id, asked_at, balance, amount)
    VALUES (:retainer_id, :now, :balance, :amount)
    ON CONFLICT (retainer_id) WHERE met_at IS NULL DO UPDATE SET
        balance = excluded.balance, amount = excluded.amount
    """
)
_MET = statement(
    "UPDATE retainer_top_up SET met_at = :now WHERE retainer_id = :retainer_id AND met_at IS NULL"
)
_OPEN = statement(
    """
    SELECT t.retainer_id, r.client, r.engagement, r.currency, t.asked_at, t.balance, t.amount
    FROM retainer_top_up t JOIN retainer r ON r.retainer_id = t.retainer_id
    WHERE r.book = :book AND t.met_at IS NULL ORDER BY r.client, r.engagement
    """
)


def note(
    connection: Connection,
    retainer_id: str,
    balance: Decimal,
    amount: Decimal | None,
    now: datetime,
) -> None:
    """Ask the client for ``amount``, or, for None, record that the balance suffices again."""
    if amount is None:
        connection.execute(_MET, {"retainer_id": retainer_id, "now": now})
        return
    asked = {"retainer_id": retainer_id, "balance": balance, "amount": amount, "now": now}
    connection.execute(_ASK, asked)


def open_requests(connection: Connection, book: str) -> list[dict[str, Any]]:
    """Return what clients of a book are to be asked for."""
    return [dict(row) for row in connection.execute(_OPEN, {"book": book}).mappings()]
