"""Stored decisions: writes from proposal to outcome, and what only people can settle."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_jsonable_python
from sqlalchemy import Connection, text

from hourbridge.common.book import BookConfiguration
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import ListChangeRequested, ListTarget
from hourbridge.common.messages.records import ExternalLink
from hourbridge.common.store.rows import bulk, statement
from hourbridge.mapper.lists.links import Owner
from hourbridge.matching.entry import LEDGER
from hourbridge.matching.state import Change, Hold, OpenWrite, Suggestion
from hourbridge.matching.writing import request_id, wanted_entry, wanted_key, written_values

UNDER_WAY = ("requested", "waiting")
_ENDED = ("written", "adopted", "stale", "gone")
"""The same may be wanted again after these; after a refusal only once people said so."""

_INSERT = statement(
    """
    INSERT INTO list_decision (book, decision_id, kind, state, code, source, list_name,
        ledger_list, detail, advice, reasons, entries, wanted_key, attempt, change, request,
        created_at, updated_at)
    SELECT book, decision_id, kind, state, code, source, list_name, ledger_list, detail, advice,
        reasons, entries, wanted_key, coalesce(attempt, 1), change, request,
        CAST(:now AS timestamptz),
        CAST(:now AS timestamptz)
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        book text, decision_id text, kind text, state text, code text, source text,
        list_name text, ledger_list text, detail text, advice text, reasons jsonb, entries jsonb,
        wanted_key text, attempt integer, change jsonb, request jsonb)
    ORDER BY book, decision_id
    ON CONFLICT (book, decision_id) DO UPDATE SET
        state = CASE WHEN list_decision.state = 'gone' THEN 'open' ELSE list_decision.state END,
        detail = excluded.detail, advice = excluded.advice, updated_at = excluded.updated_at
    WHERE (list_decision.state, list_decision.detail) IS DISTINCT FROM ('open', excluded.detail)
    """
)
_LATEST = text(
    "SELECT DISTINCT ON (wanted_key) wanted_key, attempt, state, decision_id FROM list_decision "
    "WHERE book = :book AND wanted_key = ANY(CAST(:keys AS text[])) "
    "ORDER BY wanted_key, attempt DESC"
)
_UNDER_WAY = text(
    "SELECT change FROM list_decision WHERE book = :book AND kind = 'change' "
    "AND state IN ('requested', 'waiting') AND change ->> 'company' = :company"
)
_GONE = text(
    "UPDATE list_decision SET state = 'gone', updated_at = :now WHERE book = :book "
    "AND state = 'open' AND NOT decision_id = ANY(CAST(:kept AS text[]))"
)
_ONE = text(
    "SELECT * FROM list_decision WHERE book = :book AND decision_id = :decision_id FOR UPDATE"
)
_SET = text(
    "UPDATE list_decision SET state = :state, decided_by = coalesce(:actor, decided_by), "
    "note = coalesce(:note, note), reasons = coalesce(CAST(:reasons AS jsonb), reasons), "
    "updated_at = :now WHERE book = :book AND decision_id = :decision_id"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change that was decided just now: to be requested, if its approval isn't asked for."""

    decision_id: str
    change: Change
    is_requested: bool


def open_writes(connection: Connection, owner: Owner) -> tuple[OpenWrite, ...]:
    """Return the writes whose outcome isn't in yet."""
    found = []
    for row in connection.execute(_UNDER_WAY, owner._asdict()):
        change = row.change
        found.append(
            OpenWrite(
                change["side"],
                change["list_name"],
                change["entry_id"],
                change["written"].get("name", ""),
                tuple(change["origin"]),
            )
        )
    return tuple(found)


def propose(
    connection: Connection, owner: Owner, changes: Sequence[Change], now: datetime
) -> tuple[list[Wanted], set[str]]:
    """Store new changes; return what is to be requested, and the ids of all that still hold.

    Each wanted state becomes a request once: what is under way, refused, or turned down by a
    person isn't wanted again; what was done and undone since is.
    """
    book, within = owner.book, "/".join(owner)
    keys = {wanted_key(within, change): change for change in changes}
    rows = connection.execute(_LATEST, {"book": book, "keys": list(keys)})
    latest = {row.wanted_key: row for row in rows}
    wanted, kept = [], set()
    for key, change in keys.items():
        last = latest.get(key)
        if last is not None and last.state not in _ENDED:
            kept.add(last.decision_id)
            continue
        attempt = last.attempt + 1 if last is not None else 1
        decision = Wanted(request_id(book, key, attempt), change, not change.needs_approval)
        kept.add(decision.decision_id)
        wanted.append(decision)
        bulk(connection, _INSERT, [_change_row(owner, key, attempt, decision)], now=now)
    return wanted, kept


def tell(
    connection: Connection,
    book: str,
    holds: Iterable[Hold],
    differences: Iterable[Hold],
    suggestions: Iterable[Suggestion],
    now: datetime,
) -> set[str]:
    """Store what people should see; return the ids."""
    rows = [_hold_row(book, "hold", hold) for hold in holds]
    rows += [_hold_row(book, "difference", hold) for hold in differences]
    rows += [_suggestion_row(book, suggestion) for suggestion in suggestions]
    unique = {row["decision_id"]: row for row in rows}
    if unique:
        bulk(connection, _INSERT, list(unique.values()), now=now)
    return set(unique)


def forget_others(connection: Connection, book: str, kept: set[str], now: datetime) -> None:
    """Close what is open and holds no longer."""
    connection.execute(_GONE, {"book": book, "kept": sorted(kept), "now": now})


