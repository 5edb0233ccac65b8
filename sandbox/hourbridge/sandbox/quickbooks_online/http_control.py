"""The control interface under ``/_sandbox``: JSON in, JSON out, for tests and demonstrations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.exact_json import dumps, loads
from hourbridge.sandbox.quickbooks_online import company_profile, general_ledger, people
from hourbridge.sandbox.quickbooks_online.arithmetic import Arithmetic
from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.refusals import Refusal
from hourbridge.sandbox.quickbooks_online.seed import seed_company, seed_from_json
from hourbridge.sandbox.quickbooks_online.webhook_sender import deliver
from hourbridge.sandbox.quickbooks_online.world import World

Handler = Callable[[Request, Any], Any]


class ControlEndpoints:
    """Switches and windows into a world."""

    def __init__(self, world: World, snapshot: Path | None = None) -> None:
        self._world = world
        self._snapshot = snapshot

    def routes(self) -> list[Route]:
        """Return the routes."""
        company = "/_sandbox/companies/{realm}"
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/_sandbox", self._state),
            ("GET", "/_sandbox/faults", self._faults),
            ("PUT", "/_sandbox/faults", self._set_faults),
            ("DELETE", "/_sandbox/faults", self._clear_faults),
            ("GET", "/_sandbox/refusals", self._refusals),
            ("POST", "/_sandbox/refusals", self._add_refusal),
            ("DELETE", "/_sandbox/refusals", self._clear_refusals),
            ("GET", "/_sandbox/webhooks", self._webhooks),
            ("PUT", "/_sandbox/webhooks", self._set_webhooks),
            ("PUT", "/_sandbox/settings", self._set_settings),
            ("PUT", "/_sandbox/clock", self._set_clock),
            ("DELETE", "/_sandbox/requestids", self._forget_request_ids),
            ("POST", "/_sandbox/companies", self._seed),
            ("GET", company, self._books),
            ("GET", f"{company}/creates", self._creates),
            ("GET", f"{company}/general-ledger", self._general_ledger),
            ("GET", f"{company}/trial-balance", self._trial_balance),
            ("PUT", f"{company}/arithmetic", self._set_arithmetic),
            ("PUT", f"{company}/preferences", self._set_preferences),
            ("POST", f"{company}/tokens", self._tokens),
            ("POST", f"{company}/people/{{resource}}", self._people),
            ("GET", "/_sandbox/audit", self._audit),
            ("POST", "/_sandbox/snapshot", self._save),
        ]
        routes = [Route(path, self._guarded(do), methods=[method]) for method, path, do in table]
        deliver_path = "/_sandbox/webhooks/deliver"
        return [*routes, Route(deliver_path, self._deliver, methods=["POST"])]

    async def _deliver(self, _request: Request) -> Response:
        """Send the webhooks that wait; not under the lock, for the receiver may ask back."""
        return _json(await run_in_threadpool(deliver, self._world))

    def _guarded(self, do: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            try:
                with self._world.lock:
                    return _json(do(request, loads(body) if body else {}))
            except Refusal as refusal:
                return _json({"error": str(refusal), "code": refusal.code}, 409)
            except KeyError as error:
                return _json({"error": f"unknown or missing: {error}"}, 404)
            except (ValueError, TypeError) as error:
                return _json({"error": str(error)}, 400)

        return endpoint

    def _company(self, request: Request) -> Company:
        return self._world.companies[request.path_params["realm"]]

    def _state(self, _request: Request, _body: Any) -> Any:
        return {
            "settings": self._world.settings.as_dict(),
            "clock_offset_seconds": self._world.clock.offset_seconds,
            "faults": self._world.disturbances.as_dict(),
            "companies": {
                realm: {
                    "name": company.info["CompanyName"],
                    "entities": {kind: len(table) for kind, table in company.tables.items()},
                    "refreshes": self._world.tokens.refreshes_of(realm),
                }
                for realm, company in self._world.companies.items()
            },
        }

    def _faults(self, _request: Request, _body: Any) -> Any:
        return self._world.disturbances.as_dict()

    def _set_faults(self, request: Request, body: Any) -> Any:
        for name, values in body.items():
            self._world.disturbances.set(name, values)
        return self._faults(request, body)

    def _clear_faults(self, request: Request, body: Any) -> Any:
        self._world.disturbances.clear()
        return self._faults(request, body)

    def _refusals(self, _request: Request, _body: Any) -> Any:
        return self._world.refusals.as_list()

    def _add_refusal(self, request: Request, body: Any) -> Any:
        self._world.refusals.add(body)
        return self._refusals(request, body)

    def _clear_refusals(self, request: Request, body: Any) -> Any:
        self._world.refusals.clear()
        return self._refusals(request, body)

    def _webhooks(self, _request: Request, _body: Any) -> Any:
        return self._world.webhooks.as_dict()

    def _set_webhooks(self, request: Request, body: Any) -> Any:
        self._world.webhooks.subscribe(body)
        return self._webhooks(request, body)

    def _set_settings(self, _request: Request, body: Any) -> Any:
        self._world.settings.change(body)
        return self._world.settings.as_dict()

    def _set_clock(self, _request: Request, body: Any) -> Any:
        self._world.clock.offset_seconds = int(body["offset_seconds"])
        return {"now": self._world.clock.stamp()}

    def _forget_request_ids(self, _request: Request, _body: Any) -> Any:
        self._world.memory.forget_all()
        return {}

    def _seed(self, _request: Request, body: Any) -> Any:
        seed = seed_from_json(body)
        return {"realm": seed.realm, "refresh_token": seed_company(self._world, seed)}

    def _books(self, request: Request, _body: Any) -> Any:
        company = self._company(request)
        return {
            "info": company.info,
            "preferences": company.preferences,
            "tables": {kind: list(table.values()) for kind, table in company.tables.items()},
        }

    def _creates(self, request: Request, _body: Any) -> Any:
        return self._world.audit.creates(self._company(request).realm)

    def _general_ledger(self, request: Request, _body: Any) -> Any:
        return [asdict(row) for row in general_ledger.rows(self._company(request))]

    def _trial_balance(self, request: Request, _body: Any) -> Any:
        return general_ledger.trial_balance(self._company(request))

    def _set_arithmetic(self, request: Request, body: Any) -> Any:
        company = self._company(request)
        company.arithmetic = Arithmetic.from_json(company.arithmetic.as_json() | body)
        return company.arithmetic.as_json()

    def _set_preferences(self, request: Request, body: Any) -> Any:
        return company_profile.set_by_person(self._company(request), body)

    def _tokens(self, request: Request, body: Any) -> Any:
        realm = self._company(request).realm
        action = body["action"]
        if action == "expire_access":
            self._world.tokens.expire_access(realm)
        elif action == "invalidate_refresh":
            self._world.tokens.invalidate_refresh(realm)
        elif action == "disconnect":
            self._world.tokens.disconnect(realm)
        elif action == "connect":
            return {"refresh_token": self._world.tokens.connect(realm)}
        elif action == "code":
            return {"code": self._world.tokens.new_code(realm)}
        else:
            raise ValueError(f"unknown action {action!r}")
        return {}

    def _people(self, request: Request, body: Any) -> Any:
        return people.act(self._company(request), request.path_params["resource"], body)

    def _audit(self, request: Request, _body: Any) -> Any:
        query = request.query_params
        return self._world.audit.exchanges(
            after=int(query.get("after", 0)),
            realm=query.get("realm"),
            limit=int(query.get("limit", 10_000)),
        )

    def _save(self, _request: Request, _body: Any) -> Any:
        if self._snapshot is None:
            raise ValueError("the server was started without a snapshot file")
        self._world.save(self._snapshot)
        return {"snapshot": str(self._snapshot)}


def _json(content: Any, status: int = 200) -> Response:
    return Response(dumps(content), status, media_type="application/json")
