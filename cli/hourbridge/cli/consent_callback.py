"""Where a consent page sends a browser back to: a port of this machine, open for one answer."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from hourbridge.common.clock import Clock, SystemClock
from hourbridge.common.runtime.admin import RequestInvalid

PATH = "/callback"
_LOOPBACK = "127.0.0.1"
_POLL_SECONDS = 1
_THANKS = b"Hourbridge has the answer. You can close this page."


class _Server(HTTPServer):
    answer: dict[str, str] | None = None


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        place = urlsplit(self.path)
        if place.path != PATH:
            self.send_error(404)
            return
        if isinstance(self.server, _Server):
            self.server.answer = _first_values(place.query)
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(_THANKS)

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: the address that was asked for holds the code."""


class Callback:
    """Listens on a port of this machine; 0 takes a free one."""

    def __init__(self, port: int, clock: Clock | None = None) -> None:
        self._server = _Server((_LOOPBACK, port), _Handler)
        self._server.timeout = _POLL_SECONDS
        self._clock = clock or SystemClock()

    @property
    def address(self) -> str:
        """What the app must be registered with as its redirect address."""
        return f"http://localhost:{self._server.server_port}{PATH}"

    def wait(self, seconds: int) -> dict[str, str]:
        """Return what the page sent back; raises RequestInvalid when nothing came in time."""
        deadline_seconds = self._clock.monotonic_seconds() + seconds
        try:
            while self._server.answer is None:
                if self._clock.monotonic_seconds() > deadline_seconds:
                    raise RequestInvalid(
                        f"no answer came within {seconds} seconds",
                        advice="Begin again, with --paste if the browser runs on another machine.",
                    )
                self._server.handle_request()
        finally:
            self._server.server_close()
        return self._server.answer


def answer_in(pasted: str) -> dict[str, str]:
    """Return the answer in an address that a browser was sent to."""
    return _first_values(urlsplit(pasted.strip()).query)


def given_consent(answer: dict[str, str], state: str) -> dict[str, str]:
    """Return what to send on; raises RequestInvalid for a refusal or somebody else's answer."""
    if "error" in answer:
        raise RequestInvalid(f"no consent was given: {answer['error']}")
    missing = [name for name in ("code", "state", "realmId") if not answer.get(name)]
    if missing:
        raise RequestInvalid(
            f"the answer lacks {', '.join(missing)}", advice="Paste the whole address."
        )
    if answer["state"] != state:
        raise RequestInvalid("the answer belongs to another request", advice="Begin again.")
    return {"state": state, "code": answer["code"], "realm_id": answer["realmId"]}


def _first_values(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
