"""Checking and planning a configuration: what is wrong with it, and what it would change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic_core import to_jsonable_python
from sqlalchemy import text

from hourbridge.common.book import BookConfiguration
from hourbridge.common.messages.records import Expense, TimeEntry
from hourbridge.common.store.engine import Store
from hourbridge.mapper import stored
from hourbridge.mapper.configurations import Configurations
from hourbridge.mapper.ledger_check import LedgerOpener, check_ledger, no_ledger
from hourbridge.mapper.mapping import same_content
from hourbridge.mapper.rules.check import check
from hourbridge.mapper.rules.difference import difference
from hourbridge.mapper.rules.effect import Effect
from hourbridge.mapper.rules.findings import Finding
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.names import normal
from hourbridge.mapper.stored import StoredRecord

_READ_ONLY = text("SET TRANSACTION READ ONLY")
PAGE_RECORDS = 1000


class Planner:
    """Checks and plans; changes nothing."""

    def __init__(
        self,
        store: Store,
        configurations: Configurations,
        *,
        opener: LedgerOpener = no_ledger,
        records_max: int = 200_000,
    ) -> None:
        self._store = store
        self._configurations = configurations
        self._opener = opener
        self._records_max = records_max

    def findings(self, configuration: BookConfiguration) -> list[Finding]:
        """Return all that is wrong or doubtful, in itself and against the ledger."""
        return [*check(configuration), *check_ledger(configuration, self._opener)]

    def check(self, configuration: BookConfiguration) -> dict[str, Any]:
        """Return the findings for people."""
        return report(configuration, self.findings(configuration))

    def plan(self, configuration: BookConfiguration) -> dict[str, Any]:
        """Return findings, the difference to the active version, and its effect on what is stored.

        Reads page by page in transactions of their own, so a long plan holds up nobody.
        """
        with self._store.transaction() as connection:
            connection.execute(_READ_ONLY)
            active = self._configurations.active(connection, configuration.book)
        before = active.configuration if active else None
        changes = difference(before, configuration)
        answer = report(configuration, self.findings(configuration))
        answer |= {
            "active_version": active.version if active else 0,
            "difference": [to_jsonable_python(change) for change in changes],
        }
        return answer | self._effect(configuration, CompiledBook(configuration, 0))

    def _effect(self, configuration: BookConfiguration, planned: CompiledBook) -> dict[str, Any]:
        effect = Effect()
        names = _TrackerNames()
        complete = True
        for parked in (True, False):
            cursor = ""
            while batch := self._page(planned, cursor, parked, effect, names):
                cursor = batch[-1].accepted.record_id
                if effect.examined >= self._records_max:
                    complete = False
                    break
        return {
            "effect": {**effect.report(), "complete": complete},
            "changes": effect.changes(),
            "name_conflicts": names.conflicts(configuration),
        }

    def _page(
        self,
        planned: CompiledBook,
        cursor: str,
        parked: bool,
        effect: Effect,
        names: _TrackerNames,
    ) -> Sequence[StoredRecord]:
        book = planned.configuration.book
        with self._store.transaction() as connection:
            connection.execute(_READ_ONLY)
            batch = stored.page(connection, book, cursor, parked=parked, limit=PAGE_RECORDS)
            mapped = stored.map_again(connection, book, planned, batch)
        for item, after in zip(batch, mapped, strict=True):
            changed = not same_content(item.change, after.change)
            effect.add(item.change, after.change, is_changed=changed)
            names.see(item)
        return batch


class _TrackerNames:
    """What trackers call the clients that they give ids to."""

    def __init__(self) -> None:
        self._names: dict[str, set[str]] = {}

    def see(self, item: StoredRecord) -> None:
        """Note the client's id and name of a record."""
        state = item.accepted.state
        if isinstance(state, TimeEntry | Expense) and state.client_id and state.client_name:
            self._names.setdefault(normal(state.client_id), set()).add(normal(state.client_name))

    def conflicts(self, configuration: BookConfiguration) -> list[dict[str, Any]]:
        """Return clients matched by id whose names in tracker and ledger differ.

        Nothing is wrong with them: the id decides, and no second customer comes of a renaming.
        """
        found = []
        for client in configuration.clients:
            names = self._names.get(normal(client.client), set()) - {client.customer.name}
            if names and client.customer.name is not None:
                found.append(
                    {
                        "client": client.client,
                        "tracker_names": sorted(name for name in names if name),
                        "ledger_name": client.customer.name,
                    }
                )
        return found


def report(configuration: BookConfiguration, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return findings as the answer of check, plan and apply."""
    problems = [finding for finding in findings if finding.severity == "problem"]
    return {
        "book": configuration.book,
        "ok": not problems,
        "problems": [_words(finding) for finding in problems],
        "warnings": [_words(f) for f in findings if f.severity == "warning"],
    }


def _words(finding: Finding) -> dict[str, str]:
    return {"code": finding.code, "where": finding.where, "detail": finding.detail}
