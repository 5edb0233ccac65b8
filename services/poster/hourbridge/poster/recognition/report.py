"""What people are shown of recognition: schedules, the unbilled asset, what invoices realised."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from hourbridge.billing.recognition.deferrals import parts_of
from hourbridge.billing.recognition.unbilled import Invoiced, realisation_percent
from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import statement
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.open_items import read_items
from hourbridge.poster.recognition import store

_UNBILLED = statement(
    """
    SELECT client, sum(amount) AS amount FROM recognized_work
    WHERE book = :book GROUP BY client HAVING sum(amount) <> 0 ORDER BY client
    """
)
_REALISED = statement(
    """
    SELECT client, coalesce(project, '') AS project, sum(recognized) AS recognized,
        sum(gross) AS gross, sum(billed) AS billed
    FROM recognized_line WHERE book = :book GROUP BY 1, 2 ORDER BY 1, 2
    """
)


class RecognitionReport:
    """Answers questions about recognition; changes nothing."""

    def __init__(self, entries: Store) -> None:
        self._store = entries

    def of_book(self, book: str) -> dict[str, Any]:
        """Return schedules, the asset by client, and billed against standard by project."""
        with self._store.transaction() as connection:
            configured = configuration_of(connection, book)
            if configured is None:
                raise NotFound("the book is not configured", book=book)
            currency = configured.configuration.currency
            return {
                "currency": currency,
                "deferrals": _deferrals(connection, book, currency),
                "unbilled": _rows(connection, _UNBILLED, book),
                "realisation": [_realised(row) for row in _rows(connection, _REALISED, book)],
            }


def _deferrals(connection: Connection, book: str, currency: str) -> list[dict[str, Any]]:
    earned = store.releases_of(connection, book)
    deferrals = store.deferrals_of(connection, book)
    documents = read_items(connection, {deferral.document_id for deferral in deferrals})
    rows = []
    for deferral in deferrals:
        so_far = sum((part.amount for part in earned.get(deferral.line_id, [])), Decimal(0))
        parts = parts_of(deferral.schedule, currency)
        rows.append(
            {
                "number": documents[deferral.document_id].document.number,
                "client": deferral.client,
                "first_month": f"{deferral.schedule.first_month:%Y-%m}",
                "last_month": f"{parts[-1].month:%Y-%m}",
                "total": deferral.schedule.total,
                "earned": so_far,
                "deferred": deferral.schedule.total - so_far,
                "months": [_month(part.month, part.amount) for part in parts],
            }
        )
    return rows


def _month(month: date, amount: Decimal) -> dict[str, Any]:
    return {"month": f"{month:%Y-%m}", "amount": amount}


def _realised(row: dict[str, Any]) -> dict[str, Any]:
    made = Invoiced(row["recognized"], row["gross"], row["billed"])
    percent = realisation_percent([made])
    return {**row, "written_down": made.written_down, "realisation_percent": percent}


def _rows(connection: Connection, sql: Any, book: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sql, {"book": book}).mappings()]
