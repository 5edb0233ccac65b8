"""What a connector needs of its connection: tokens and a call budget, both shared by replicas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Caller = Literal["posting", "lists", "reading", "history"]
"""Who calls, most urgent first: documents on their way, changes of lists, today's readings, and
history that is filled in."""


class TokenSource(Protocol):
    """Hands out access tokens; whoever holds one may find it refused and ask for another."""

    def access_token(self) -> str:
        """Return a token that should be good now; raises LedgerAuthorizationExpired."""
        ...

    def renew(self, refused: str) -> str:
        """Return another token than ``refused``; raises LedgerAuthorizationExpired."""
        ...

    def mark_broken(self, reason: str) -> None:
        """Record that a fresh token was refused too: a person has to connect again."""
        ...


class CallBudget(Protocol):
    """Spreads calls so that all callers together stay within what the company allows."""

    def take(self) -> None:
        """Wait for the turn of one call; raises LedgerThrottled when that would take too long."""
        ...

    def pause(self, seconds: int) -> None:
        """Let nobody call for ``seconds``: the company said that it is too much."""
        ...


class BatchingCallBudget(CallBudget, Protocol):
    """The call budget of a company that counts calls with many operations once more."""

    def take_batch(self) -> None:
        """Wait for the turn of one call that carries many operations; raises as ``take``."""
        ...


@dataclass(frozen=True)
class Exchange:
    """One request to a ledger and what came back, for the audit. Carries no tokens."""

    method: str
    path: str
    operation_key: str | None
    request_body: str | None
    status: int | None
    """None when no answer came."""
    response_body: str | None
    trace_id: str | None
    """The ledger's own id of the exchange, which its support asks for."""
    failure: str | None = None


Observer = Callable[[Exchange], None]
"""Called after every exchange; must not raise."""