def one(connection: Connection, book: str, decision_id: str) -> dict[str, Any] | None:
    """Return a decision, locked; None if the book has none of this id."""
    parameters = {"book": book, "decision_id": decision_id}
    row = connection.execute(_ONE, parameters).mappings().first()
    return None if row is None else dict(row)


def again(
    connection: Connection, book: str, refused: dict[str, Any], now: datetime
) -> dict[str, Any]:
    """Return a new attempt at what the other system refused; the former one is over."""
    settle(connection, book, refused["decision_id"], "gone", now=now)
    attempt = refused["attempt"] + 1
    decision_id = request_id(book, refused["wanted_key"], attempt)
    row = {**refused, "decision_id": decision_id, "attempt": attempt, "state": "open"}
    bulk(connection, _INSERT, [row], now=now)
    return row


def settle(
    connection: Connection,
    book: str,
    decision_id: str,
    state: str,
    *,
    now: datetime,
    actor: str | None = None,
    note: str | None = None,
    reasons: str | None = None,
) -> None:
    """Move a decision to a new state; ``reasons`` are JSON text."""
    parameters = {
        "book": book,
        "decision_id": decision_id,
        "state": state,
        "actor": actor,
        "note": note,
        "reasons": reasons,
        "now": now,
    }
    connection.execute(_SET, parameters)


def request_of(
    configuration: BookConfiguration, version: int, decision_id: str, row: dict[str, Any], by: str
) -> ListChangeRequested:
    """Return the request that a stored change becomes."""
    change, ledger = row["change"], configuration.ledger
    is_ledger = change["side"] == LEDGER
    return ListChangeRequested(
        change_id=decision_id,
        target=ListTarget(ledger=ledger) if is_ledger else ListTarget(source=change["side"]),
        list_name=change["list_name"],
        kind=change["kind"],
        wanted=row["request"],
        entry_id=change["entry_id"],
        edit_token=change["edit_token"],
        origin=change["origin_record"],
        decided_by=by,
        configuration_version=version,
    )


def _change_row(owner: Owner, key: str, attempt: int, decision: Wanted) -> dict[str, Any]:
    change = decision.change
    source, list_name, _, ledger_list = change.link_key
    entry = change.entry
    stored = {
        "company": owner.company,
        "side": change.side,
        "list_name": change.list_name,
        "kind": change.kind,
        "link_key": change.link_key,
        "origin": change.origin.key,
        "origin_record": change.origin.record_id,
        "entry_id": entry.entry_id if entry else None,
        "edit_token": entry.edit_token if entry else None,
        "written": written_values(change),
        "before": change.before,
        "basis": change.basis,
    }
    return {
        "book": owner.book,
        "decision_id": decision.decision_id,
        "kind": "change",
        "state": "requested" if decision.is_requested else "open",
        "code": change.kind,
        "source": source,
        "list_name": list_name,
        "ledger_list": ledger_list,
        "detail": told(change),
        "advice": None if decision.is_requested else "Approve or reject it.",
        "reasons": [reason.model_dump(exclude_none=True) for reason in change.reasons],
        "entries": [change.origin.key, *([entry.key] if entry else [])],
        "wanted_key": key,
        "attempt": attempt,
        "change": to_jsonable_python(stored),
        "request": wanted_entry(change, _link_back(change)).model_dump(
            mode="json", exclude_none=True
        ),
    }


def _link_back(change: Change) -> tuple[ExternalLink, ...]:
    """Return what a tracker should remember of the ledger's entry."""
    if change.side == LEDGER:
        return ()
    origin = change.origin
    return (ExternalLink(target_system="ledger", type=origin.list_name, id=origin.entry_id),)


def told(change: Change) -> str:
    """Return a change in a sentence that a bookkeeper reads."""
    where = "the ledger" if change.side == LEDGER else change.side
    noun = change.list_name.replace("_", " ")
    if change.kind == "create":
        below = f" below {change.parent_id}" if change.parent_id else ""
        return f"make {noun} {change.name!r}{below} in {where}, for {change.origin.words()}"
    about = change.entry.words() if change.entry else noun
    if change.kind != "update":
        return f"{change.kind} {about} in {where}"
    values = written_values(change)
    parts = [f"{f} {old!r} to {values.get(f, '')!r}" for f, old in change.before.items()]
    return f"change {about} in {where}: {', '.join(parts)}"


def _hold_row(book: str, kind: str, hold: Hold) -> dict[str, Any]:
    parts = [part for key in hold.entries for part in key]
    name = (kind, hold.code, hold.source, hold.list_name, hold.ledger_list, hold.field or "")
    return {
        "book": book,
        "decision_id": derive_id(book, *name, *parts),
        "kind": kind,
        "state": "open",
        "code": hold.code,
        "source": hold.source,
        "list_name": hold.list_name,
        "ledger_list": hold.ledger_list,
        "detail": hold.detail,
        "advice": hold.advice,
        "reasons": [],
        "entries": hold.entries,
    }


def _suggestion_row(book: str, suggestion: Suggestion) -> dict[str, Any]:
    source, list_name, entry_id, ledger_list = suggestion.key
    return {
        "book": book,
        "decision_id": derive_id(book, "suggestion", *suggestion.key, suggestion.ledger_id),
        "kind": "suggestion",
        "state": "open",
        "code": "near_name",
        "source": source,
        "list_name": list_name,
        "ledger_list": ledger_list,
        "detail": f"{suggestion.detail} ({suggestion.percent} %)",
        "advice": "Approve to link them; reject to keep them apart.",
        "reasons": [],
        "entries": [(source, list_name, entry_id), (LEDGER, ledger_list, suggestion.ledger_id)],
    }
