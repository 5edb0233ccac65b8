"""Reading calls to a source that answers JSON: budget, observer, and errors as classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import httpx

from hourbridge.common.errors import (
    SourceAuthorizationExpired,
    SourceError,
    SourceRefused,
    SourceThrottled,
    SourceUnavailable,
)
from hourbridge.connectors.access import CallBudget, Exchange, Observer

CALL_TIMEOUT_SECONDS = 30
THROTTLE_PAUSE_SECONDS = 60
_CONNECT_TIMEOUT_SECONDS = 5
_EXCERPT_CHARACTERS = 300
_UNAUTHENTICATED = 401
_TOO_MANY = 429
_SERVER_ERRORS = 500
_NOT_FOUND = 404
_PAUSE_DIGITS_MAX = 6

Explain = Callable[[httpx.Response], SourceError | None]
"""What an answer means to one system beyond what all of them mean; None: nothing special."""


def nothing_special(_response: httpx.Response) -> SourceError | None:
    """Say nothing: the answer means what it would anywhere."""
    return None


def _ignore(_exchange: Exchange) -> None:
    """Observe nothing."""


class JsonCalls:
    """GET requests to one account, within the connection's budget."""

    def __init__(
        self,
        client: httpx.Client,
        budget: CallBudget,
        *,
        explain: Explain = nothing_special,
        observer: Observer = _ignore,
    ) -> None:
        self._client = client
        self._budget = budget
        self._explain = explain
        self._observe = observer

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> bytes:
        """Return the body of a successful answer; raises the SourceError that any other means."""
        response = self._exchange(path, parameters or {})
        error = self._explain(response) or error_of(response)
        if isinstance(error, SourceThrottled):
            self._budget.pause(error.retry_after_seconds)
        if error is not None:
            raise error
        return response.content

    def exists(self, path: str) -> bytes | None:
        """Return the body, None when the source says that there is no such thing (404)."""
        try:
            return self.get(path)
        except SourceRefused as error:
            if error.reason_code == f"http_{_NOT_FOUND}":
                return None
            raise

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

    def _exchange(self, path: str, parameters: Mapping[str, str]) -> httpx.Response:
        self._budget.take()
        try:
            response = self._client.get(path, params=dict(parameters))
        except httpx.RequestError as error:
            failure = f"{type(error).__name__}: {error}"
            self._observe(Exchange("GET", path, None, None, None, None, None, failure))
            raise SourceUnavailable(f"no answer came ({failure})", path=path) from None
        text = response.text if response.status_code != _UNAUTHENTICATED else None
        self._observe(Exchange("GET", path, None, None, response.status_code, text, None))
        return response


def open_client(
    base_url: str,
    *,
    headers: Mapping[str, str],
    auth: tuple[str, str] | None = None,
    timeout_seconds: float = CALL_TIMEOUT_SECONDS,
) -> httpx.Client:
    """Return an HTTP client for one system."""
    timeout = httpx.Timeout(timeout_seconds, connect=_CONNECT_TIMEOUT_SECONDS)
    sent = {"Accept": "application/json", **headers}
    return httpx.Client(base_url=base_url, timeout=timeout, headers=sent, auth=auth)


def error_of(response: httpx.Response) -> SourceError | None:
    """Return what an answer complains of, None for a success. Never assumes JSON."""
    if response.is_success:
        return None
    text = sentence(response)
    status = response.status_code
    if status == _TOO_MANY:
        pause = pause_seconds(response, "retry-after") or THROTTLE_PAUSE_SECONDS
        return SourceThrottled(text, retry_after_seconds=pause)
    if status == _UNAUTHENTICATED:
        return SourceAuthorizationExpired(text)
    if status >= _SERVER_ERRORS or response.is_redirect:
        return SourceUnavailable(text)
    return SourceRefused(text, reason_code=f"http_{status}")


def sentence(response: httpx.Response) -> str:
    """Return an answer in one line: its status and how its text begins."""
    excerpt = " ".join(response.text.split())[:_EXCERPT_CHARACTERS]
    return f"HTTP {response.status_code}: {excerpt or 'empty body'}"


def pause_seconds(response: httpx.Response, header: str) -> int | None:
    """Return the whole seconds that a header asks for, None when it names none."""
    given = response.headers.get(header, "")
    is_number = given.isascii() and given.isdigit() and len(given) <= _PAUSE_DIGITS_MAX
    return int(given) if is_number else None
