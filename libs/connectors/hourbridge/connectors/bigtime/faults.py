"""What an answer of BigTime means: never assumed to be JSON, whatever its status."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx

from hourbridge.common.errors import (
    SourceAnswerUnreadable,
    SourceAuthorizationExpired,
    SourceError,
    SourceRefused,
    SourceThrottled,
    SourceUnavailable,
)
from hourbridge.common.exact_json import loads

EXCERPT_CHARACTERS = 500
"""Of an answer that is not what was asked for: error bodies are whole HTML pages at times."""

THROTTLE_PAUSE_SECONDS = 60
"""The vendor's limit counts by the minute, and no answer is known to name a time."""

MISSING = "not_found"
PERMISSION = "permission_denied"
REALM = "realm_refused"
INVALID = "invalid_request"

_REASONS = {400: INVALID, 403: REALM, 404: MISSING, 405: PERMISSION, 409: "conflict"}
_THROTTLE_WORDS = re.compile(r"quota|too many|rate limit|throttl|exceeded", re.IGNORECASE)
_MESSAGE_FIELDS = ("message", "exceptionmessage", "errormessage", "error", "title")
_REQUEST_TIMEOUT = 408


def excerpt(body: bytes) -> str:
    """Return the beginning of an answer as one line of text."""
    text = body[: EXCERPT_CHARACTERS * 8].decode("utf-8", errors="replace")
    return " ".join(text.split())[:EXCERPT_CHARACTERS]


def error_of(response: httpx.Response) -> SourceError | None:
    """Return what an answer complains of, None for a success (whatever its body is)."""
    if response.is_success:
        return None
    status = response.status_code
    text = f"HTTP {status}: {_sentence(response.content)}"
    if status == 429 or (status == 403 and _is_throttling(response.content)):
        return SourceThrottled(text, retry_after_seconds=_pause(response), status=status)
    if status == 401:
        return SourceAuthorizationExpired(text, status=status)
    if status in _REASONS:
        return SourceRefused(text, reason_code=_REASONS[status], status=status)
    if status >= 500 or status == _REQUEST_TIMEOUT:
        return SourceUnavailable(text, status=status)
    return SourceAnswerUnreadable(text, raw=response.content, status=status)


def unreadable(body: bytes, why: object) -> SourceAnswerUnreadable:
    """Return the error for a success whose body is not what was asked for."""
    what = f"the answer is not the JSON that was asked for ({why}): {excerpt(body) or 'empty'}"
    return SourceAnswerUnreadable(what, raw=body)


def error_of_transport(error: httpx.RequestError) -> SourceUnavailable:
    """Return what a failed exchange means."""
    return SourceUnavailable(f"BigTime cannot be reached ({type(error).__name__}: {error})")


def is_missing(error: SourceError) -> bool:
    """Return whether the answer was that there is no such thing."""
    return isinstance(error, SourceRefused) and error.reason_code == MISSING


def _is_throttling(body: bytes) -> bool:
    """Return whether a 403 is about the number of calls.

    403 was seen for it; a message about the realm is another matter, and a page of some gateway
    says nothing about our rights, so waiting is the right answer to it.
    """
    message = _message(body)
    return message is None or bool(_THROTTLE_WORDS.search(message))


def _pause(response: httpx.Response) -> int:
    given = response.headers.get("Retry-After", "")
    return int(given) if given.isdigit() else THROTTLE_PAUSE_SECONDS


def _sentence(body: bytes) -> str:
    return (_message(body) or excerpt(body) or "empty body")[:EXCERPT_CHARACTERS]


def _message(body: bytes) -> str | None:
    """Return the message of a JSON error body, None when it is something else."""
    try:
        content: Any = loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(content, str):
        return content
    if not isinstance(content, Mapping):
        return None
    lowered = {str(name).lower(): value for name, value in content.items()}
    found = [lowered[name] for name in _MESSAGE_FIELDS if isinstance(lowered.get(name), str)]
    return ": ".join(found) or None
