"""A source in memory with pages, cursors and faults as real ones have."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from hourbridge.common.clock import Clock
from hourbridge.common.errors import SourceRefused, SourceUnavailable
from hourbridge.common.messages.events import ControlTotal, FieldReason
from hourbridge.common.messages.records import RECORD_MODELS, Attachment, RecordType
from hourbridge.connectors.source import (
    Feed,
    Page,
    Reading,
    SourceCapabilities,
    Span,
    Statement,
)

TIME = Feed(
    "time",
    frozenset({RecordType.TIME_ENTRY}),
    reads="window",
    deletions=frozenset({"diff"}),
    has_history=True,
    control_totals=True,
)
EXPENSES = Feed("expenses", frozenset({RecordType.EXPENSE}), reads="changed_since")
CLIENTS = Feed("clients", frozenset({RecordType.CLIENT}), reads="snapshot")
TASKS = Feed("tasks", frozenset({RecordType.WORK_ITEM}), reads="snapshot")
CODES = Feed("codes", frozenset({RecordType.WORK_ITEM}), reads="snapshot")
CUSTOMERS = Feed("customer", frozenset({RecordType.LIST_ENTRY}), reads="snapshot")
FEEDS = (TIME, EXPENSES, CLIENTS, TASKS, CODES, CUSTOMERS)
WINDOW = Span(date(2026, 3, 1), date(2026, 4, 30))


@dataclass
class Row:
    """One thing at the source."""

    fields: dict[str, Any]
    day: date | None
    version: int


@dataclass
class ScriptedSource:
    """One account; ``rows`` are what people see there, by feed and id."""

    clock: Clock
    page_rows: int = 2
    rows: dict[str, dict[str, Row]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[Exception | None] = field(default_factory=list)
    """One for each coming call of ``read``; None lets it pass."""
    calls: list[tuple[str, str]] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    """Ids that lists leave out although they exist."""
    confirms: bool = True
    changes: int = 0
    on_read: list[Any] = field(default_factory=list)
    """Functions called once each, within the next calls of ``read``."""
    closed: bool = False

    @property
    def capabilities(self) -> SourceCapabilities:
        return SourceCapabilities("scripted", FEEDS)

    def put(self, feed: str, external_id: str, **fields: Any) -> None:
        """Let somebody enter or change a thing."""
        self.changes += 1
        row = self.rows.setdefault(feed, {}).get(external_id)
        merged = {**_defaults(feed, external_id), **(row.fields if row else {}), **fields}
        day = merged.get("work_date") or merged.get("expense_date")
        parsed = date.fromisoformat(day) if isinstance(day, str) else day
        self.rows[feed][external_id] = Row(merged, parsed, self.changes)

    def remove(self, feed: str, *external_ids: str) -> None:
        """Let somebody delete things."""
        for external_id in external_ids:
            del self.rows[feed][external_id]

    @contextmanager
    def failing(self, *errors: Exception | None) -> Iterator[None]:
        self.faults += errors
        yield
        assert not self.faults, "a fault was never met"

    def read(self, feed: str, cursor: str | None, span: Span | None = None) -> Page:
        self.calls.append(("history" if span else "read", feed))
        if self.on_read:
            self.on_read.pop(0)()
        if self.faults:
            error = self.faults.pop(0)
            if error is not None:
                raise error
        known = self.capabilities.feed(feed)
        state = json.loads(cursor) if cursor else {}
        if known.reads == "changed_since" and span is None:
            return self._changed(known, state)
        return self._listed(known, state, span)

    def _listed(self, feed: Feed, state: dict[str, Any], span: Span | None) -> Page:
        """Read a window or list from its beginning to its end, by id."""
        number = state.get("number", 0)
        if not state.get("as_of"):
            state = {"number": number + 1, "as_of": self.clock.now().isoformat()}
        window = span or (WINDOW if feed.reads == "window" else None)
        after = state.get("after", "")
        present = sorted(
            (external_id, row)
            for external_id, row in self.rows.get(feed.name, {}).items()
            if external_id not in self.hidden and _within(row, window)
        )
        rest = [(external_id, row) for external_id, row in present if external_id > after]
        chunk, is_last = rest[: self.page_rows], len(rest) <= self.page_rows
        following = dict(state)
        if is_last:
            following = {"number": state["number"]}
        else:
            following["after"] = chunk[-1][0]
        reading = Reading(
            reading_id=f"{feed.name}-{span}-{state['number']}",
            record_type=_type_of(feed),
            as_of=datetime.fromisoformat(state["as_of"]),
            is_snapshot=True,
            window_first=window.first if window else None,
            window_last=window.last if window else None,
            totals=(ControlTotal(group="all", rows=len(present)),) if is_last else (),
        )
        statements = tuple(_statement(feed, key, row) for key, row in chunk)
        return Page(reading, statements, json.dumps(following), is_last)

    def _changed(self, feed: Feed, state: dict[str, Any]) -> Page:
        since = state.get("since", 0)
        rest = sorted(
            (row.version, external_id)
            for external_id, row in self.rows.get(feed.name, {}).items()
            if row.version > since
        )
        chunk, is_last = rest[: self.page_rows], len(rest) <= self.page_rows
        last = chunk[-1][0] if chunk else since
        first = state.get("first", since)
        following = {"since": last} if is_last else {"since": last, "first": first}
        reading = Reading(f"{feed.name}-{first}", _type_of(feed), self.clock.now())
        statements = tuple(_statement(feed, key, self.rows[feed.name][key]) for _, key in chunk)
        return Page(reading, statements, json.dumps(following), is_last)

    def gone(self, feed: str, external_ids: Collection[str]) -> frozenset[str]:
        self.calls.append(("gone", feed))
        if not self.confirms:
            raise SourceRefused("there is no such call", reason_code="cannot_confirm")
        return frozenset(set(external_ids) - set(self.rows.get(feed, {})))

    def file(self, attachment: Attachment) -> bytes:
        self.calls.append(("file", attachment.id))
        if attachment.id not in self.files:
            raise SourceUnavailable("no answer")
        return self.files[attachment.id]

    def check(self) -> tuple[str, ...]:
        return ()

    def close(self) -> None:
        self.closed = True


def _type_of(feed: Feed) -> RecordType:
    (record_type,) = feed.record_types
    return record_type


def _within(row: Row, window: Span | None) -> bool:
    return window is None or row.day is None or window.first <= row.day <= window.last


def _statement(feed: Feed, external_id: str, row: Row) -> Statement:
    raw = json.dumps({"id": external_id, **row.fields}, sort_keys=True).encode()
    if "broken" in row.fields:
        reason = FieldReason(field="hours", code="not_a_number", detail=row.fields["broken"])
        notes = {} if row.fields.get("anonymous") else {"external_id": external_id}
        return Statement(raw, f"row {external_id}", reasons=(reason,), notes=notes)
    model = RECORD_MODELS[_type_of(feed)]
    record = model.model_validate({"external_id": external_id, **row.fields})
    return Statement(raw, f"row {external_id}", record, order_key=row.fields.get("order_key"))


def _defaults(feed: str, external_id: str) -> dict[str, Any]:
    if feed == "time":
        return {"staff_id": "ada", "work_date": "2026-03-02", "input": {"seconds": 3600}}
    if feed == "expenses":
        return {"expense_date": "2026-03-02", "amount_in": "12.50", "currency": "USD"}
    if feed == "customer":
        return {"list_name": "customer", "entry_id": external_id.split(":")[-1], "name": "Acme"}
    return {"name": f"{feed} {external_id}"}
