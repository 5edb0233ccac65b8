"""The WebhookReceiver protocol: what systems push, verified before it is parsed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from hourbridge.connectors.source import Statement


@dataclass(frozen=True)
class Hint:
    """Something changed: wake a feed. Carries no facts that anybody relies on."""

    feed: str
    entity: str | None = None
    entity_id: str | None = None
    what: str | None = None
    """created, updated, deleted, merged, voided, emailed, as the system says."""


@dataclass(frozen=True)
class Pushed:
    """One event of a delivery."""

    event_id: str
    """Equal for a repeated delivery of the same event."""
    account: str | None = None
    """The company or workspace it concerns, where one endpoint serves several."""
    statement: Statement | None = None
    hint: Hint | None = None


@dataclass(frozen=True)
class Delivery:
    """What one request brought."""

    events: tuple[Pushed, ...]
    answer: bytes = b""
    """What the sender wants to see in the response, e.g. the echo of a validation code."""
    answer_content_type: str = "application/json"


class WebhookReceiver(Protocol):
    """Understands one system's deliveries. Pure: makes no call."""

    def receive(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Return what a delivery says.

        Header names are lower-case. Raises WebhookRefused when the signature over the raw body
        is missing or wrong; that is decided before anything is parsed. What can't be understood
        of a well-signed delivery becomes a Statement with reasons: kept, never refused.
        """
        ...
