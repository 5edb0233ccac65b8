"""One HTTP exchange with a company: token, budget, observer, and errors as classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from hourbridge.common.errors import LedgerAuthorizationExpired, LedgerThrottled
from hourbridge.common.exact_json import dumps, loads
from hourbridge.connectors.access import BatchingCallBudget, Exchange, Observer, TokenSource
from hourbridge.connectors.quickbooks_online.faults import error_of, error_of_transport

MINOR_VERSION = "75"
"""The base version for everyone since August 2025."""

CALL_TIMEOUT_SECONDS = 30
_CONNECT_TIMEOUT_SECONDS = 5
_UNAUTHENTICATED = 401
_BATCH = "batch"


@dataclass(frozen=True)
class Request:
    """A call to be made."""

    method: str
    path: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: str | bytes | None = None
    content_type: str = "application/json"
    is_write: bool = False

    @property
    def operation_key(self) -> str | None:
        """The idempotency key that it carries."""
        return self.parameters.get("requestid")


def open_client(base_url: str, *, timeout_seconds: float = CALL_TIMEOUT_SECONDS) -> httpx.Client:
    """Return an HTTP client for one host of the service; without the Accept header it sends XML."""
    timeout = httpx.Timeout(timeout_seconds, connect=_CONNECT_TIMEOUT_SECONDS)
    headers = {"Accept": "application/json"}
    return httpx.Client(base_url=base_url, timeout=timeout, headers=headers)


def _ignore(_exchange: Exchange) -> None:
    """Observe nothing."""


class Transport:
    """Calls of one company. Thread-safe as far as its parts are."""

    def __init__(
        self,
        client: httpx.Client,
        company_id: str,
        *,
        tokens: TokenSource,
        budget: BatchingCallBudget,
        observer: Observer = _ignore,
    ) -> None:
        self._client = client
        self.company_id = company_id
        self._root = f"/v3/company/{company_id}"
        self._tokens = tokens
        self._budget = budget
        self._observe = observer

    def get(self, path: str) -> dict[str, Any]:
        """Return what a GET answers."""
        return self.call(Request("GET", path))

    def query(self, statement: str) -> dict[str, Any]:
        """Return the QueryResponse of a statement; sent in the body, so of any length."""
        request = Request("POST", "query", body=statement, content_type="application/text")
        response = self.call(request).get("QueryResponse")
        return response if isinstance(response, dict) else {}

    def write(
        self, path: str, body: Mapping[str, Any], parameters: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return what a POST that changes the books answers."""
        return self.call(Request("POST", path, parameters, dumps(body), is_write=True))

    def upload(
        self, content: bytes, content_type: str, parameters: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return what an upload answers; ``content`` is a whole multipart body."""
        return self.call(
            Request("POST", "upload", parameters, content, content_type, is_write=True)
        )

    def call(self, request: Request) -> dict[str, Any]:
        """Return the answer's JSON object; a refused token is renewed once.

        Raises the LedgerError that the answer, or its absence, means.
        """
        token = self._tokens.access_token()
        response = self._exchange(request, token)
        if response.status_code == _UNAUTHENTICATED:
            response = self._exchange(request, self._tokens.renew(token))
        error = error_of(response, is_write=request.is_write)
        if isinstance(error, LedgerAuthorizationExpired):
            self._tokens.mark_broken(error.what)
        if isinstance(error, LedgerThrottled):
            self._budget.pause(error.retry_after_seconds)
        if error is not None:
            raise error
        content: dict[str, Any] = loads(response.content)
        return content

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

    def _exchange(self, request: Request, token: str) -> httpx.Response:
        self._budget.take_batch() if request.path == _BATCH else self._budget.take()
        try:
            response = self._client.request(
                request.method,
                f"{self._root}/{request.path}",
                params={**request.parameters, "minorversion": MINOR_VERSION},
                content=request.body.encode() if isinstance(request.body, str) else request.body,
                headers={
                    "Authorization": f"Bearer {token}",
                    "Content-Type": request.content_type,
                },
            )
        except httpx.RequestError as error:
            self._observe(_record(request, failure=f"{type(error).__name__}: {error}"))
            raise error_of_transport(error, is_write=request.is_write) from error
        self._observe(_record(request, response))
        return response


def _record(
    request: Request, response: httpx.Response | None = None, failure: str | None = None
) -> Exchange:
    # The body of an authentication fault holds a piece of the token.
    is_readable = response is not None and response.status_code != _UNAUTHENTICATED
    return Exchange(
        method=request.method,
        path=request.path,
        operation_key=request.operation_key,
        request_body=request.body if isinstance(request.body, str) else _size(request.body),
        status=response.status_code if response is not None else None,
        response_body=response.text if response is not None and is_readable else None,
        trace_id=response.headers.get("intuit_tid") if response is not None else None,
        failure=failure,
    )


def _size(body: bytes | None) -> str | None:
    """Return what is kept of a binary body: files have their own store."""
    return None if body is None else f"({len(body)} bytes)"
