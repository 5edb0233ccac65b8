"""What people see of lists: counts, entries with their links, decisions, what a plan would do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, text

from hourbridge.common.book import BookConfiguration
from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store.engine import Store
from hourbridge.mapper.configurations import Configurations
from hourbridge.mapper.lists import decisions
from hourbridge.mapper.lists.planner import Loaded, load_state
from hourbridge.matching.entry import LEDGER, Entry
from hourbridge.matching.planning import plan_lists
from hourbridge.matching.state import Link, Plan

_READ_ONLY = text("SET TRANSACTION READ ONLY")
_BOOK = text(
    "SELECT is_due, has_ledger, planned_version, planned_at FROM list_book WHERE book = :book"
)
_COUNTS = text(
    "SELECT kind, state, code, count(*) AS number FROM list_decision WHERE book = :book "
    "AND state <> 'gone' GROUP BY kind, state, code ORDER BY kind, state, code"
)
_DECISIONS = text(
    """
    SELECT decision_id, kind, state, code, source, list_name, ledger_list, detail, advice, reasons,
           entries, created_at, updated_at, decided_by, note
    FROM list_decision WHERE book = :book
      AND (CAST(:state AS text) IS NULL OR state = ANY(string_to_array(:state, ',')))
      AND (CAST(:kind AS text) IS NULL OR kind = ANY(string_to_array(:kind, ',')))
      AND (CAST(:list AS text) IS NULL OR list_name = :list)
    ORDER BY kind, source, list_name, created_at, decision_id LIMIT :limit
    """
)


class ListsShown:
    """Reads; changes nothing."""

    def __init__(self, store: Store, configurations: Configurations) -> None:
        self._store = store
        self._configurations = configurations

    def status(self, book: str) -> dict[str, Any]:
        """Return how many entries, links and decisions a book has, list by list."""
        with self._store.transaction() as connection:
            connection.execute(_READ_ONLY)
            loaded = self._loaded(connection, book)
            row = connection.execute(_BOOK, {"book": book}).mappings().first()
            counts = connection.execute(_COUNTS, {"book": book}).mappings().all()
        return {
            "book": book,
            "planned": dict(row) if row else None,
            "lists": _counted(loaded),
            "decisions": [dict(count) for count in counts],
        }

    def decisions(self, book: str, query: Mapping[str, str], limit: int) -> list[dict[str, Any]]:
        """Return decisions by kind, state and list; by default what is open."""
        parameters = {
            "book": book,
            "state": query.get("state", "open"),
            "kind": query.get("kind"),
            "list": query.get("list"),
            "limit": limit,
        }
        if parameters["state"] == "all":
            parameters["state"] = None
        with self._store.transaction() as connection:
            connection.execute(_READ_ONLY)
            rows = connection.execute(_DECISIONS, parameters).mappings()
            return [{**row, "id": row["decision_id"]} for row in rows]

    def decision(self, book: str, decision_id: str) -> dict[str, Any]:
        """Return one decision with all that is known of it, or raise NotFound."""
        with self._store.transaction() as connection:
            found = decisions.one(connection, book, decision_id)
        if found is None:
            raise NotFound("no decision about lists has this id", book=book, id=decision_id)
        return found

    def entries(self, book: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Yield entries of both sides with what they are linked to, list by list."""
        with self._store.transaction() as connection:
            connection.execute(_READ_ONLY)
            loaded = self._loaded(connection, book)
        links = _links_by_end(loaded)
        for key in sorted(loaded.state.entries):
            entry = loaded.state.entries[key]
            row = entry_row(entry, links.get(key, []), loaded.state.marks.get(key))
            if _is_wanted(row, query):
                yield row

    def plan(self, configuration: BookConfiguration | None, book: str) -> dict[str, Any]:
        """Return what the policy in force, or that of a given configuration, would do now."""
        with self._store.transaction() as connection:
            connection.execute(_READ_ONLY)
            loaded = (
                load_state(connection, configuration)
                if configuration is not None
                else self._loaded(connection, book)
            )
        return plan_report(book, plan_lists(loaded.state))

    def _loaded(self, connection: Connection, book: str) -> Loaded:
        active = self._configurations.active(connection, book)
        if active is None:
            raise NotFound("the book has no configuration", book=book)
        return load_state(connection, active.configuration)


def plan_report(book: str, plan: Plan) -> dict[str, Any]:
    """Return a plan for people."""
    return {
        "book": book,
        "links": [new.reason.detail for new in plan.links],
        "changes": [
            {
                "what": decisions.told(change),
                "kind": change.kind,
                "side": change.side,
                "list": change.list_name,
                "needs_approval": change.needs_approval,
                "reasons": [reason.detail for reason in change.reasons],
            }
            for change in plan.changes
        ],
        "holds": [{"code": h.code, "detail": h.detail, "advice": h.advice} for h in plan.holds],
        "differences": [hold.detail for hold in plan.differences],
        "suggestions": [f"{each.detail} ({each.percent} %)" for each in plan.suggestions],
        "waiting": [each.detail for each in plan.waiting],
    }


def entry_row(entry: Entry, links: list[Link], mark: str | None) -> dict[str, Any]:
    """Return one entry as a flat row."""
    ends = [
        f"{link.ledger_list} {link.ledger_id}"
        if entry.side != LEDGER
        else f"{link.source} {link.list_name} {link.entry_id}"
        for link in links
    ]
    return {
        "side": "ledger" if entry.side == LEDGER else entry.side,
        "list": entry.list_name,
        "id": entry.entry_id,
        "name": entry.name,
        "full_name": entry.full_name,
        "parent": entry.parent_id or entry.owner_id,
        "type": entry.type,
        "code": entry.code,
        "currency": entry.currency,
        "active": entry.is_usable,
        "linked_to": ends,
        "how": sorted({link.how for link in links}),
        "mark": mark,
        "updated_at": entry.updated_at,
    }


def _links_by_end(loaded: Loaded) -> dict[tuple[str, str, str], list[Link]]:
    found: dict[tuple[str, str, str], list[Link]] = {}
    for link in loaded.state.links:
        found.setdefault((link.source, link.list_name, link.entry_id), []).append(link)
        found.setdefault((LEDGER, link.ledger_list, link.ledger_id), []).append(link)
    return found


def _is_wanted(row: dict[str, Any], query: Mapping[str, str]) -> bool:
    for name in ("list", "side"):
        if query.get(name) not in (None, row[name]):
            return False
    wanted = query.get("linked")
    return wanted is None or (wanted == "yes") == bool(row["linked_to"])


def _counted(loaded: Loaded) -> list[dict[str, Any]]:
    linked = set(_links_by_end(loaded))
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for key, entry in sorted(loaded.state.entries.items()):
        if entry.is_gone:
            continue
        side = "ledger" if entry.side == LEDGER else entry.side
        row = rows.setdefault(
            (side, entry.list_name),
            {"side": side, "list": entry.list_name, "entries": 0, "active": 0, "linked": 0},
        )
        row["entries"] += 1
        row["active"] += entry.is_active
        row["linked"] += key in linked
    return list(rows.values())
