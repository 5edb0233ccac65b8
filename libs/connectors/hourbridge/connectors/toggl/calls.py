"""Calls of one Toggl user's token, and what Toggl's own status codes mean."""

from __future__ import annotations

import httpx

from hourbridge.common.errors import (
    SourceAuthorizationExpired,
    SourceError,
    SourceRefused,
    SourceThrottled,
)
from hourbridge.connectors.access import CallBudget, Observer
from hourbridge.connectors.json_calls import (
    CALL_TIMEOUT_SECONDS,
    JsonCalls,
    open_client,
    pause_seconds,
    sentence,
)

ROOT = "/api/v9"
_QUOTA_USED_UP = 402
_FORBIDDEN = 403
_GONE = 410
_QUOTA_PAUSE_SECONDS = 3600
"""The quota is counted by the hour."""
_QUOTA_HEADER = "x-toggl-quota-resets-in"
_PASSWORD_OF_TOKENS = "api_token"  # what Toggl wants as password when the user is a token


def calls_of(
    base_url: str,
    token: str,
    budget: CallBudget,
    observer: Observer,
    timeout_seconds: float = CALL_TIMEOUT_SECONDS,
) -> JsonCalls:
    """Return the calls made with an API token."""
    auth = (token, _PASSWORD_OF_TOKENS)
    client = open_client(base_url, headers={}, auth=auth, timeout_seconds=timeout_seconds)
    return JsonCalls(client, budget, explain=explain, observer=observer)


def explain(response: httpx.Response) -> SourceError | None:
    """Return what Toggl alone means by some codes."""
    text = sentence(response)
    if response.status_code == _QUOTA_USED_UP:
        pause = pause_seconds(response, _QUOTA_HEADER) or pause_seconds(response, "retry-after")
        what = f"the hourly quota is used up ({text})"
        return SourceThrottled(what, retry_after_seconds=pause or _QUOTA_PAUSE_SECONDS)
    if response.status_code == _FORBIDDEN:
        return SourceAuthorizationExpired(text)
    if response.status_code == _GONE:
        what = f"Toggl has given this call up for good ({text})"
        advice = "Stop the feed (`hourbridge source schedule`); this version asks for it no more."
        return SourceRefused(what, reason_code="http_410", advice=advice)
    return None
