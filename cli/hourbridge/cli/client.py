"""A thin client of the services' admin HTTP; turns refusals into errors that people can read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx

from hourbridge.cli.settings import ClientSettings
from hourbridge.common.errors import DependencyUnavailable, HourbridgeError

SERVICES = ("ingestor", "mapper", "poster", "reconciler")
CONNECT_TIMEOUT_SECONDS = 5
TOKEN_ADVICE = "Set HOURBRIDGE_ADMIN_TOKEN to one of the tokens in HOURBRIDGE_ADMIN_TOKENS."


class ServiceRefused(HourbridgeError):
    """A service answered with an error; ``refusal`` is the service's own code for it."""

    code = "service_refused"
    advice = "See the service's own words."

    def __init__(self, what: str, *, refusal: str = "", advice: str | None = None, **ids: Any):
        super().__init__(what, advice=advice, **ids)
        self.refusal = refusal


class ServiceUnreachable(DependencyUnavailable):
    """A service does not answer."""

    code = "service_unreachable"
    advice = "Start it (`hourbridge run all`) or set HOURBRIDGE_<SERVICE>_URL."


class AdminClient:
    """Speaks to all four services as one actor."""

    def __init__(self, settings: ClientSettings) -> None:
        self._settings = settings
        token = settings.admin_token.get_secret_value()
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(settings.client_timeout_seconds, connect=CONNECT_TIMEOUT_SECONDS),
        )

    def close(self) -> None:
        """Close connections."""
        self._http.close()

    def get(self, service: str, path: str, **query: Any) -> Any:
        """Return the JSON answer of a GET."""
        return self._call("GET", service, path, params=_present(query))

    def post(
        self,
        service: str,
        path: str,
        body: Any = None,
        *,
        content: bytes | None = None,
        query: dict[str, Any] | None = None,
    ) -> Any:
        """Return the JSON answer of a POST of JSON ``body`` or raw ``content``."""
        arguments: dict[str, Any] = {"params": _present(query or {})}
        if content is not None:
            arguments["content"] = content
        elif body is not None:
            arguments["json"] = body
        return self._call("POST", service, path, **arguments)

    def delete(self, service: str, path: str) -> Any:
        """Return the JSON answer of a DELETE."""
        return self._call("DELETE", service, path)

    def stream_lines(
        self, service: str, path: str, content: Iterator[bytes], query: dict[str, Any]
    ) -> Iterator[Any]:
        """POST ``content`` and yield each JSON line of the answer as it arrives."""
        url = self._settings.url_of(service) + path
        try:
            with self._http.stream(
                "POST", url, content=content, params=_present(query), timeout=None
            ) as response:
                if response.status_code >= 400:
                    response.read()
                    raise _refusal(service, response)
                for line in response.iter_lines():
                    if line:
                        yield json.loads(line)
        except httpx.TransportError as error:
            raise _unreachable(service, url, error) from None

    def stream_text(self, service: str, path: str, query: dict[str, Any]) -> Iterator[str]:
        """GET text and yield it piece by piece as it arrives."""
        url = self._settings.url_of(service) + path
        try:
            with self._http.stream("GET", url, params=_present(query), timeout=None) as response:
                if response.status_code >= 400:
                    response.read()
                    raise _refusal(service, response)
                yield from response.iter_text()
        except httpx.TransportError as error:
            raise _unreachable(service, url, error) from None

    def text(self, service: str, path: str) -> str:
        """Return the answer of a GET as text."""
        return self._request("GET", service, path).text

    def _call(self, method: str, service: str, path: str, **arguments: Any) -> Any:
        response = self._request(method, service, path, **arguments)
        return response.json() if response.content else None

    def _request(self, method: str, service: str, path: str, **arguments: Any) -> httpx.Response:
        url = self._settings.url_of(service) + path
        try:
            response = self._http.request(method, url, **arguments)
        except httpx.TransportError as error:
            raise _unreachable(service, url, error) from None
        if response.status_code >= 400:
            raise _refusal(service, response)
        return response


def _present(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


def _unreachable(service: str, url: str, error: httpx.TransportError) -> HourbridgeError:
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        return ServiceUnreachable(
            "no answer in time; the service may still be working on it",
            advice="Look at what it did, or set HOURBRIDGE_CLIENT_TIMEOUT_SECONDS higher.",
            service=service,
            url=url,
        )
    return ServiceUnreachable(str(error) or type(error).__name__, service=service, url=url)


def _refusal(service: str, response: httpx.Response) -> ServiceRefused:
    try:
        answer = response.json()
    except ValueError:
        answer = {}
    if not isinstance(answer, dict):
        answer = {}
    what = answer.get("what") or answer.get("detail") or response.text[:500] or "no body"
    ids = {name: value for name, value in (answer.get("ids") or {}).items() if name != "what"}
    advice = TOKEN_ADVICE if response.status_code == 401 else answer.get("advice")
    return ServiceRefused(
        str(what),
        refusal=str(answer.get("error", f"http_{response.status_code}")),
        advice=advice,
        **{**ids, "service": service},
    )
