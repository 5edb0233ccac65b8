"""Requested changes become rows: intent first, under a key that a repeat has as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hourbridge.billing.grouping import ledger_key
from hourbridge.common.errors import MessageInvalid
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import ListChangeRequested
from hourbridge.common.store.rows import bulk, statement
from hourbridge.poster.configurations import known_configuration

KEY_CHARACTERS = 32
SOURCE_PREFIX = "source:"

_KEEP = statement(
    # A repeat of what is open or done changes nothing. A refused change that is asked for anew, by
    # another message, is tried again under a key of its own.
    """
    INSERT INTO list_operation AS o (operation_key, change_id, event_id, book, lane_key, kind,
        list_name, origin, request, state, available_at, created_at)
    SELECT operation_key, change_id, event_id, book, lane_key, kind, list_name, origin, request,
        'pending', :now, :now
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(
        operation_key text, change_id text, event_id text, book text, lane_key text, kind text,
        list_name text, origin text, request jsonb)
    ON CONFLICT (change_id) DO UPDATE SET
        state = 'pending', event_id = excluded.event_id, request = excluded.request,
        generation = o.generation + 1,
        operation_key = md5(o.operation_key || ':' || (o.generation + 1)),
        attempts = 0, available_at = :now, error_code = NULL, error_text = NULL, told = NULL
    WHERE o.state = 'refused' AND o.event_id <> excluded.event_id
    """
)


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    event_id: str
    book: str
    data: ListChangeRequested


def keep(connection: Connection, asked: Sequence[Asked], now: datetime) -> None:
    """Store requests, the last of each change, in the order in which they came.

    Raises TransientFailure while the configuration that names the source hasn't arrived.
    """
    newest = {one.data.change_id: one for one in asked}
    if newest:
        rows = [_row(connection, one) for one in newest.values()]
        bulk(connection, _KEEP, rows, now=now)


def _row(connection: Connection, asked: Asked) -> dict[str, Any]:
    data = asked.data
    return {
        "operation_key": derive_key("list_operation", data.change_id, length=KEY_CHARACTERS),
        "change_id": data.change_id,
        "event_id": asked.event_id,
        "book": asked.book,
        "lane_key": _lane_key(connection, asked),
        "kind": data.kind,
        "list_name": data.list_name,
        "origin": data.origin,
        "request": data.model_dump(mode="json", exclude_none=True),
    }


def _lane_key(connection: Connection, asked: Asked) -> str:
    target = asked.data.target
    if target.ledger is not None:
        return ledger_key(target.ledger)
    if target.source is None:
        reason = {"field": "data.target", "code": "missing", "detail": "names no system"}
        raise MessageInvalid(
            "a list change without a target", [reason], change=asked.data.change_id
        )
    return source_lane(connection, asked.book, target.source, asked.data.configuration_version)


def source_lane(connection: Connection, book: str, source: str, version: int) -> str:
    """Return the lane of a book's source: that of the connection it is written to over."""
    configured = known_configuration(connection, book, version)
    bindings = (one for one in configured.configuration.sources if one.name == source)
    binding = next(bindings, None)
    over = binding.connection if binding is not None and binding.connection else source
    return f"{SOURCE_PREFIX}{over}"
