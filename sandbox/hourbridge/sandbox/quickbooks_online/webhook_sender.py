"""Sending webhooks over HTTP, on demand or by itself from a thread."""

from __future__ import annotations

import threading

import httpx

from hourbridge.sandbox.quickbooks_online.world import World

_TIMEOUT_SECONDS = 3
"""The service waits no longer for an acknowledgement."""
_PAUSE_SECONDS = 0.2


def deliver(world: World, *, at_once: bool = True, rounds_max: int = 1000) -> dict[str, int]:
    """Send what waits until nothing does or a delivery fails; returns counts of both.

    ``at_once`` disregards the pause after a failure.
    """
    sent = failed = 0
    for _ in range(rounds_max):
        with world.lock:
            deliveries = world.webhooks.next_delivery(at_once=at_once)
        if not deliveries:
            break
        answers = [_post(each.url, each.body, dict(each.headers)) for each in deliveries]
        acknowledged = all(answers)
        with world.lock:
            world.webhooks.settle(acknowledged=acknowledged)
        sent += acknowledged
        if not acknowledged:
            failed = 1
            break
    return {"delivered": sent, "failed": failed}


class WebhookSender:
    """Delivers from a thread until it is stopped."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-webhooks", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the delivery that is under way."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(_PAUSE_SECONDS):
            subscription = self._world.webhooks.subscription
            if subscription is not None and subscription.automatic:
                deliver(self._world, at_once=False)


def _post(url: str, body: bytes, headers: dict[str, str]) -> bool:
    try:
        answer = httpx.post(url, content=body, headers=headers, timeout=_TIMEOUT_SECONDS)
    except httpx.HTTPError:
        return False
    return answer.is_success
