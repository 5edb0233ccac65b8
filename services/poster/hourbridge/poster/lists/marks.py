"""Posting states that a tracker is to be told, as rows of the list lanes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hourbridge.connectors.marking import Mark
from hourbridge.poster.lists.operation_store import TakenChange


def mark_of(taken: TakenChange) -> Mark:
    """Return what is to be told."""
    told: Any = taken.request
    return Mark(
        operation_key=taken.operation_key,
        kind=told["kind"],
        external_id=told["external_id"],
        number=told["number"],
        ledger_id=told["ledger_id"],
        total=Decimal(told["total"]),
        currency=told["currency"],
        on=date.fromisoformat(told["on"]),
        paid=Decimal(told["paid"]),
        is_repeat=taken.was_uncertain,
    )
