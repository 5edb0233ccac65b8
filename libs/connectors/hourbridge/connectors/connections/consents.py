"""Consents that people were sent off to give, and the tokens that came of them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Connection, text

from hourbridge.common.clock import Clock, SystemClock
from hourbridge.common.errors import ConfigurationInvalid, LedgerAuthorizationExpired
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.connectors.connections.secret_box import SecretBox
from hourbridge.connectors.connections.token_source import Renewed, hard_expiry

CONSENT_SECONDS = 1800
"""How long a consent can be given after it was asked for."""

_ASK = text(
    """
    INSERT INTO authorization_request (state, name, kind, company_id, api_base_url, token_url,
        authorize_url, revoke_url, app_id, client_id, client_secret, redirect_uri, requested_by,
        expires_at)
    VALUES (:state, :name, :kind, :company_id, :api_base_url, :token_url, :authorize_url,
        :revoke_url, :app_id, :client_id, :client_secret, :redirect_uri, :requested_by,
        :expires_at)
    """
)
_FORGET_OLD = text("DELETE FROM authorization_request WHERE expires_at < :now")
_TAKE = text(
    "DELETE FROM authorization_request WHERE state = :state AND expires_at >= :now RETURNING *"
)
_KNOWN = text("SELECT * FROM connection WHERE name = :name")
_OTHER_NAME = text(
    "SELECT name FROM connection WHERE name <> :name AND kind = :kind AND company_id = :company_id"
)
_SAVE = text(
    """
    INSERT INTO connection (name, kind, company_id, api_base_url, token_url, client_id,
        client_secret, refresh_token, authorize_url, revoke_url, app_id)
    VALUES (:name, :kind, :company_id, :api_base_url, :token_url, :client_id, :client_secret,
        :refresh_token, :authorize_url, :revoke_url, :app_id)
    ON CONFLICT (name) DO UPDATE SET
        api_base_url = excluded.api_base_url, token_url = excluded.token_url,
        client_id = excluded.client_id, client_secret = excluded.client_secret,
        refresh_token = excluded.refresh_token, authorize_url = excluded.authorize_url,
        revoke_url = excluded.revoke_url, app_id = coalesce(excluded.app_id, connection.app_id)
    """
)
_STORE_GRANT = text(
    """
    UPDATE connection SET previous_refresh_token = NULL, refresh_expires_at = :refresh_expires_at,
        refresh_hard_expires_at = :refresh_hard_expires_at, access_token = :access_token,
        access_expires_at = :access_expires_at, authorized_at = :now, refreshed_at = :now,
        refresh_issued_at = :now, state = 'connected', state_reason = NULL,
        changed_at = clock_timestamp()
    WHERE name = :name
    """
)
_BUDGET = text(
    "INSERT INTO call_budget (connection, calls_per_minute, calls_per_second) "
    "VALUES (:name, 450, 8) ON CONFLICT (connection) DO NOTHING"
)
_DISCONNECT = text(
    "UPDATE connection SET state = 'disconnected', state_reason = :reason, access_token = NULL, "
    "access_expires_at = NULL, changed_at = clock_timestamp() WHERE name = :name"
)


@dataclass(frozen=True)
class Consent:
    """What a consent is asked for, or was given for. Secrets stay hidden in text forms."""

    name: str
    kind: str
    company_id: str | None
    """The company that must give it; None: whichever does."""
    api_base_url: str
    token_url: str
    authorize_url: str
    revoke_url: str
    client_id: str
    client_secret: SecretStr
    redirect_uri: str
    app_id: str | None = None


@dataclass(frozen=True)
class Grant:
    """What is needed to give a grant back."""

    token_url: str
    revoke_url: str | None
    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr


class ConsentStore:
    """Asked and given consents in the ``connections`` schema."""

    def __init__(self, store: Store, box: SecretBox, clock: Clock | None = None) -> None:
        self._store = store
        self._box = box
        self._clock = clock or SystemClock()

    def known(self, name: str) -> Mapping[str, Any] | None:
        """Return what is stored of a connection of this name (secrets sealed), None if nothing."""
        with self._store.transaction() as connection:
            row = connection.execute(_KNOWN, {"name": name}).mappings().first()
        return None if row is None else dict(row)

    def secret_of(self, known: Mapping[str, Any]) -> SecretStr:
        """Return the client secret of what ``known`` returned."""
        return SecretStr(self._box.open(known["client_secret"]))

    def ask(self, consent: Consent, *, actor: str) -> str:
        """Keep what a consent is asked for; return the state that identifies the answer."""
        state = secrets.token_urlsafe(32)
        now = self._clock.now()
        with self._store.transaction() as connection:
            connection.execute(_FORGET_OLD, {"now": now})
            connection.execute(
                _ASK,
                {
                    **self._sealed(consent),
                    "state": state,
                    "redirect_uri": consent.redirect_uri,
                    "requested_by": actor,
                    "expires_at": now + timedelta(seconds=CONSENT_SECONDS),
                },
            )
            audit.write(connection, actor=actor, action="ask_consent", subject=consent.name)
        return state

    def take(self, state: str) -> Consent:
        """Return what the answer of this state is for; it works once.

        Raises ConfigurationInvalid for an unknown, used or expired state.
        """
        with self._store.transaction() as connection:
            now = self._clock.now()
            row = connection.execute(_TAKE, {"state": state, "now": now}).mappings().first()
        if row is None:
            raise ConfigurationInvalid(
                "nobody was sent off with this state, or too long ago, or it was used already",
                advice="Begin again with `hourbridge ledger authorize`.",
            )
        return Consent(
            name=row["name"],
            kind=row["kind"],
            company_id=row["company_id"],
            api_base_url=row["api_base_url"],
            token_url=row["token_url"],
            authorize_url=row["authorize_url"],
            revoke_url=row["revoke_url"],
            app_id=row["app_id"],
            client_id=row["client_id"],
            client_secret=SecretStr(self._box.open(row["client_secret"])),
            redirect_uri=row["redirect_uri"],
        )

    def check_company(self, consent: Consent, company_id: str) -> None:
        """Raise ConfigurationInvalid when the consent came from another company than it must.

        Tokens of one company must never overwrite another's.
        """
        with self._store.transaction() as connection:
            self._check_company(connection, consent, company_id)

    def save(self, consent: Consent, company_id: str, renewed: Renewed, *, actor: str) -> None:
        """Store the tokens of a consent; ends a broken state. Raises as ``check_company``."""
        now = self._clock.now()
        with self._store.transaction() as connection:
            self._check_company(connection, consent, company_id)
            token = self._box.seal(renewed.refresh_token)
            values = {**self._sealed(consent), "company_id": company_id, "refresh_token": token}
            connection.execute(_SAVE, values)
            connection.execute(_BUDGET, {"name": consent.name})
            connection.execute(
                _STORE_GRANT,
                {
                    "name": consent.name,
                    "access_token": self._box.seal(renewed.access_token),
                    "access_expires_at": now + timedelta(seconds=renewed.access_expires_in_seconds),
                    "refresh_expires_at": now
                    + timedelta(seconds=renewed.refresh_expires_in_seconds),
                    "refresh_hard_expires_at": hard_expiry(renewed, now),
                    "now": now,
                },
            )
            detail = {"kind": consent.kind, "company_id": company_id, "by": "consent"}
            audit.write(
                connection, actor=actor, action="connect", subject=consent.name, detail=detail
            )

    def grant_of(self, name: str) -> Grant:
        """Return a connection's grant; raises ConfigurationInvalid when there is none."""
        known = self.known(name)
        if known is None:
            raise ConfigurationInvalid(f"there is no connection named {name!r}")
        return Grant(
            token_url=known["token_url"],
            revoke_url=known["revoke_url"],
            client_id=known["client_id"],
            client_secret=self.secret_of(known),
            refresh_token=SecretStr(self._box.open(known["refresh_token"])),
        )

    def disconnect(self, name: str, *, actor: str) -> None:
        """Record that the grant was given back: nobody calls until a person connects again."""
        reason = f"disconnected by {actor}"
        with self._store.transaction() as connection:
            if connection.execute(_DISCONNECT, {"name": name, "reason": reason}).rowcount == 0:
                raise LedgerAuthorizationExpired("the connection was removed", name=name)
            audit.write(connection, actor=actor, action="revoke", subject=name)

    def _check_company(self, connection: Connection, consent: Consent, company_id: str) -> None:
        known = connection.execute(_KNOWN, {"name": consent.name}).first()
        expected = consent.company_id if known is None else known.company_id
        if expected is not None and expected != company_id:
            raise ConfigurationInvalid(
                f"connection {consent.name!r} stands for company {expected}, the consent came "
                f"from company {company_id}; nothing was changed",
                advice="Choose the right company on the consent page, or another name.",
            )
        values = {"name": consent.name, "kind": consent.kind, "company_id": company_id}
        other = connection.execute(_OTHER_NAME, values).scalar()
        if other is not None:
            raise ConfigurationInvalid(
                f"company {company_id} is connected as {other!r} already",
                advice="Two connections to one company would rotate each other's tokens away.",
            )

    def _sealed(self, consent: Consent) -> dict[str, Any]:
        return {
            "name": consent.name,
            "kind": consent.kind,
            "company_id": consent.company_id,
            "api_base_url": consent.api_base_url,
            "token_url": consent.token_url,
            "authorize_url": consent.authorize_url,
            "revoke_url": consent.revoke_url,
            "app_id": consent.app_id,
            "client_id": consent.client_id,
            "client_secret": self._box.seal(consent.client_secret.get_secret_value()),
        }
