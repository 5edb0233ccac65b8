"""The audit before go-live: both systems as they were read, and the ledger live if asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from hourbridge.common.book import BookConfiguration
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store.engine import Store
from hourbridge.connectors.ledger import Ledger, LedgerEntity
from hourbridge.mapper.configurations import Configurations
from hourbridge.mapper.ledger_check import LedgerOpener, references
from hourbridge.mapper.lists.planner import load_state
from hourbridge.matching.auditing.findings import SEVERITIES, AuditFinding, in_order
from hourbridge.matching.auditing.ledger import Named, chart, setup
from hourbridge.matching.auditing.links import missing_links, waiting_work
from hourbridge.matching.auditing.names import across, between_sources, names
from hourbridge.matching.entry import LEDGER, Entry, EntryKey
from hourbridge.matching.state import ListState

_READ_ONLY = text("SET TRANSACTION READ ONLY")
_WAITING = text(
    "SELECT key, count(*) AS records FROM mapped_record, unnest(waits_for) AS key "
    "WHERE book = :book AND outcome = 'parked' GROUP BY key ORDER BY key"
)
_OLDEST = text("SELECT min(work_date) FROM mapped_record WHERE book = :book AND outcome = 'parked'")
_LIVE_LISTS = ("customer", "vendor", "employee", "item", "account", "class", "term", "tax_code")
_SETUP = "set-up of the ledger"
_CLOSED = "AccountingInfoPrefs.BookCloseDate"


class Auditor:
    """Audits a book; changes nothing."""

    def __init__(self, store: Store, configurations: Configurations, opener: LedgerOpener) -> None:
        self._store = store
        self._configurations = configurations
        self._opener = opener

    def audit(self, book: str, *, is_live: bool = False) -> dict[str, Any]:
        """Return every finding with what to do, errors first, and what couldn't be looked at."""
        with self._store.transaction() as connection:
            connection.execute(_READ_ONLY)
            active = self._configurations.active(connection, book)
            if active is None:
                raise NotFound("the book has no configuration", book=book)
            state = load_state(connection, active.configuration).state
            waits_for = _waits_for(connection, book)
            oldest = connection.execute(_OLDEST, {"book": book}).scalar()
        known = _Ledger(state, self._opener if is_live else None, active.configuration)
        findings = in_order(
            [*known.findings, *_findings(active.configuration, state, known, waits_for, oldest)]
        )
        counts = {s: sum(f.severity == s for f in findings) for s in SEVERITIES}
        return {
            "book": book,
            "version": active.version,
            "live": is_live,
            "ok": not counts["error"],
            "counts": counts,
            "entries": _counted(known.entries),
            "findings": [_row(finding) for finding in findings],
        }


class _Ledger:
    """The ledger's entries and settings: as stored, or as read just now."""

    def __init__(
        self, state: ListState, opener: LedgerOpener | None, book: BookConfiguration
    ) -> None:
        self.findings: list[AuditFinding] = []
        self.entries = list(state.entries.values())
        self.preferences = _preferences(self.entries)
        self.closed_through = _day(self.preferences.get(_CLOSED))
        if opener is not None:
            self._read(opener, book)
        elif not any(entry.side == LEDGER for entry in self.entries):
            self.findings.append(_unread("no list of the ledger has been read yet"))

    def _read(self, opener: LedgerOpener, book: BookConfiguration) -> None:
        try:
            ledger = opener(book.ledger)
            if ledger is None:
                self.findings.append(_unread("there is no connection to the ledger"))
                return
            with closing(ledger):
                self._take(ledger)
        except HourbridgeError as error:
            self.findings.append(_unread(str(error)))

    def _take(self, ledger: Ledger) -> None:
        stored = {entry.key: entry for entry in self.entries}
        fresh = [
            _live(entity, stored.get((LEDGER, entity.kind, entity.ledger_id)))
            for kind in _LIVE_LISTS
            for entity in ledger.entities(kind)
        ]
        others = (e for e in self.entries if e.side != LEDGER or e.list_name not in _LIVE_LISTS)
        self.entries = [*others, *fresh]
        self.closed_through = ledger.closed_through()
        self.findings += [
            AuditFinding(
                "ledger_setup",
                "error",
                "set-up of the ledger",
                "connection",
                problem,
                "Correct it.",
            )
            for problem in ledger.check()
        ]


