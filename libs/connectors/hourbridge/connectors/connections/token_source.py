"""Access tokens shared by replicas: one refresher per company, the newest token stored first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Connection, text

from hourbridge.common.clock import Clock
from hourbridge.common.errors import ConfigurationInvalid, LedgerAuthorizationExpired
from hourbridge.common.store.engine import Store
from hourbridge.connectors.connections.secret_box import SecretBox

_MARGIN = timedelta(seconds=60)
"""A token this near its end is renewed before it is refused."""

_READ = text(
    "SELECT access_token, access_expires_at, state, state_reason FROM connection WHERE name = :name"
)
_LOCK_ROW = text(
    "SELECT access_token, access_expires_at, refresh_token, previous_refresh_token, state, "
    "state_reason FROM connection WHERE name = :name FOR UPDATE"
)
_STORE_TOKENS = text(
    "UPDATE connection SET access_token = :access_token, access_expires_at = :access_expires_at, "
    "previous_refresh_token = :previous_refresh_token, refresh_token = :refresh_token, "
    "refresh_expires_at = :refresh_expires_at, refreshes = refreshes + 1, refreshed_at = :now, "
    "refresh_hard_expires_at = coalesce(:refresh_hard_expires_at, refresh_hard_expires_at), "
    "refresh_issued_at = CASE WHEN :rotated THEN :now ELSE refresh_issued_at END, "
    "changed_at = clock_timestamp() WHERE name = :name"
)
_MARK_BROKEN = text(
    "UPDATE connection SET state = 'broken', state_reason = :reason, "
    "changed_at = clock_timestamp() WHERE name = :name AND state = 'connected'"
)


class Renewed(Protocol):
    """What a token endpoint gives."""

    @property
    def access_token(self) -> str:
        """The new access token."""
        ...

    @property
    def access_expires_in_seconds(self) -> int:
        """Its lifetime."""
        ...

    @property
    def refresh_token(self) -> str:
        """The refresh token to use from now on."""
        ...

    @property
    def refresh_expires_in_seconds(self) -> int:
        """Its lifetime, unless it is refreshed before."""
        ...

    @property
    def refresh_hard_expires_in_seconds(self) -> int | None:
        """How long the grant lives at most, however often it is refreshed; None: not told."""
        ...


Refresh = Callable[[str], Renewed]
"""Asks the token endpoint; raises LedgerAuthorizationExpired when the refresh token is dead."""


def hard_expiry(renewed: Renewed, now: datetime) -> datetime | None:
    """Return when the grant ends for good, None where the service doesn't tell."""
    seconds = renewed.refresh_hard_expires_in_seconds
    return None if seconds is None else now + timedelta(seconds=seconds)


class SharedTokenSource:
    """A ``TokenSource`` over the connection's row."""

    def __init__(
        self, store: Store, box: SecretBox, name: str, *, refresh: Refresh, clock: Clock
    ) -> None:
        self._store = store
        self._box = box
        self._name = name
        self._refresh = refresh
        self._clock = clock
        self._known: tuple[str, datetime] | None = None

    def access_token(self) -> str:
        """Return the token this process knows, else the stored one, else a renewed one."""
        known = self._known
        if known is not None and self._is_fresh(known[1]):
            return known[0]
        with self._store.transaction() as connection:
            row = connection.execute(_READ, {"name": self._name}).first()
        self._check_connected(row)
        return self._usable(row, refused=None) or self.renew(refused="")

    def renew(self, refused: str) -> str:
        """Return another token than ``refused``.

        The row stays locked while the endpoint is asked: whoever comes second finds the new
        token there. It is committed before anybody uses it, because the old refresh token may be
        dead from now on.
        """
        broken: LedgerAuthorizationExpired | None = None
        with self._store.transaction() as connection:
            row = connection.execute(_LOCK_ROW, {"name": self._name}).first()
            self._check_connected(row)
            token = self._usable(row, refused=refused)
            if token is None:
                try:
                    token = self._renew(connection, row)
                except LedgerAuthorizationExpired as error:
                    # Stored by this transaction, so raised after it.
                    broken = error
                    self._mark(connection, error.what)
        if broken is not None or token is None:
            raise broken or LedgerAuthorizationExpired("no token", connection=self._name)
        return token

    def mark_broken(self, reason: str) -> None:
        """Record that the company refuses us; ends when a person connects again."""
        self._known = None
        with self._store.transaction() as connection:
            self._mark(connection, reason)

    def _renew(self, connection: Connection, row: Any) -> str:
        current = self._box.open(row.refresh_token)
        try:
            renewed = self._refresh(current)
        except LedgerAuthorizationExpired:
            if row.previous_refresh_token is None:
                raise
            # A refresh whose answer was lost may have left the service at the former token.
            renewed = self._refresh(self._box.open(row.previous_refresh_token))
        now = self._clock.now()
        expires_at = now + timedelta(seconds=renewed.access_expires_in_seconds)
        rotated = renewed.refresh_token != current
        connection.execute(
            _STORE_TOKENS,
            {
                "name": self._name,
                "access_token": self._box.seal(renewed.access_token),
                "access_expires_at": expires_at,
                "refresh_token": self._box.seal(renewed.refresh_token),
                "previous_refresh_token": (
                    row.refresh_token if rotated else row.previous_refresh_token
                ),
                "refresh_expires_at": now + timedelta(seconds=renewed.refresh_expires_in_seconds),
                "refresh_hard_expires_at": hard_expiry(renewed, now),
                "rotated": rotated,
                "now": now,
            },
        )
        self._known = (renewed.access_token, expires_at)
        return renewed.access_token

    def _usable(self, row: Any, *, refused: str | None) -> str | None:
        if row.access_token is None or not self._is_fresh(row.access_expires_at):
            return None
        token = self._box.open(row.access_token)
        if token == refused:
            return None
        self._known = (token, row.access_expires_at)
        return token

    def _is_fresh(self, expires_at: datetime) -> bool:
        return self._clock.now() + _MARGIN < expires_at

    def _check_connected(self, row: Any) -> None:
        if row is None:
            raise ConfigurationInvalid("the connection was removed", name=self._name)
        if row.state != "connected":
            raise LedgerAuthorizationExpired(
                f"the connection is {row.state}: {row.state_reason}", connection=self._name
            )

    def _mark(self, connection: Connection, reason: str) -> None:
        connection.execute(_MARK_BROKEN, {"name": self._name, "reason": reason})
