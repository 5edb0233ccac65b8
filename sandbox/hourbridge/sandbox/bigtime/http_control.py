"""The control interface under ``/_sandbox``: JSON in, JSON out, for tests and demonstrations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.exact_json import dumps, loads
from hourbridge.sandbox.bigtime import people
from hourbridge.sandbox.bigtime.firm import Firm
from hourbridge.sandbox.bigtime.overview import listed, overview
from hourbridge.sandbox.bigtime.refusals import Refusal
from hourbridge.sandbox.bigtime.seed import seed_firm
from hourbridge.sandbox.bigtime.world import World

Handler = Callable[[Request, Any], Any]


class ControlEndpoints:
    """Switches and windows into a world."""

    def __init__(self, world: World, snapshot: Path | None = None) -> None:
        self._world = world
        self._snapshot = snapshot

    def routes(self) -> list[Route]:
        """Return the routes."""
        firm = "/_sandbox/firms/{realm}"
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/_sandbox", self._state),
            ("GET", "/_sandbox/faults", self._faults),
            ("PUT", "/_sandbox/faults", self._set_faults),
            ("DELETE", "/_sandbox/faults", self._clear_faults),
            ("PUT", "/_sandbox/settings", self._set_settings),
            ("PUT", "/_sandbox/clock", self._set_clock),
            ("POST", "/_sandbox/sessions/expire", self._expire_sessions),
            ("POST", "/_sandbox/firms", self._seed),
            ("DELETE", "/_sandbox/firms", self._reset),
            ("GET", firm, self._books),
            ("GET", f"{firm}/overview", self._overview),
            ("GET", f"{firm}/lists/{{name}}", self._list),
            ("PUT", f"{firm}/settings", self._set_firm),
            ("POST", f"{firm}/people/{{action}}", self._people),
            ("GET", "/_sandbox/audit", self._audit),
            ("POST", "/_sandbox/snapshot", self._save),
        ]
        return [Route(path, self._guarded(do), methods=[method]) for method, path, do in table]

    def _guarded(self, do: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            try:
                with self._world.lock:
                    return _json(do(request, loads(body) if body else {}))
            except Refusal as refusal:
                return _json({"error": str(refusal), "code": str(refusal.status)}, 409)
            except KeyError as error:
                return _json({"error": f"unknown or missing: {error}"}, 404)
            except (ValueError, TypeError) as error:
                return _json({"error": str(error)}, 400)

        return endpoint

    def _firm(self, request: Request) -> Firm:
        return self._world.firms[request.path_params["realm"]]

    def _state(self, _request: Request, _body: Any) -> Any:
        return {
            "system": "bigtime",
            "settings": self._world.settings.as_dict(),
            "clock_offset_seconds": self._world.clock.offset_seconds,
            "now": self._world.clock.stamp(),
            "faults": self._world.disturbances.as_dict(),
            "firms": {
                realm: {"name": firm.name, "tenant_id": firm.tenant_id, "time": len(firm.time)}
                for realm, firm in self._world.firms.items()
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

    def _set_settings(self, _request: Request, body: Any) -> Any:
        self._world.settings.change(body)
        return self._world.settings.as_dict()

    def _set_clock(self, _request: Request, body: Any) -> Any:
        """Move the clock by ``offset_seconds``, further by ``add_seconds``, or to ``now``."""
        clock = self._world.clock
        if "now" in body:
            clock.set_to(datetime.fromisoformat(body["now"]))
        elif "add_seconds" in body:
            clock.offset_seconds += int(body["add_seconds"])
        else:
            clock.offset_seconds = int(body["offset_seconds"])
        return {"now": clock.stamp(), "offset_seconds": clock.offset_seconds}

    def _expire_sessions(self, _request: Request, body: Any) -> Any:
        return {"ended": self._world.sessions.end_all(body.get("firm"))}

    def _seed(self, _request: Request, body: Any) -> Any:
        firm = seed_firm(self._world, body)
        return {"realm": firm.realm, "tenant_id": firm.tenant_id, "key": firm.keys[0].key}

    def _books(self, request: Request, _body: Any) -> Any:
        return self._firm(request).dump()

    def _reset(self, _request: Request, _body: Any) -> Any:
        self._world.reset()
        return {}

    def _overview(self, request: Request, _body: Any) -> Any:
        return overview(self._firm(request))

    def _list(self, request: Request, _body: Any) -> Any:
        limit = int(request.query_params.get("limit", 100))
        return listed(self._firm(request), request.path_params["name"], limit)

    def _set_firm(self, request: Request, body: Any) -> Any:
        firm = self._firm(request)
        firm.settings.change(body)
        return firm.settings.as_dict()

    def _people(self, request: Request, body: Any) -> Any:
        return people.act(self._firm(request), request.path_params["action"], body)

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
