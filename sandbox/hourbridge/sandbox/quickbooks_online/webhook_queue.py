"""Webhooks to be sent: what waits, in which of the two formats, signed, and when again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hourbridge.common.exact_json import dumps
from hourbridge.common.ids import derive_id
from hourbridge.sandbox.quickbooks_online.clock import SERVER_ZONE, MovableClock
from hourbridge.sandbox.quickbooks_online.company import Change

EVENTS_MAX = 100
"""Of one delivery."""
RETRY_SECONDS = (10, 20, 30, 300, 1200, 7200, 14_400, 21_600)
"""Pauses after failures; the last one from then on."""
_TOLD = frozenset(
    {"Account", "Bill", "BillPayment", "Class", "CompanyCurrency", "CreditMemo", "Customer"}
    | {"Department", "Employee", "Invoice", "Item", "JournalEntry", "Payment", "PaymentMethod"}
    | {"Preferences", "Purchase", "TaxAgency", "Term", "TimeActivity", "Vendor", "VendorCredit"}
)
"""Nothing is told of CompanyInfo, tax codes and rates, exchange rates and attachments."""
_NAMES = {"CompanyCurrency": "Currency"}
_WORDS = {
    "Create": "created",
    "Update": "updated",
    "Delete": "deleted",
    "Merge": "merged",
    "Void": "voided",
    "Emailed": "emailed",
}


@dataclass
class Subscription:
    """Where an app wants its events, and how this stand-in delivers them."""

    url: str = ""
    verifier_token: str = ""
    format: str = "cloudevents"
    """cloudevents or legacy."""
    duplicate_rate: Decimal = Decimal(0)
    """Share of deliveries that are sent twice."""
    shuffled: bool = False
    """Events of a delivery come in another order than they happened."""
    wrong_signature: bool = False
    events_max: int = EVENTS_MAX
    automatic: bool = False
    """Sent by itself from a thread; else only when the control interface says so."""


@dataclass
class Waiting:
    """The head of the queue: events that are sent together until one time it works."""

    changes: list[tuple[int, Change]]
    attempts: int = 0
    due_at: datetime | None = None


@dataclass(frozen=True)
class Delivery:
    """One POST to be made."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class WebhookQueue:
    """Events in order; later ones wait until the head is acknowledged. Not locked."""

    def __init__(self, clock: MovableClock, seed: int = 0) -> None:
        self._clock = clock
        self._random = random.Random(seed)
        self._queue: deque[tuple[int, Change]] = deque()
        self._sequence = 0
        self._head: Waiting | None = None
        self.subscription: Subscription | None = None
        self.delivered = 0
        self.failed = 0

    def subscribe(self, values: Mapping[str, Any]) -> None:
        """Take a subscription or changes to it; an empty url ends it and drops what waits."""
        unknown = set(values) - set(Subscription.__dataclass_fields__)
        if unknown:
            raise ValueError(f"unknown {sorted(unknown)}")
        given = dict(values)
        if "duplicate_rate" in given:
            given["duplicate_rate"] = Decimal(str(given["duplicate_rate"]))
        changed = Subscription(**(asdict(self.subscription or Subscription()) | given))
        if changed.format not in ("cloudevents", "legacy"):
            raise ValueError("format is cloudevents or legacy")
        self.subscription = changed if changed.url else None
        if self.subscription is None:
            self._queue.clear()
            self._head = None

    def note(self, change: Change) -> None:
        """Queue an event, if anybody listens and the service tells of such."""
        if self.subscription is not None and change.kind.name in _TOLD:
            self._sequence += 1
            self._queue.append((self._sequence, change))

    def next_delivery(self, *, at_once: bool = False) -> list[Delivery]:
        """Return what to send now: nothing, one delivery, or the same one twice."""
        subscription = self.subscription
        if subscription is None or not self._take_head(subscription.events_max):
            return []
        head = self._head
        if head is None or (
            not at_once and head.due_at is not None and self._clock.now() < head.due_at
        ):
            return []
        changes = list(head.changes)
        if subscription.shuffled:
            self._random.shuffle(changes)
        body = dumps(_BODIES[subscription.format](changes)).encode()
        delivery = Delivery(subscription.url, body, self._headers(subscription, body))
        is_twice = Decimal(self._random.random()) < subscription.duplicate_rate
        return [delivery, delivery] if is_twice else [delivery]

    def settle(self, *, acknowledged: bool) -> None:
        """Take note of how the head fared."""
        if self._head is None:
            return
        if acknowledged:
            self.delivered += 1
            self._head = None
            return
        self.failed += 1
        pause = RETRY_SECONDS[min(self._head.attempts, len(RETRY_SECONDS) - 1)]
        self._head.attempts += 1
        self._head.due_at = self._clock.now() + timedelta(seconds=pause)

    def as_dict(self) -> dict[str, Any]:
        """Return how it stands; the verifier token stays out."""
        shown = asdict(self.subscription) if self.subscription else None
        if shown is not None:
            del shown["verifier_token"]
        waiting = len(self._queue) + (len(self._head.changes) if self._head else 0)
        counts = {"waiting": waiting, "delivered": self.delivered, "failed": self.failed}
        return {"subscription": shown, **counts}

    def _take_head(self, events_max: int) -> bool:
        if self._head is None and self._queue:
            count = min(events_max, len(self._queue))
            self._head = Waiting([self._queue.popleft() for _ in range(count)])
        return self._head is not None

    def _headers(self, subscription: Subscription, body: bytes) -> dict[str, str]:
        key = subscription.verifier_token + ("x" if subscription.wrong_signature else "")
        is_new = subscription.format == "cloudevents"
        return {
            "intuit-signature": signature(key, body),
            "intuit-created-time": self._clock.stamp(),
            "intuit-t-id": derive_id("delivery", str(self.delivered), str(self.failed)),
            "content-type": "application/cloudevents+json" if is_new else "application/json",
            "user-agent": "intuit_notification_server/1.0",
        }


