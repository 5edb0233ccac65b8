"""Who we are at a firm: its API key, or a user's session that is renewed when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

import httpx
from pydantic import SecretStr

from hourbridge.common.errors import (
    SourceAnswerUnreadable,
    SourceAuthorizationExpired,
    SourceError,
)
from hourbridge.common.exact_json import dumps, loads
from hourbridge.connectors.bigtime.faults import error_of
from hourbridge.connectors.bigtime.rows import Row
from hourbridge.connectors.bigtime.transport import Exchanges

REALM_HEADER = "X-Auth-Realm"
KEY_HEADER = "X-Auth-ApiToken"
TOKEN_HEADER = "X-Auth-Token"  # noqa: S105 - a header's name


class FirmKey:
    """The firm's API key: permanent until somebody revokes it."""

    def __init__(self, realm: str, key: SecretStr) -> None:
        self._realm = realm
        self._key = key

    def headers(self) -> Mapping[str, str]:
        """Return the headers of a call."""
        return {KEY_HEADER: self._key.get_secret_value(), REALM_HEADER: self._realm}

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002 - the protocol's shape
        """Return False: a refused key can only be replaced by a person."""
        return False


class UserSession:
    """A user's session, kept by this process; a session that was refused is replaced once.

    Each process has its own: BigTime lets a user have several, and each lives for a day at least,
    so sharing one would save a call a day. Thread-safe.
    """

    def __init__(self, exchanges: Exchanges, realm: str, user_id: str, password: SecretStr) -> None:
        self._exchanges = exchanges
        self._realm = realm
        self._user_id = user_id
        self._password = password
        self._headers: Mapping[str, str] | None = None
        self._lock = Lock()

    def headers(self) -> Mapping[str, str]:
        """Return the session's headers; logs in when there is none yet."""
        with self._lock:
            if self._headers is None:
                self._headers = self._log_in()
            return self._headers

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Log in again unless somebody else has meanwhile; raises when the password is refused."""
        with self._lock:
            if self._headers == refused or self._headers is None:
                self._headers = None
                self._headers = self._log_in()
        return True

    def _log_in(self) -> Mapping[str, str]:
        body = dumps(
            {
                "UserId": self._user_id,
                "Pwd": self._password.get_secret_value(),
                "Firm": self._realm,
            }
        )
        headers = {REALM_HEADER: self._realm}
        response = self._exchanges.exchange("POST", "session", headers, body=body)
        error = error_of(response)
        if isinstance(error, SourceAuthorizationExpired):
            raise SourceAuthorizationExpired(
                f"BigTime refused user {self._user_id!r}: {error.what}"
            )
        if error is not None:
            raise self._exchanges.failed(error)
        return _session_of(response, self._realm)


def _session_of(response: httpx.Response, realm: str) -> Mapping[str, str]:
    """Return the headers of the session in an answer, which may hold a token: it is not kept."""
    try:
        content = loads(response.content)
    except (ValueError, RecursionError):
        content = None
    row = Row(content) if isinstance(content, dict) else Row({})
    token = row.text("token")
    if token is None:
        raise _without_token()
    return {TOKEN_HEADER: token, REALM_HEADER: row.text("firm") or realm}


def _without_token() -> SourceError:
    return SourceAnswerUnreadable("BigTime answered a log-in with something that has no token")
