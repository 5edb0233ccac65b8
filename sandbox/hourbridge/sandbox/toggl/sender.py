"""Sending webhooks: signed, and with all that goes wrong between a sender and a receiver."""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from hourbridge.common.exact_json import dumps
from hourbridge.sandbox.toggl.world import Row, Subscription, World

_TIMEOUT_SECONDS = 5
_ATTEMPTS_MAX = 3
_OK = 200
_REFUSED = 300


@dataclass(frozen=True)
class Manner:
    """How a round of deliveries goes."""

    duplicates: int = 0
    """How often each is sent again, although it was answered."""
    shuffled: bool = False
    wrong_signature: bool = False
    """Signed with another secret, as somebody else would."""
    unsigned: bool = False
    truncated: bool = False
    """The body is cut off; the signature is that of what is sent."""
    seed: int = 0


@dataclass(frozen=True)
class Sent:
    """One delivery and its answer."""

    event_id: int
    status: int | None
    """None when nothing answered."""
    answer: str


class Sender:
    """Sends what waits in a world to its subscriptions."""

    def __init__(self, world: World) -> None:
        self._world = world

    def deliver(self, manner: Manner | None = None) -> list[Sent]:
        """Send everything that waits; what is not answered with 2xx waits for the next round."""
        how = manner or Manner()
        with self._world.lock:
            waiting, self._world.undelivered = self._world.undelivered, []
        round_ = [item for item in waiting for _ in range(1 + how.duplicates)]
        if how.shuffled:
            random.Random(how.seed).shuffle(round_)
        sent, failed = [], []
        with httpx.Client(timeout=_TIMEOUT_SECONDS) as client:
            for subscription_id, event in round_:
                result = self._send(client, subscription_id, event, how)
                sent.append(result)
                is_answered = result.status is not None and result.status < _REFUSED
                if not is_answered and (subscription_id, event) not in failed:
                    failed.append((subscription_id, event))
        with self._world.lock:
            self._world.undelivered = failed + self._world.undelivered
        return sent

    def redeliver(self, count: int) -> list[Sent]:
        """Send the last ``count`` events once more, as the vendor does after an outage."""
        with self._world.lock:
            again = [
                (subscription.subscription_id, event)
                for event in self._world.events[-count:]
                for subscription in self._world.subscriptions.values()
                if str(subscription.workspace_id) == event["metadata"]["workspace_id"]
            ]
            self._world.undelivered = again + self._world.undelivered
        return self.deliver()

    def ping(self, subscription_id: int) -> bool:
        """Return whether the receiver echoed the validation code; then it counts as validated."""
        subscription = self._world.subscriptions[subscription_id]
        event: Row = {
            "event_id": 0,
            "created_at": self._world.clock.now().isoformat(),
            "payload": "ping",
            "validation_code": subscription.validation_code,
            "subscription_id": subscription_id,
        }
        with httpx.Client(timeout=_TIMEOUT_SECONDS) as client:
            result = self._send(client, subscription_id, event, Manner())
        echoed = subscription.validation_code in result.answer
        subscription.validated = result.status == _OK and echoed
        return subscription.validated

    def _send(self, client: httpx.Client, subscription_id: int, event: Row, how: Manner) -> Sent:
        subscription = self._world.subscriptions[subscription_id]
        body, headers = self._request(subscription, event, how)
        for _ in range(_ATTEMPTS_MAX):
            try:
                answer = client.post(subscription.url_callback, content=body, headers=headers)
            except httpx.RequestError:
                continue
            return Sent(event["event_id"], answer.status_code, answer.text)
        return Sent(event["event_id"], None, "")

    def _request(
        self, subscription: Subscription, event: Row, how: Manner
    ) -> tuple[bytes, dict[str, str]]:
        stamped: Mapping[str, Any] = {
            **event,
            "subscription_id": subscription.subscription_id,
            "timestamp": self._world.clock.now().isoformat(),
            "url_callback": subscription.url_callback,
        }
        body = dumps(stamped).encode()
        if how.truncated:
            body = body[: len(body) // 2]
        headers = {"content-type": "application/json", "user-agent": "Toggl-Webhooks/1.0"}
        if not how.unsigned:
            secret = "of somebody else" if how.wrong_signature else subscription.secret
            digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
            headers["x-webhook-signature-256"] = f"sha256={digest}"
        return body, headers
