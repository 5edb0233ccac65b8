"""The OAuth token endpoint: a refresh token in, the next pair out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from hourbridge.common.errors import LedgerAuthorizationExpired, LedgerUnavailable

_TIMEOUT_SECONDS = 15
_BAD_REQUEST = 400
_TELL_HARD_EXPIRY = "x-include-refresh-token-hard-expires-in"
_DEAD_GRANT = frozenset({"invalid_grant", "invalid_client", "unauthorized_client"})


@dataclass(frozen=True, repr=False)
class TokenPair:
    """What the token endpoint gave; its text form shows no token."""

    access_token: str
    access_expires_in_seconds: int
    refresh_token: str
    refresh_expires_in_seconds: int
    refresh_hard_expires_in_seconds: int | None = None


@dataclass(frozen=True, repr=False)
class TokenEndpoint:
    """Where and as whom tokens are asked for."""

    url: str
    client_id: str
    client_secret: str

    def refresh(self, refresh_token: str) -> TokenPair:
        """Return the next tokens; the refresh token in it replaces the one given.

        Raises LedgerAuthorizationExpired when the grant is dead, LedgerUnavailable when the
        endpoint can't say.
        """
        return self._ask({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def redeem(self, code: str, redirect_uri: str) -> TokenPair:
        """Return the first tokens for an authorization code."""
        grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return self._ask(grant)

    def revoke(self, revoke_url: str, token: str) -> None:
        """Give a grant back: every token of it is dead. An unknown token is no error.

        Raises LedgerUnavailable when the endpoint can't say.
        """
        try:
            response = httpx.post(
                revoke_url,
                json={"token": token},
                auth=(self.client_id, self.client_secret),
                headers={"Accept": "application/json"},
                timeout=_TIMEOUT_SECONDS,
            )
        except httpx.RequestError as error:
            what = f"the revocation endpoint did not answer ({type(error).__name__}: {error})"
            raise LedgerUnavailable(what) from error
        if not response.is_success and response.status_code != _BAD_REQUEST:
            raise LedgerUnavailable(f"revoking was answered with HTTP {response.status_code}")

    def _ask(self, form: dict[str, str]) -> TokenPair:
        try:
            response = httpx.post(
                self.url,
                data=form,
                auth=(self.client_id, self.client_secret),
                headers={"Accept": "application/json", _TELL_HARD_EXPIRY: "true"},
                timeout=_TIMEOUT_SECONDS,
            )
        except httpx.RequestError as error:
            what = f"the token endpoint did not answer ({type(error).__name__}: {error})"
            raise LedgerUnavailable(what) from error
        content = _json_object(response)
        refusal = content.get("error")
        if refusal in _DEAD_GRANT:
            raise LedgerAuthorizationExpired(f"{refusal}: {content.get('error_description', '')}")
        if not response.is_success:
            raise LedgerUnavailable(f"the token endpoint answered HTTP {response.status_code}")
        return _pair(content)


def _json_object(response: httpx.Response) -> dict[str, Any]:
    try:
        content = response.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _pair(content: dict[str, Any]) -> TokenPair:
    hard = content.get("x_refresh_token_hard_expires_in")
    try:
        return TokenPair(
            access_token=str(content["access_token"]),
            access_expires_in_seconds=int(content["expires_in"]),
            refresh_token=str(content["refresh_token"]),
            refresh_expires_in_seconds=int(content["x_refresh_token_expires_in"]),
            refresh_hard_expires_in_seconds=None if hard is None else int(hard),
        )
    except (KeyError, TypeError, ValueError):
        raise LedgerUnavailable("the token endpoint's answer lacks a token or its term") from None
