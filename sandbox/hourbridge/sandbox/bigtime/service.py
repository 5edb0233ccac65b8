"""Answering calls: gate, route, permission; all under the world's lock."""

from __future__ import annotations

from hourbridge.sandbox.bigtime import gate
from hourbridge.sandbox.bigtime.async_work import async_routes
from hourbridge.sandbox.bigtime.calls import Answer, Asked, Call, Route, json_answer, read_json
from hourbridge.sandbox.bigtime.expense_routes import expense_routes
from hourbridge.sandbox.bigtime.invoice_routes import invoice_routes
from hourbridge.sandbox.bigtime.list_routes import list_routes
from hourbridge.sandbox.bigtime.picklists import picklist_routes
from hourbridge.sandbox.bigtime.project_routes import project_routes
from hourbridge.sandbox.bigtime.refusals import Refusal, forbidden, invalid, not_found
from hourbridge.sandbox.bigtime.reports import report_routes
from hourbridge.sandbox.bigtime.session_routes import log_in, session_routes
from hourbridge.sandbox.bigtime.settings_routes import settings_routes
from hourbridge.sandbox.bigtime.staff_routes import staff_routes
from hourbridge.sandbox.bigtime.time_routes import time_routes
from hourbridge.sandbox.bigtime.values import Row
from hourbridge.sandbox.bigtime.world import World
from hourbridge.sandbox.common.audit import Exchange

LOG_IN = "session"


class Service:
    """Carries out calls on a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._routes = [
            *session_routes(world),
            *list_routes(),
            *project_routes(),
            *staff_routes(),
            *picklist_routes(),
            *time_routes(),
            *settings_routes(),
            *report_routes(),
            *invoice_routes(),
            *expense_routes(),
            *async_routes(),
        ]

    def answer(self, call: Call, exchange: Exchange) -> Answer:
        """Return the answer to one call and record what became of it in ``exchange``."""
        with self._world.lock:
            try:
                answer = self._carry_out(call, exchange)
            except Refusal as refusal:
                return self.refuse(refusal, exchange)
            exchange.outcome, exchange.status = "executed", answer.status
            return answer

    def refuse(self, refusal: Refusal, exchange: Exchange) -> Answer:
        """Return the answer for a refusal and record it."""
        outcomes = {401: "unauthorized", 429: "throttled"}
        exchange.outcome = outcomes.get(refusal.status, "refused")
        exchange.status, exchange.code = refusal.status, str(refusal.status)
        return json_answer(refusal.body(), refusal.status)

    def is_write(self, call: Call) -> bool:
        """Return whether the call may change the books."""
        found = self._find(call)
        return found is not None and found[0].is_write

    def _carry_out(self, call: Call, exchange: Exchange) -> Answer:
        if call.route == LOG_IN and call.method == "POST":
            return json_answer(log_in(self._world, call, _credentials(call)))
        firm, caller = gate.admit(self._world, call)
        exchange.realm = firm.realm
        found = self._find(call)
        if found is None:
            raise not_found(f"{call.method} {call.route}")
        route, parts = found
        if route.permission == "admin" and not caller.is_admin:
            raise forbidden("do this")
        if route.is_write and not caller.may_write:
            raise forbidden("write with this key")
        content = route.handler(Asked(firm, caller, call, parts))
        if route.is_write:
            exchange.action, exchange.kind = call.method.lower(), route.pattern
        return content if isinstance(content, Answer) else json_answer(content)

    def _find(self, call: Call) -> tuple[Route, tuple[str, ...]] | None:
        for route in self._routes:
            parts = route.match(call.method, call.path)
            if parts is not None:
                return route, parts
        return None


def _credentials(call: Call) -> Row:
    body = read_json(call.body)
    if not isinstance(body, dict):
        raise invalid("UserId and Pwd are required.")
    return body