def _findings(
    book: BookConfiguration,
    state: ListState,
    known: _Ledger,
    waits_for: dict[str, int],
    oldest: date | None,
) -> Iterator[AuditFinding]:
    linked = frozenset(_linked(state))
    named = [Named(where, kind, reference) for where, kind, reference in references(book)]
    yield from names(known.entries)
    yield from between_sources(known.entries)
    yield from across(known.entries, linked)
    yield from chart(book, named, known.entries)
    yield from missing_links(known.entries, linked, _ruled(book))
    yield from waiting_work(waits_for)
    yield from setup(book, known.preferences, closed_through=known.closed_through, open_from=oldest)


def _linked(state: ListState) -> Iterator[EntryKey]:
    for link in state.links:
        yield (link.source, link.list_name, link.entry_id)
        yield (LEDGER, link.ledger_list, link.ledger_id)


def _ruled(book: BookConfiguration) -> dict[str, frozenset[str]]:
    """Return what rules of the mapping name, by list."""
    staff = {rule.staff for rule in book.staff} | {rule.staff for rule in book.subcontractors}
    tasks = frozenset(rule.task for rule in book.tasks)
    return {
        "client": frozenset(rule.client for rule in book.clients),
        "project": frozenset(rule.project for rule in book.projects),
        "staff": frozenset(staff),
        "task": tasks,
        "labor_code": tasks,
        "expense_code": frozenset(rule.category for rule in book.expenses),
    }


def _waits_for(connection: Connection, book: str) -> dict[str, int]:
    """Return what parked records wait for; single decisions of people are shown elsewhere."""
    found = connection.execute(_WAITING, {"book": book})
    kinds = ("client", "project", "task", "category", "staff", "vendor", "rate")
    return {row.key: row.records for row in found if row.key.partition(":")[0] in kinds}


def _live(entity: LedgerEntity, stored: Entry | None) -> Entry:
    """Return an entry as the ledger states it just now; what it didn't state is as stored."""
    attributes = dict(stored.attributes) if stored else {}
    if entity.income_account_id is not None:
        attributes["IncomeAccountRef.value"] = entity.income_account_id
    fresh = Entry(
        side=LEDGER,
        list_name=entity.kind,
        entry_id=entity.ledger_id,
        name=entity.name,
        record_id=stored.record_id if stored else "",
        full_name=entity.full_name,
        parent_id=entity.parent_id,
        type=entity.type,
        currency=entity.currency,
        is_active=entity.is_active,
        is_header=entity.is_header,
        attributes=attributes,
    )
    return fresh if stored is None else replace(fresh, values=stored.values, code=stored.code)


def _preferences(entries: list[Entry]) -> dict[str, str]:
    for entry in entries:
        if entry.side == LEDGER and entry.list_name == "preferences":
            return entry.attributes
    return {}


def _day(text_of_day: str | None) -> date | None:
    try:
        return date.fromisoformat(text_of_day[:10]) if text_of_day else None
    except ValueError:
        return None


def _unread(why: str) -> AuditFinding:
    return AuditFinding(
        "ledger_not_read",
        "error",
        _SETUP,
        "the ledger",
        f"it couldn't be looked at: {why}",
        "Connect it and let its lists be read (`hourbridge source poll`), or use --live.",
    )


def _row(finding: AuditFinding) -> dict[str, str]:
    return {
        "severity": finding.severity,
        "area": finding.area,
        "code": finding.code,
        "subject": finding.subject,
        "detail": finding.detail,
        "advice": finding.advice,
    }


def _counted(entries: list[Entry]) -> list[dict[str, Any]]:
    counts: dict[tuple[str, str], int] = {}
    for entry in entries:
        if entry.is_usable:
            side = "ledger" if entry.side == LEDGER else entry.side
            counts[side, entry.list_name] = counts.get((side, entry.list_name), 0) + 1
    return [{"side": s, "list": n, "active": count} for (s, n), count in sorted(counts.items())]
