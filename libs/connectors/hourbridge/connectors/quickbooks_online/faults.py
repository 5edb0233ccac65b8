"""What an answer means: fault codes and transport errors to Hourbridge's error classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from hourbridge.common.errors import (
    DocumentMissing,
    DocumentNumberTaken,
    EditTokenStale,
    LedgerAuthorizationExpired,
    LedgerError,
    LedgerOutcomeUnknown,
    LedgerRejected,
    LedgerThrottled,
    LedgerUnavailable,
    PeriodClosed,
)
from hourbridge.common.exact_json import loads

THROTTLE_PAUSE_SECONDS = 60
"""What the service asks for after a 429 unless it names a time itself."""

OBJECT_NOT_FOUND = "610"
INVALID_PROPERTY = "2010"
INVALID_REFERENCE = "2500"
DUPLICATE_REQUEST = "600"
DUPLICATE_NUMBER = "6140"
DUPLICATE_NAME = "6240"
DUPLICATE_OBJECT = "630"
STALE = "5010"
_THROTTLED = "3001"
_UNAVAILABLE = frozenset({"130", "140", "150", "6190"})
"""Wrong cluster, company locked, maintenance, subscription lapsed: refused before any effect."""
_BROKEN = frozenset({"6002", "10000"})
"""The service failed somewhere on the way; a write may have happened."""
_AUTHORIZATION = frozenset({"100", "110", "120", "3100", "3200", "3201"})
_REJECTIONS: dict[str, type[LedgerRejected]] = {
    STALE: EditTokenStale,
    DUPLICATE_NUMBER: DocumentNumberTaken,
    "6210": PeriodClosed,
}
_EXCERPT_CHARACTERS = 300
_UNAUTHENTICATED = 401
_FORBIDDEN = 403
_REQUEST_TIMEOUT = 408


@dataclass(frozen=True)
class Fault:
    """The first error of a fault envelope."""

    code: str
    text: str


def error_of(response: httpx.Response, *, is_write: bool) -> LedgerError | None:
    """Return what the answer complains of, or None for a success with readable JSON.

    Never assumes JSON: gateways answer with HTML or nothing. An answer to a write that can't be
    read leaves the outcome unknown, whatever its status says short of a clear refusal.
    """
    trace = response.headers.get("intuit_tid")
    content = _content(response)
    fault = _fault(content)
    if fault is None and response.is_success:
        if isinstance(content, dict):
            return None
        return _no_clear_answer("the answer is not complete JSON", response, is_write=is_write)
    code = fault.code if fault else ""
    text = _sentence(response, fault)
    if response.status_code == 429 or code == _THROTTLED:
        return LedgerThrottled(text, retry_after_seconds=_pause(response), intuit_tid=trace)
    if _is_unauthorized(response, fault):
        return LedgerAuthorizationExpired(text, intuit_tid=trace)
    if _is_refusal(response, fault):
        return _refusal(code or f"http_{response.status_code}", text, trace, is_write=is_write)
    return _no_clear_answer(text, response, is_write=is_write)


def error_of_transport(error: httpx.RequestError, *, is_write: bool) -> LedgerError:
    """Return what a failed exchange means: only a connection never made certainly did nothing."""
    what = f"{type(error).__name__}: {error}"
    never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    if is_write and not never_sent:
        return LedgerOutcomeUnknown(f"no answer came back ({what})")
    return LedgerUnavailable(f"QuickBooks Online cannot be reached ({what})")


def error_of_item(answer: Mapping[str, Any]) -> LedgerError | None:
    """Return what an item of a batch complains of, None for one that was carried out."""
    fault = _fault(answer)
    if fault is None:
        return None
    if fault.code == _THROTTLED:
        return LedgerThrottled(fault.text, retry_after_seconds=THROTTLE_PAUSE_SECONDS)
    return _refusal(fault.code or "no_code", fault.text or fault.code, None, is_write=True)


def missing(error: LedgerRejected, ledger_id: str) -> DocumentMissing:
    """Return a 610 about the document itself as what it is."""
    return DocumentMissing(error.what, reason_code=OBJECT_NOT_FOUND, ledger_id=ledger_id)


def _is_unauthorized(response: httpx.Response, fault: Fault | None) -> bool:
    """Return whether our grant was refused; a 403 without a fault is some gateway's opinion."""
    if fault is not None and fault.code in _AUTHORIZATION:
        return True
    return response.status_code == _UNAUTHENTICATED


def _is_refusal(response: httpx.Response, fault: Fault | None) -> bool:
    """Return whether the service itself said no; 408 and 5xx may come from a gateway."""
    if response.status_code == _REQUEST_TIMEOUT or response.status_code >= 500:
        return False
    if fault is None:
        return response.is_client_error and response.status_code != _FORBIDDEN
    return True


def _refusal(code: str, text: str, trace: str | None, *, is_write: bool) -> LedgerError:
    if code in _UNAVAILABLE:
        return LedgerUnavailable(text, intuit_tid=trace)
    if code in _BROKEN:
        unclear = LedgerOutcomeUnknown if is_write else LedgerUnavailable
        return unclear(text, intuit_tid=trace)
    return _REJECTIONS.get(code, LedgerRejected)(text, reason_code=code, intuit_tid=trace)


def _no_clear_answer(text: str, response: httpx.Response, *, is_write: bool) -> LedgerError:
    trace = response.headers.get("intuit_tid")
    kind = LedgerOutcomeUnknown if is_write else LedgerUnavailable
    return kind(text, status=response.status_code, intuit_tid=trace)


def _content(response: httpx.Response) -> Any:
    try:
        return loads(response.content)
    except ValueError:
        return None


def _fault(content: Any) -> Fault | None:
    """Return the fault in either envelope: the service's own or the gateway's lower-case one."""
    envelope = _member(content, "fault")
    errors = _member(envelope, "error")
    if not isinstance(errors, list) or not errors:
        return None
    first = errors[0]
    message, detail = _member(first, "message"), _member(first, "detail")
    code = str(_member(first, "code") or "")
    # The detail of an authentication fault begins with a piece of the token.
    parts = [message] if code == "3200" else [message, detail]
    return Fault(code, ": ".join(str(part) for part in parts if part))


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, Mapping):
        return None
    return next((member for key, member in value.items() if key.lower() == name), None)


def _sentence(response: httpx.Response, fault: Fault | None) -> str:
    if fault is not None:
        return fault.text or f"HTTP {response.status_code}, code {fault.code}"
    excerpt = " ".join(response.text.split())[:_EXCERPT_CHARACTERS]
    return f"HTTP {response.status_code} without a readable fault: {excerpt or 'empty body'}"


def _pause(response: httpx.Response) -> int:
    given = response.headers.get("Retry-After", "")
    return int(given) if given.isdigit() else THROTTLE_PAUSE_SECONDS
