"""Everything that one stand-in holds: companies, tokens, memory, limits, faults and the log."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from hourbridge.common.exact_json import dumps, loads
from hourbridge.sandbox.quickbooks_online.arithmetic import Arithmetic
from hourbridge.sandbox.quickbooks_online.audit import AuditLog
from hourbridge.sandbox.quickbooks_online.clock import MovableClock
from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.disturbances import Disturbances
from hourbridge.sandbox.quickbooks_online.forced_refusals import ForcedRefusals
from hourbridge.sandbox.quickbooks_online.request_memory import RequestMemory
from hourbridge.sandbox.quickbooks_online.settings import SandboxSettings
from hourbridge.sandbox.quickbooks_online.throttle import Throttle
from hourbridge.sandbox.quickbooks_online.tokens import TokenBook
from hourbridge.sandbox.quickbooks_online.webhook_queue import WebhookQueue


class World:
    """One stand-in's state. Whoever reads or changes it holds ``lock``."""

    def __init__(self, settings: SandboxSettings | None = None, seed: int = 0) -> None:
        self.lock = threading.RLock()
        self.settings = settings or SandboxSettings()
        self.clock = MovableClock()
        self.companies: dict[str, Company] = {}
        self.tokens = TokenBook(self.settings, self.clock)
        self.memory = RequestMemory(self.settings, self.clock)
        self.throttle = Throttle(self.settings, self.clock)
        self.disturbances = Disturbances(seed)
        self.audit = AuditLog()
        self.webhooks = WebhookQueue(self.clock, seed)
        self.refusals = ForcedRefusals()

    def open_company(self, realm: str, name: str, currency: str = "USD") -> tuple[Company, str]:
        """Return a new company and the refresh token that connects to it."""
        with self.lock:
            company = Company(realm, name, self.clock, currency)
            self._adopt(company)
            return company, self.tokens.connect(realm)

    def save(self, path: Path) -> None:
        """Write companies and grants to a file, whole or not at all."""
        with self.lock:
            text = dumps(self._dump())
        partial = path.with_suffix(path.suffix + ".partial")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Take companies and grants from a file that ``save`` wrote."""
        state = loads(path.read_bytes())
        with self.lock:
            for saved in state["companies"]:
                company = Company(saved["realm"], saved["info"]["CompanyName"], self.clock)
                company.info = saved["info"]
                company.preferences = saved["preferences"]
                company.tables.update(saved["tables"])
                company.counters = saved["counters"]
                company.arithmetic = Arithmetic.from_json(saved.get("arithmetic", {}))
                company.rates = saved.get("rates", {})
                company.rate_stamps = saved.get("rate_stamps", {})
                company.tombstones = saved.get("tombstones", {})
                company.reindex()
                self._adopt(company)
            self.tokens.restore(state["grants"])

    def _adopt(self, company: Company) -> None:
        company.on_change = self.webhooks.note
        self.companies[company.realm] = company

    def _dump(self) -> dict[str, Any]:
        companies = [
            {
                "realm": company.realm,
                "info": company.info,
                "preferences": company.preferences,
                "tables": company.tables,
                "counters": company.counters,
                "arithmetic": company.arithmetic.as_json(),
                "rates": company.rates,
                "rate_stamps": company.rate_stamps,
                "tombstones": company.tombstones,
            }
            for company in self.companies.values()
        ]
        return {"companies": companies, "grants": self.tokens.dump()}
