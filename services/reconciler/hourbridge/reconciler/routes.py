"""The admin HTTP API: reconcile now, discrepancies, reports. Money and hours as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hourbridge.common.clock import Clock
from hourbridge.common.runtime.admin import (
    NotFound,
    RequestInvalid,
    Role,
    json_response,
    require,
)
from hourbridge.common.store.engine import Store
from hourbridge.reconciler.categories import categories
from hourbridge.reconciler.discrepancies import accept, listed
from hourbridge.reconciler.notes import read_note
from hourbridge.reconciler.reconcile import Reconciler
from hourbridge.reconciler.residue import residue_report
from hourbridge.reconciler.seen_sources import configuration_of
from hourbridge.reconciler.settings import ReconcilerSettings
from hourbridge.reconciler.status import last_totals, status_report
from hourbridge.reconciler.time_to_invoice import time_to_invoice_report
from hourbridge.reconciler.totals import control_totals, totals_hash
from hourbridge.reconciler.unbilled import unbilled_report
from hourbridge.reconciler.whole_book import whole_book

_LIMIT_MAX = 1000
_WAIT_SECONDS = 40.0
"""Longer than the lease of a run whose process died."""
_STATES = ("open", "resolved", "all")


class ReconcilerRoutes:
    """Handlers run in the server's worker threads."""

    def __init__(
        self, settings: ReconcilerSettings, *, store: Store, clock: Clock, reconciler: Reconciler
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._reconciler = reconciler

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes for the service runner."""
        book = "/v1/books/{book}"
        return (
            Route(f"{book}/reconcile", self.reconcile, methods=["POST"]),
            Route(f"{book}/discrepancies", self.discrepancies),
            Route(f"{book}/discrepancies/{{id}}/accept", self.accept, methods=["POST"]),
            Route(f"{book}/reports/totals", self.totals),
            Route(f"{book}/reports/unbilled", self.unbilled),
            Route(f"{book}/reports/categories", self.categories),
            Route(f"{book}/reports/residue", self.residue),
            Route(f"{book}/reports/status", self.status),
            Route(f"{book}/reports/time-to-invoice", self.time_to_invoice),
        )

    def reconcile(self, request: Request) -> Response:
        """Run a reconciliation and return its summary with the open discrepancies."""
        actor = require(request, Role.OPERATOR)
        book = request.path_params["book"]
        summary = self._reconciler.reconcile(book, asked_by=actor.name, wait_seconds=_WAIT_SECONDS)
        with self._store.transaction() as connection:
            found = listed(connection, book, state="open", cause=None, limit=_LIMIT_MAX)
        return json_response({**asdict(summary), "discrepancies": found})

    def discrepancies(self, request: Request) -> Response:
        """List discrepancies by state (open, resolved, all) and cause."""
        require(request, Role.VIEWER)
        state = request.query_params.get("state", "open")
        if state not in _STATES:
            raise RequestInvalid(f"state is one of {', '.join(_STATES)}", state=state)
        with self._store.transaction() as connection:
            found = listed(
                connection,
                request.path_params["book"],
                state=state,
                cause=request.query_params.get("cause"),
                limit=_number(request, "limit", default=200, most=_LIMIT_MAX),
            )
        return json_response({"discrepancies": found})

    async def accept(self, request: Request) -> Response:
        """Close a discrepancy as it stands, by a person's decision, with a note."""
        actor = require(request, Role.OPERATOR)
        note = await read_note(request, "a note says why the difference is accepted")
        await run_in_threadpool(self._accept, request.path_params, actor.name, note)
        return json_response({"accepted": request.path_params["id"]})

    def _accept(self, path: dict[str, str], actor: str, note: str) -> None:
        now = self._clock.now()
        with self._store.transaction() as connection:
            accept(connection, path["book"], path["id"], actor=actor, note=note, now=now)

    def totals(self, request: Request) -> Response:
        """Return the totals of every level as they are now, or with ``run=last`` as last fixed."""
        require(request, Role.VIEWER)
        book = request.path_params["book"]
        with whole_book(self._store) as connection:
            if request.query_params.get("run") == "last":
                fixed = last_totals(connection, book)
                if fixed is None:
                    raise NotFound("this book was never reconciled", book=book)
                return json_response({"book": book, **fixed, **fixed.pop("totals")})
            now = control_totals(connection, book)
        return json_response({"book": book, "totals_hash": totals_hash(now), **now})

    def unbilled(self, request: Request) -> Response:
        """Return unbilled work; ``older_than_days`` sets from when on it is leakage."""
        require(request, Role.VIEWER)
        book = request.path_params["book"]
        after = _number(
            request, "older_than_days", default=self._settings.leakage_after_days, most=36_500
        )
        with whole_book(self._store) as connection:
            today = self._today(connection, book)
            report = unbilled_report(connection, book, today=today, leakage_after_days=after)
        return json_response(report)

    def categories(self, request: Request) -> Response:
        """Return where worked time and its value went, by month, client and project."""
        return self._report(request, categories)

    def residue(self, request: Request) -> Response:
        """Return what rounding took and added, of all documents or of one ``period``."""
        require(request, Role.VIEWER)
        book, period = request.path_params["book"], request.query_params.get("period")
        with whole_book(self._store) as connection:
            return json_response(residue_report(connection, book, period))

    def status(self, request: Request) -> Response:
        """Return where the book stands."""
        return self._report(request, status_report)

    def time_to_invoice(self, request: Request) -> Response:
        """Return the distribution of time-to-invoice."""
        return self._report(request, time_to_invoice_report)

    def _report(self, request: Request, report: Any) -> Response:
        require(request, Role.VIEWER)
        with whole_book(self._store) as connection:
            return json_response(report(connection, request.path_params["book"]))

    def _today(self, connection: Connection, book: str) -> date:
        configuration = configuration_of(connection, book)
        zone = ZoneInfo(configuration.zone) if configuration else ZoneInfo("UTC")
        return self._clock.now().astimezone(zone).date()


def _number(request: Request, name: str, *, default: int, most: int) -> int:
    given = request.query_params.get(name)
    if given is None:
        return default
    if not given.isdecimal() or int(given) > most:
        raise RequestInvalid(f"{name} is a whole number up to {most}", given=given)
    return int(given)
