"""Sessions of users: issued at log-in, ended by the stand-in's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from hourbridge.common.ids import random_id
from hourbridge.sandbox.bigtime.settings import SandboxSettings
from hourbridge.sandbox.common.clock import MovableClock


@dataclass(frozen=True)
class Session:
    """Who a token speaks for, and until when."""

    token: str
    user_id: str
    realm: str
    ends_at: datetime


class SessionBook:
    """All sessions. Not locked; the world that holds it is."""

    def __init__(self, settings: SandboxSettings, clock: MovableClock) -> None:
        self._settings = settings
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    def issue(self, user_id: str, realm: str) -> Session:
        """Return a new session."""
        ends_at = self._clock.now() + timedelta(seconds=self._settings.session_seconds)
        session = Session(random_id(), user_id, realm, ends_at)
        self._sessions[session.token] = session
        return session

    def of(self, token: str) -> Session | None:
        """Return a session that has not ended."""
        session = self._sessions.get(token)
        return session if session and session.ends_at > self._clock.now() else None

    def end(self, token: str) -> None:
        """End a session now; an unknown one is no error."""
        self._sessions.pop(token, None)

    def end_all(self, realm: str | None = None) -> int:
        """End every session (of one firm); returns how many."""
        ended = [s.token for s in self._sessions.values() if realm in (None, s.realm)]
        for token in ended:
            del self._sessions[token]
        return len(ended)
