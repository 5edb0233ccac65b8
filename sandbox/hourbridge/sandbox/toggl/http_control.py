"""The control interface under ``/_sandbox``: JSON in, JSON out, for tests and demonstrations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.exact_json import dumps, loads
from hourbridge.sandbox.toggl.seed import seed_workspace
from hourbridge.sandbox.toggl.sender import Manner, Sender
from hourbridge.sandbox.toggl.world import World

Handler = Callable[[Request, Any], Any]


class ControlEndpoints:
    """Switches and windows into a world."""

    def __init__(self, world: World, sender: Sender) -> None:
        self._world = world
        self._sender = sender

    def routes(self) -> list[Route]:
        """Return the routes."""
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/_sandbox", self._state),
            ("PUT", "/_sandbox/faults", self._set_faults),
            ("DELETE", "/_sandbox/faults", self._clear_faults),
            ("PUT", "/_sandbox/settings", self._set_settings),
            ("PUT", "/_sandbox/clock", self._set_clock),
            ("POST", "/_sandbox/workspaces", self._seed),
            ("GET", "/_sandbox/events", self._events),
            ("POST", "/_sandbox/deliver", self._deliver),
            ("POST", "/_sandbox/redeliver", self._redeliver),
            ("POST", "/_sandbox/ping/{subscription}", self._ping),
            ("GET", "/_sandbox/audit", self._audit),
        ]
        return [Route(path, self._guarded(do), methods=[method]) for method, path, do in table]

    def _guarded(self, do: Handler) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            try:
                content = await run_in_threadpool(do, request, loads(body) if body else {})
            except KeyError as error:
                return _json({"error": f"unknown or missing: {error}"}, 404)
            except (ValueError, TypeError) as error:
                return _json({"error": str(error)}, 400)
            return _json(content)

        return endpoint

    def _state(self, _request: Request, _body: Any) -> Any:
        with self._world.lock:
            return {
                "system": "toggl",
                "settings": asdict(self._world.settings),
                "now": self._world.clock.stamp(),
                "faults": self._world.disturbances.as_dict(),
                "workspaces": list(self._world.workspaces.values()),
                "objects": {name: len(table) for name, table in self._world.tables.items()},
                "undelivered": len(self._world.undelivered),
            }

    def _set_faults(self, _request: Request, body: Any) -> Any:
        with self._world.lock:
            for name, values in body.items():
                self._world.disturbances.set(name, values)
            return self._world.disturbances.as_dict()

    def _clear_faults(self, _request: Request, _body: Any) -> Any:
        with self._world.lock:
            self._world.disturbances.clear()
            return self._world.disturbances.as_dict()

    def _set_settings(self, _request: Request, body: Any) -> Any:
        with self._world.lock:
            self._world.settings.change(body)
            return asdict(self._world.settings)

    def _set_clock(self, _request: Request, body: Any) -> Any:
        with self._world.lock:
            self._world.clock.offset_seconds = int(body["offset_seconds"])
            return {"now": self._world.clock.stamp()}

    def _seed(self, _request: Request, body: Any) -> Any:
        with self._world.lock:
            return seed_workspace(self._world, body)

    def _events(self, _request: Request, _body: Any) -> Any:
        with self._world.lock:
            return list(self._world.events)

    def _deliver(self, _request: Request, body: Any) -> Any:
        return [asdict(sent) for sent in self._sender.deliver(Manner(**body))]

    def _redeliver(self, _request: Request, body: Any) -> Any:
        return [asdict(sent) for sent in self._sender.redeliver(int(body.get("count", 1)))]

    def _ping(self, request: Request, _body: Any) -> Any:
        return {"validated": self._sender.ping(int(request.path_params["subscription"]))}

    def _audit(self, _request: Request, _body: Any) -> Any:
        with self._world.lock:
            return self._world.audit.exchanges()


def _json(content: Any, status: int = 200) -> Response:
    return Response(dumps(content), status, media_type="application/json")
