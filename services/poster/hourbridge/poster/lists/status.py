"""What is where in the list lanes, and letting a person try again what was refused."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.clock import Clock
from hourbridge.common.runtime.admin import (
    NotFound,
    RequestInvalid,
    Role,
    json_response,
    require,
)
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.common.store.rows import statement
from hourbridge.poster.metrics import WAITING_LIST_CHANGES

STATES = ("pending", "sending", "unknown", "refused")
LIMIT = 200
_COUNTS = statement(
    "SELECT state, count(*) AS count FROM list_operation WHERE state <> 'done' "
    "AND (CAST(:book AS text) IS NULL OR book = :book) GROUP BY 1"
)
_ROWS = statement(
    """
    SELECT id, change_id, book, lane_key AS lane, kind, list_name, origin, state, attempts,
        request #>> '{wanted,name}' AS name, request ->> 'number' AS number, available_at,
        error_code, error_text, created_at, done_at
    FROM list_operation
    WHERE book = :book AND (CAST(:state AS text) IS NULL OR state = :state)
        AND (:state IS NOT NULL OR state <> 'done')
    ORDER BY id LIMIT :limit
    """
)
_RETRY = statement(
    """
    UPDATE list_operation SET state = 'pending', available_at = :now, attempts = 0, told = NULL,
        error_code = NULL, error_text = NULL, done_at = NULL, generation = generation + 1
    WHERE change_id = :change_id AND state = 'refused' RETURNING book
    """
)


class ListStatus:
    """Answers questions about changes of lists."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def refresh_metrics(self) -> None:
        """Set the gauges."""
        with self._store.transaction() as connection:
            counted = _counts(connection, None)
        for state in STATES:
            WAITING_LIST_CHANGES.labels(state).set(counted.get(state, 0))

    def changes(self, book: str, state: str | None, limit: int) -> list[dict[str, Any]]:
        """Return a book's changes, oldest first; by default those that are not done."""
        with self._store.transaction() as connection:
            wanted = {"book": book, "state": state, "limit": limit}
            return [dict(row) for row in connection.execute(_ROWS, wanted).mappings()]

    def retry(self, change_id: str, *, actor: str) -> None:
        """Let a refused change be tried again under its key; raises NotFound if none is refused."""
        now = self._clock.now()
        with self._store.transaction() as connection:
            book = connection.execute(_RETRY, {"change_id": change_id, "now": now}).scalar()
            if book is None:
                raise NotFound("no refused change has this id", change=change_id)
            audit.write(connection, actor=actor, action="list.retry", subject=change_id, book=book)

    def routes(self) -> list[Route]:
        """Return the admin routes."""

        def listed(request: Request) -> Response:
            require(request, Role.VIEWER)
            state = request.query_params.get("state")
            if state is not None and state not in (*STATES, "done"):
                raise RequestInvalid(f"state: one of {', '.join(STATES)} and done")
            rows = self.changes(request.path_params["book"], state, LIMIT)
            return json_response({"changes": rows})

        def retry(request: Request) -> Response:
            actor = require(request, Role.OPERATOR)
            change_id = request.path_params["change_id"]
            self.retry(change_id, actor=actor.name)
            return json_response({"retried": change_id})

        return [
            Route("/v1/books/{book}/list-changes", listed, methods=["GET"]),
            Route("/v1/list-changes/{change_id}/retry", retry, methods=["POST"]),
        ]


def _counts(connection: Connection, book: str | None) -> dict[str, int]:
    return {row.state: row[1] for row in connection.execute(_COUNTS, {"book": book})}
