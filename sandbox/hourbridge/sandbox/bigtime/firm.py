"""One firm's books: its lists, time, expenses and invoices, and who may see them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from hourbridge.sandbox.bigtime.expense_book import Expense, restore_expense
from hourbridge.sandbox.bigtime.refusals import not_found
from hourbridge.sandbox.bigtime.settings import FirmSettings, SandboxSettings
from hourbridge.sandbox.bigtime.shapes import (
    CHOICE,
    CLIENT,
    COST_RATE,
    CUSTOM_RATE,
    EXPENSE_CODE,
    EXPENSE_RATE,
    LABOR_CODE,
    PROJECT,
    STAFF,
    TASK,
    Shape,
)
from hourbridge.sandbox.bigtime.time_book import TimeBook
from hourbridge.sandbox.bigtime.values import Row
from hourbridge.sandbox.common.clock import MovableClock

SHAPES: dict[str, Shape] = {
    "clients": CLIENT,
    "projects": PROJECT,
    "tasks": TASK,
    "staff": STAFF,
    "labor_codes": LABOR_CODE,
    "expense_codes": EXPENSE_CODE,
    "rates": CUSTOM_RATE,
    "cost_rates": COST_RATE,
    "expense_rates": EXPENSE_RATE,
    "qb_classes": CHOICE,
    "qb_accounts": CHOICE,
    "qb_list": CHOICE,
    "payroll_items": CHOICE,
    "credit_cards": CHOICE,
    "vendors": CHOICE,
    "terms": CHOICE,
    "tax_rates": CHOICE,
}
"""The tables of records and their shapes."""


@dataclass
class User:
    """Somebody who can log in; belongs to a staffer of each firm."""

    user_id: str
    password: str
    staff_sid: int
    is_admin: bool = False


@dataclass
class ApiKey:
    """A key of the firm; one that only reads gets 405 for writes."""

    key: str
    may_write: bool = True


@dataclass
class Firm:
    """Everything one firm has. Whoever reads or changes it holds the world's lock."""

    realm: str
    """The slug; ``tenant_id`` works as a realm too."""
    tenant_id: str
    name: str
    switches: SandboxSettings
    clock: MovableClock
    currency: str = "USD"
    zone: str = "America/New_York"
    settings: FirmSettings = field(default_factory=FirmSettings)
    users: list[User] = field(default_factory=list)
    keys: list[ApiKey] = field(default_factory=list)
    tables: dict[str, dict[int, Row]] = field(default_factory=lambda: {n: {} for n in SHAPES})
    counters: dict[str, int] = field(default_factory=dict)
    time: TimeBook = field(default_factory=TimeBook)
    expenses: dict[int, Expense] = field(default_factory=dict)
    expense_reports: dict[int, Row] = field(default_factory=dict)
    receipts: dict[int, Row] = field(default_factory=dict)
    invoices: dict[int, Row] = field(default_factory=dict)
    reports: dict[int, Row] = field(default_factory=dict)
    tickets: dict[str, Row] = field(default_factory=dict)
    posted: list[Row] = field(default_factory=list)
    """What its own integration sent to the accounting system, in order: doubles show here."""
    next_failure: str | None = None
    """What the next asynchronous transaction fails with."""
    project_team: dict[int, list[Row]] = field(default_factory=dict)
    custom_fields: dict[str, list[Row]] = field(default_factory=dict)
    """``project:<id>`` or ``staff:<id>`` to rows of Sid, Name and Value."""

    def next_id(self, name: str, first: int = 1) -> int:
        """Return the next id of a kind of record."""
        self.counters[name] = self.counters.get(name, first - 1) + 1
        return self.counters[name]

    def stamp(self) -> str:
        """Return now as the firm's lists show it: local time, no offset."""
        local = self.clock.now().astimezone(ZoneInfo(self.zone))
        return local.replace(tzinfo=None).isoformat(timespec="seconds")

    def today(self) -> str:
        """Return the firm's date."""
        return self.clock.now().astimezone(ZoneInfo(self.zone)).date().isoformat()

    def milliseconds(self) -> int:
        """Return now as time entries count it."""
        return round(self.clock.now().timestamp() * 1000)

    def new_guid(self) -> str:
        """Return a GUID that is the same in every run."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.realm}/{self.next_id('guid')}"))

    def row(self, table: str, identity: int) -> Row | None:
        """Return a record of a list."""
        return self.tables[table].get(identity)

    def need(self, table: str, identity: int) -> Row:
        """Return a record of a list; raises the refusal 404."""
        row = self.row(table, identity)
        if row is None:
            raise not_found(f"{SHAPES[table].what} {identity}")
        return row

    def rows(self, table: str, *, inactive: bool = False) -> Iterator[Row]:
        """Iterate over the active records of a list, or over all."""
        for row in self.tables[table].values():
            if inactive or not row.get("IsInactive"):
                yield row

    def name_of(self, table: str, identity: int, field_name: str = "Nm") -> str | None:
        """Return the name of a record; None when there is none (any more)."""
        row = self.row(table, identity)
        return None if row is None else row[field_name]

    def save(self, table: str, identity: int, changes: Mapping[str, Any]) -> Row:
        """Create (``identity`` 0) or change a record of a list; stamps it."""
        shape = SHAPES[table]
        now = self.stamp()
        if identity:
            row = shape.checked({**self.need(table, identity), **changes, "DtModified": now})
        else:
            identity = self.next_id(table)
            row = {**shape.new(identity, dict(changes)), "DtCreated": now, "DtModified": now}
        self.tables[table][identity] = row
        return row

    def dump(self) -> Row:
        """Return the firm as JSON."""
        kept = {name: getattr(self, name) for name in _PLAIN}
        return kept | {
            "settings": self.settings.as_dict(),
            "users": [asdict(user) for user in self.users],
            "keys": [asdict(key) for key in self.keys],
            "time": self.time.dump(),
            "expenses": [asdict(expense) for expense in self.expenses.values()],
            **{name: list(getattr(self, name).items()) for name in _KEYED},
            "tables": {name: list(rows.values()) for name, rows in self.tables.items()},
        }

    @classmethod
    def restored(cls, saved: Row, switches: SandboxSettings, clock: MovableClock) -> Firm:
        """Return the firm that ``dump`` wrote."""
        firm = cls(switches=switches, clock=clock, **{name: saved[name] for name in _PLAIN})
        firm.settings.change(saved["settings"])
        firm.users = [User(**user) for user in saved["users"]]
        firm.keys = [ApiKey(**key) for key in saved["keys"]]
        firm.time.restore(saved["time"])
        firm.expenses = {row["sid"]: restore_expense(row) for row in saved["expenses"]}
        for name in _KEYED:
            setattr(firm, name, dict(saved[name]))
        for name, rows in saved["tables"].items():
            firm.tables[name] = {row[SHAPES[name].id_field]: row for row in rows}
        return firm


_PLAIN = (
    "realm",
    "tenant_id",
    "name",
    "currency",
    "zone",
    "counters",
    "posted",
    "next_failure",
    "custom_fields",
)
_KEYED = ("expense_reports", "receipts", "invoices", "reports", "tickets", "project_team")
