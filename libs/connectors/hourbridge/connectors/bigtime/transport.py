"""One HTTP exchange with a BigTime firm: credentials, budget, observer, errors as classes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

import httpx

from hourbridge.common.errors import (
    LedgerThrottled,
    SourceAuthorizationExpired,
    SourceError,
    SourceThrottled,
    SourceUnavailable,
)
from hourbridge.common.exact_json import dumps, loads
from hourbridge.connectors.access import CallBudget, Exchange, Observer
from hourbridge.connectors.bigtime.faults import (
    error_of,
    error_of_transport,
    is_missing,
    unreadable,
)
from hourbridge.connectors.bigtime.rows import Row, split_rows

CALL_TIMEOUT_SECONDS = 30
"""A sheet or a report of some weeks takes seconds; more than this is a hanging call."""

_CONNECT_TIMEOUT_SECONDS = 5
_FAILURE_PAUSE_SECONDS = 5
_FAILURE_PAUSE_SECONDS_MAX = 300
_UNAUTHENTICATED = 401
_LOGIN = "session"


class Credentials(Protocol):
    """Who calls; gives the headers of a call."""

    def headers(self) -> Mapping[str, str]:
        """Return the headers; may log in first, and raises SourceError when that fails."""
        ...

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Get others than the refused headers; False when there are none to be had."""
        ...


def ignore(_exchange: Exchange) -> None:
    """Observe nothing."""


def open_client(base_url: str, *, timeout_seconds: float = CALL_TIMEOUT_SECONDS) -> httpx.Client:
    """Return an HTTP client for the API's base address, ``.../BigtimeData/api/v2``."""
    timeout = httpx.Timeout(timeout_seconds, connect=_CONNECT_TIMEOUT_SECONDS)
    headers = {"Accept": "application/json"}
    return httpx.Client(base_url=f"{base_url.rstrip('/')}/", timeout=timeout, headers=headers)


class Exchanges:
    """Calls without credentials: budget, observer, and back-off that grows with each failure."""

    def __init__(
        self, client: httpx.Client, budget: CallBudget, observer: Observer = ignore
    ) -> None:
        self._client = client
        self._budget = budget
        self._observe = observer
        self._failures = 0

    def exchange(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        parameters: Mapping[str, str] | None = None,
        body: str | None = None,
    ) -> httpx.Response:
        """Return an answer of whatever status; raises SourceUnavailable when none came."""
        self._take()
        sent = {**headers, "Content-Type": "application/json"} if body is not None else headers
        shown = path if not parameters else f"{path}?{httpx.QueryParams(parameters)}"
        # The log-in carries a password one way and a token the other.
        kept = None if path == _LOGIN else body
        try:
            response = self._client.request(
                method, path, params=parameters or None, content=body, headers=dict(sent)
            )
        except httpx.RequestError as error:
            failure = f"{type(error).__name__}: {error}"
            self._observe(Exchange(method, shown, None, kept, None, None, None, failure))
            raise self.failed(error_of_transport(error)) from error
        text = None if path == _LOGIN else response.text
        self._observe(Exchange(method, shown, None, kept, response.status_code, text, None))
        return response

    def failed(self, error: SourceError) -> SourceError:
        """Let nobody call for a while when that is what the error asks for; return it."""
        if isinstance(error, SourceThrottled):
            self._budget.pause(max(error.retry_after_seconds, self._back_off()))
        elif isinstance(error, SourceUnavailable):
            self._budget.pause(self._back_off())
        return error

    def succeeded(self) -> None:
        """Forget earlier failures."""
        self._failures = 0

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

    def _back_off(self) -> int:
        self._failures += 1
        doubled = _FAILURE_PAUSE_SECONDS << min(self._failures - 1, 10)
        return min(doubled, _FAILURE_PAUSE_SECONDS_MAX)

    def _take(self) -> None:
        try:
            self._budget.take()
        except LedgerThrottled as error:
            raise SourceThrottled(
                error.what, retry_after_seconds=error.retry_after_seconds, **error.ids
            ) from None


class Transport:
    """Authenticated calls of one firm. An answer that can't be read is an error, with its bytes."""

    def __init__(self, exchanges: Exchanges, credentials: Credentials) -> None:
        self._exchanges = exchanges
        self._credentials = credentials

    def rows(
        self, path: str, parameters: Mapping[str, str] | None = None, *, body: Any = None
    ) -> list[Row]:
        """Return the rows that a GET, or a POST that only reads, answers."""
        method = "GET" if body is None else "POST"
        content = self.call(method, path, parameters, body)
        try:
            return split_rows(content)
        except (ValueError, RecursionError) as error:
            raise unreadable(content, error) from None

    def row(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        *,
        body: Any = None,
    ) -> Row:
        """Return the one object that a call answers; its raw form is the whole body."""
        content = self.call(method, path, parameters, body)
        try:
            value = loads(content)
        except (ValueError, RecursionError) as error:
            raise unreadable(content, error) from None
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if not isinstance(value, Mapping):
            raise unreadable(content, "an object was expected")
        return Row(value, content)

    def find(self, path: str, parameters: Mapping[str, str] | None = None) -> Row | None:
        """Return the object that a GET answers, None when there is no such thing."""
        try:
            return self.row("GET", path, parameters)
        except SourceError as error:
            if is_missing(error):
                return None
            raise

    def call(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> bytes:
        """Return the body of a success; a refused session is renewed once."""
        text = None if body is None else _json(body)
        headers = self._credentials.headers()
        response = self._exchanges.exchange(method, path, headers, parameters, text)
        if response.status_code == _UNAUTHENTICATED and self._credentials.renew(headers):
            headers = self._credentials.headers()
            response = self._exchanges.exchange(method, path, headers, parameters, text)
        error = error_of(response)
        if isinstance(error, SourceAuthorizationExpired):
            raise error
        if error is not None:
            raise self._exchanges.failed(error)
        self._exchanges.succeeded()
        return response.content

    def close(self) -> None:
        """Close the pooled connections."""
        self._exchanges.close()


def _json(body: Any) -> str:
    """Return exact JSON; lone surrogates, which no wire carries, as escapes."""
    text = dumps(body)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(json.loads(text))
    return text
