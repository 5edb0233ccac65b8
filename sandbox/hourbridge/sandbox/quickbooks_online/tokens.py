"""OAuth tokens: issued, rotated, expired by the stand-in's clock."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hourbridge.common.ids import random_id
from hourbridge.sandbox.quickbooks_online.clock import MovableClock
from hourbridge.sandbox.quickbooks_online.settings import SandboxSettings

_CODE_SECONDS = 300
_DAY_SECONDS = 86_400


class GrantRefused(Exception):
    """The token endpoint answers 400 with this OAuth error."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass
class Grant:
    """What one company granted: its refresh tokens and the access tokens made from them."""

    realm: str
    refresh_token: str
    refresh_issued_at: datetime
    previous: dict[str, datetime] = field(default_factory=dict)
    """Earlier refresh tokens and until when they still work."""
    refreshes: int = 0
    granted_at: datetime | None = None
    """When a person connected; from then on counts the grant's absolute end."""


@dataclass(frozen=True)
class Access:
    """An access token's company and end."""

    realm: str
    expires_at: datetime


class TokenBook:
    """All tokens of the stand-in. Not locked; the world that holds it is."""

    def __init__(self, settings: SandboxSettings, clock: MovableClock) -> None:
        self._settings = settings
        self._clock = clock
        self._grants: dict[str, Grant] = {}
        self._access: dict[str, Access] = {}
        self._codes: dict[str, Access] = {}

    def connect(self, realm: str) -> str:
        """Grant access to a company; returns its first, predictable refresh token."""
        token = f"RT1-{realm}"
        self._grants[realm] = Grant(realm, token, self._clock.now(), granted_at=self._clock.now())
        return token

    def disconnect(self, realm: str) -> None:
        """Withdraw the grant: every token of the company is dead."""
        self._grants.pop(realm, None)
        self._access = {t: a for t, a in self._access.items() if a.realm != realm}

    def revoke(self, token: str) -> None:
        """Withdraw the grant that an access or refresh token belongs to, if there is one."""
        access = self._access.get(token)
        owners = [g.realm for g in self._grants.values() if self._is_good(g, token)]
        for realm in [access.realm] if access else owners:
            self.disconnect(realm)

    def expire_access(self, realm: str) -> None:
        """End the company's access tokens at once; its refresh token lives on."""
        past = self._clock.now() - timedelta(seconds=1)
        for token, access in self._access.items():
            if access.realm == realm:
                self._access[token] = Access(realm, past)

    def invalidate_refresh(self, realm: str) -> None:
        """Let every refresh token of the company be an invalid grant; access tokens live on."""
        if realm in self._grants:
            self._grants[realm].refresh_token = f"RT1-{random_id()}"
            self._grants[realm].previous = {}

    def refreshes_of(self, realm: str) -> int:
        """Return how many refreshes the company has seen."""
        grant = self._grants.get(realm)
        return grant.refreshes if grant else 0

    def new_code(self, realm: str) -> str:
        """Return a single-use authorization code."""
        code = random_id()
        self._codes[code] = Access(realm, self._clock.now() + timedelta(seconds=_CODE_SECONDS))
        return code

    def redeem(self, code: str, *, tells_hard_expiry: bool = False) -> dict[str, Any]:
        """Return the token answer for an authorization code."""
        access = self._codes.pop(code, None)
        if access is None or access.expires_at <= self._clock.now():
            raise GrantRefused("invalid_grant", "Authorization code is invalid or expired")
        token = f"RT1-{random_id()}"
        now = self._clock.now()
        self._grants[access.realm] = Grant(access.realm, token, now, granted_at=now)
        return self._answer(self._grants[access.realm], tells_hard_expiry)

    def refresh(self, token: str, *, tells_hard_expiry: bool = False) -> dict[str, Any]:
        """Return the token answer for a refresh token, rotating it as the settings say."""
        grant = next((g for g in self._grants.values() if self._is_good(g, token)), None)
        if grant is None:
            raise GrantRefused("invalid_grant", "Incorrect or invalid refresh token")
        grant.refreshes += 1
        if token == grant.refresh_token and self._rotation_due(grant):
            self._rotate(grant)
        return self._answer(grant, tells_hard_expiry)

    def access_of(self, token: str) -> Access | None:
        """Return what an access token opens (perhaps expired), or None when it is unknown."""
        return self._access.get(token)

    def _is_good(self, grant: Grant, token: str) -> bool:
        now = self._clock.now()
        if self._hard_left_seconds(grant) <= 0:
            return False
        if token == grant.refresh_token:
            lifetime = timedelta(seconds=self._settings.refresh_token_seconds)
            return now < grant.refresh_issued_at + lifetime
        return token in grant.previous and now < grant.previous[token]

    def _rotation_due(self, grant: Grant) -> bool:
        if self._settings.refresh_rotation == "always":
            return True
        age = self._clock.now() - grant.refresh_issued_at
        return self._settings.refresh_rotation == "daily" and age.total_seconds() >= _DAY_SECONDS

    def _rotate(self, grant: Grant) -> None:
        now = self._clock.now()
        grace = timedelta(seconds=self._settings.refresh_grace_seconds)
        grant.previous = {grant.refresh_token: now + grace}
        grant.refresh_token = f"RT1-{random_id()}"
        grant.refresh_issued_at = now

    def _hard_left_seconds(self, grant: Grant) -> int:
        """Return how long the grant lives at most, however often it is refreshed."""
        since = self._clock.now() - (grant.granted_at or grant.refresh_issued_at)
        return self._settings.refresh_hard_expiry_seconds - int(since.total_seconds())

    def _answer(self, grant: Grant, tells_hard_expiry: bool) -> dict[str, Any]:
        lifetime = self._settings.access_token_seconds
        token = f"AB0-{random_id()}"
        expires = self._clock.now() + timedelta(seconds=lifetime)
        self._access[token] = Access(grant.realm, expires)
        hard = {"x_refresh_token_hard_expires_in": self._hard_left_seconds(grant)}
        return {
            **(hard if tells_hard_expiry else {}),
            "token_type": "bearer",
            "access_token": token,
            "expires_in": lifetime,
            "refresh_token": grant.refresh_token,
            "x_refresh_token_expires_in": self._settings.refresh_token_seconds,
        }

    def dump(self) -> list[dict[str, Any]]:
        """Return the grants for a snapshot."""
        return [
            {
                **asdict(grant),
                "refresh_issued_at": grant.refresh_issued_at.isoformat(),
                "granted_at": (grant.granted_at or grant.refresh_issued_at).isoformat(),
                "previous": {t: until.isoformat() for t, until in grant.previous.items()},
            }
            for grant in self._grants.values()
        ]

    def restore(self, grants: list[dict[str, Any]]) -> None:
        """Take the grants of a snapshot."""
        for state in grants:
            previous = {t: datetime.fromisoformat(u) for t, u in state["previous"].items()}
            issued = datetime.fromisoformat(state["refresh_issued_at"])
            granted = state.get("granted_at")
            self._grants[state["realm"]] = Grant(
                state["realm"],
                state["refresh_token"],
                issued,
                previous,
                state["refreshes"],
                datetime.fromisoformat(granted) if granted else issued,
            )
