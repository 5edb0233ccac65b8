"""The memory of ``requestid``: a repeated id is answered with its first success."""

from __future__ import annotations

from datetime import datetime, timedelta

from hourbridge.sandbox.quickbooks_online.clock import MovableClock
from hourbridge.sandbox.quickbooks_online.settings import SandboxSettings


class RequestMemory:
    """Successful answers by (realm, requestid); failures are not remembered.

    Like the service, the stored answer comes back even when the repeated body differs or the
    object has been deleted since.
    """

    def __init__(self, settings: SandboxSettings, clock: MovableClock) -> None:
        self._settings = settings
        self._clock = clock
        self._answers: dict[tuple[str, str], tuple[datetime, bytes]] = {}

    def recall(self, realm: str, request_id: str) -> bytes | None:
        """Return the remembered body, or None when there is none (any more)."""
        found = self._answers.get((realm, request_id))
        if found is None:
            return None
        retention = timedelta(seconds=self._settings.requestid_memory_seconds)
        if self._clock.now() >= found[0] + retention:
            del self._answers[realm, request_id]
            return None
        return found[1]

    def remember(self, realm: str, request_id: str, body: bytes) -> None:
        """Keep a success; does nothing while the memory is switched off."""
        if self._settings.requestid_memory_seconds > 0:
            self._answers[realm, request_id] = (self._clock.now(), body)

    def forget_all(self) -> None:
        """Drop every remembered answer."""
        self._answers.clear()
