"""API keys: one or more per source; a key fixes the book and the source that its events speak for.

Only a hash is kept. The part before the second underscore finds the row, so the comparison of
the secret takes the same time whatever is wrong with it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from hourbridge.common.store.rows import statement

_PREFIX = "hbk"
_INSERT = statement(
    "INSERT INTO intake_key (key_id, book, source, api_key_sha256, created_at, created_by) "
    "VALUES (:key_id, :book, :source, :sha256, :now, :actor)"
)
_INSERT_SOURCE = statement(
    "INSERT INTO intake_source (book, source, created_at) VALUES (:book, :source, :now) "
    "ON CONFLICT (book, source) DO NOTHING"
)
_FIND = statement(
    "SELECT book, source, api_key_sha256 FROM intake_key "
    "WHERE key_id = :key_id AND revoked_at IS NULL"
)
_REVOKE = statement(
    "UPDATE intake_key SET revoked_at = :now, revoked_by = :actor "
    "WHERE key_id = :key_id AND book = :book AND source = :source AND revoked_at IS NULL"
)
_NO_HASH = hashlib.sha256(b"no key").hexdigest()


@dataclass(frozen=True)
class Caller:
    """For which book and source a request speaks."""

    book: str
    source: str


def issue(connection: Connection, *, caller: Caller, actor: str, now: datetime) -> tuple[str, str]:
    """Create a key; return its id and the key itself, which can't be shown again."""
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    where = {"book": caller.book, "source": caller.source, "now": now}
    connection.execute(_INSERT_SOURCE, where)
    connection.execute(
        _INSERT, {**where, "key_id": key_id, "sha256": _hash(secret), "actor": actor}
    )
    return key_id, f"{_PREFIX}_{key_id}_{secret}"


def revoke(
    connection: Connection, *, caller: Caller, key_id: str, actor: str, now: datetime
) -> bool:
    """End a key; False when there is none such in force."""
    result = connection.execute(
        _REVOKE,
        {
            "key_id": key_id,
            "book": caller.book,
            "source": caller.source,
            "actor": actor,
            "now": now,
        },
    )
    return result.rowcount == 1


def authenticate(connection: Connection, presented: str | None) -> Caller | None:
    """Return for whom a presented key speaks; None for unknown, wrong and revoked ones."""
    prefix, _, rest = (presented or "").partition("_")
    key_id, _, secret = rest.partition("_")
    row = connection.execute(_FIND, {"key_id": key_id}).first() if prefix == _PREFIX else None
    expected = row.api_key_sha256 if row else _NO_HASH
    matches = hmac.compare_digest(expected, _hash(secret))
    return Caller(row.book, row.source) if row and matches else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
