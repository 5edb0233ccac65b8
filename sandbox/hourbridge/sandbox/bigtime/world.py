"""Everything that one stand-in holds: firms, sessions, limits, faults and the log."""

from __future__ import annotations

import threading
from pathlib import Path

from hourbridge.common.exact_json import dumps, loads
from hourbridge.sandbox.bigtime.firm import ApiKey, Firm
from hourbridge.sandbox.bigtime.sessions import SessionBook
from hourbridge.sandbox.bigtime.settings import SandboxSettings
from hourbridge.sandbox.common.audit import AuditLog
from hourbridge.sandbox.common.clock import MovableClock
from hourbridge.sandbox.common.disturbances import DEFAULT_STATUS, Disturbances, Fault
from hourbridge.sandbox.common.throttle import Throttle

_MINUTE_SECONDS = 60
_FIRST_TENANT = 40_001


class World:
    """One stand-in's state. Whoever reads or changes it holds ``lock``."""

    def __init__(self, settings: SandboxSettings | None = None, seed: int = 0) -> None:
        self.lock = threading.RLock()
        self.settings = settings or SandboxSettings()
        self._at_start = self.settings.as_dict()
        self.clock = MovableClock()
        self.firms: dict[str, Firm] = {}
        self.sessions = SessionBook(self.settings, self.clock)
        self.throttle = Throttle(self._limits, lambda: self.clock.now().timestamp())
        self.disturbances = Disturbances(
            seed, frozenset(Fault), DEFAULT_STATUS | {Fault.HTML_PAGE: 500}
        )
        self.audit = AuditLog()

    def open_firm(self, realm: str, name: str, currency: str = "USD") -> Firm:
        """Return a new firm with the key ``<realm>-key`` and no records."""
        with self.lock:
            tenant_id = str(_FIRST_TENANT + len(self.firms))
            firm = Firm(realm, tenant_id, name, self.settings, self.clock, currency)
            firm.keys.append(ApiKey(f"{realm}-key"))
            self.firms[realm] = firm
            return firm

    def firm_of(self, realm: str) -> Firm | None:
        """Return the firm with this slug or numeric id."""
        if realm in self.firms:
            return self.firms[realm]
        return next((firm for firm in self.firms.values() if firm.tenant_id == realm), None)

    def reset(self) -> None:
        """Forget firms, sessions, faults, limits and the log; settings and clock as at start."""
        with self.lock:
            self.firms.clear()
            self.sessions.end_all()
            self.disturbances.clear()
            self.disturbances.happened.clear()
            self.settings.change(self._at_start)
            self.clock.offset_seconds = 0
            self.throttle.forget()
            self.audit = AuditLog()

    def save(self, path: Path) -> None:
        """Write all firms to a file, whole or not at all."""
        with self.lock:
            text = dumps({"firms": [firm.dump() for firm in self.firms.values()]})
        partial = path.with_suffix(path.suffix + ".partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Take the firms from a file that ``save`` wrote."""
        state = loads(path.read_bytes())
        with self.lock:
            for saved in state["firms"]:
                firm = Firm.restored(saved, self.settings, self.clock)
                self.firms[firm.realm] = firm

    def _limits(self) -> list[tuple[int, int]]:
        count = self.settings.requests_per_minute_max
        return [] if count is None else [(count, _MINUTE_SECONDS)]