def signature(verifier_token: str, body: bytes) -> str:
    """Return base64 of HMAC-SHA256 over the raw body."""
    digest = hmac.new(verifier_token.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _cloudevents(changes: Sequence[tuple[int, Change]]) -> list[dict[str, Any]]:
    return [
        {
            "specversion": "1.0",
            "id": derive_id("webhook", change.realm, str(sequence)),
            "source": "intuit.dsnBNlXmGyVk9SxZKqNzaA==",
            "type": f"qbo.{_name(change).lower()}.{_WORDS[change.operation]}.v1",
            "datacontenttype": "application/json",
            # Nanoseconds, as the service writes them.
            "time": change.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "517Z",
            "intuitentityid": change.identity,
            "intuitaccountid": change.realm,
            "data": {"deletedid": change.loser} if change.loser else {},
        }
        for sequence, change in changes
    ]


def _legacy(changes: Sequence[tuple[int, Change]]) -> dict[str, Any]:
    by_realm: dict[str, list[dict[str, Any]]] = {}
    for _, change in changes:
        entity = {
            "name": _name(change),
            "id": change.identity,
            "operation": change.operation,
            "lastUpdated": change.at.astimezone(SERVER_ZONE).strftime("%Y-%m-%dT%H:%M:%S%z"),
        }
        if change.loser:
            entity["deletedId"] = change.loser
        by_realm.setdefault(change.realm, []).append(entity)
    return {
        "eventNotifications": [
            {"realmId": realm, "dataChangeEvent": {"entities": entities}}
            for realm, entities in by_realm.items()
        ]
    }


def _name(change: Change) -> str:
    return _NAMES.get(change.kind.name, change.kind.name)


_BODIES: Mapping[str, Any] = {"cloudevents": _cloudevents, "legacy": _legacy}
