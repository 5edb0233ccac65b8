"""The log of every request and its effect, for a checker that trusts nobody."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

_EXCHANGES_MAX = 200_000


@dataclass
class Exchange:
    """One request as the stand-in saw it."""

    sequence: int
    at: str
    method: str
    path: str
    realm: str | None = None
    request_id: str | None = None
    outcome: str = "unfinished"
    """executed, replayed, refused, unauthorized, throttled, failed (no effect) or dropped."""
    delivery: str = "answered"
    """answered, lost, truncated or replaced by an error."""
    status: int | None = None
    code: str | None = None
    action: str | None = None
    kind: str | None = None
    id: str | None = None
    number: str | None = None


class AuditLog:
    """Requests in order of arrival, and every create by document number, for good."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=_EXCHANGES_MAX)
        self._sequence = 0
        self._creates: dict[tuple[str, str, str], list[str]] = {}

    def open(self, method: str, path: str, at: str) -> Exchange:
        """Start the record of a request."""
        self._sequence += 1
        exchange = Exchange(self._sequence, at, method, path)
        self._exchanges.append(exchange)
        return exchange

    def note_create(self, realm: str, kind: str, number: str | None, identity: str) -> None:
        """Count a document that came into being."""
        self._creates.setdefault((realm, kind, number or ""), []).append(identity)

    def exchanges(
        self, *, after: int = 0, realm: str | None = None, limit: int = 10_000
    ) -> list[dict[str, Any]]:
        """Return up to ``limit`` records with a sequence above ``after``."""
        found = (
            asdict(exchange)
            for exchange in self._exchanges
            if exchange.sequence > after and realm in (None, exchange.realm)
        )
        return [record for record, _ in zip(found, range(limit), strict=False)]

    def creates(self, realm: str) -> dict[str, dict[str, list[str]]]:
        """Return, by kind and document number, the ids that creates have ever made."""
        found: dict[str, dict[str, list[str]]] = {}
        for (of_realm, kind, number), identities in self._creates.items():
            if of_realm == realm:
                found.setdefault(kind, {})[number] = list(identities)
        return found
