"""The calls that reading needs: changes, pages, counts, single objects; errors of a source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hourbridge.common.errors import (
    LedgerAuthorizationExpired,
    LedgerError,
    LedgerRejected,
    LedgerThrottled,
    SourceAnswerUnreadable,
    SourceAuthorizationExpired,
    SourceRefused,
    SourceThrottled,
    SourceUnavailable,
)
from hourbridge.common.exact_json import dumps
from hourbridge.connectors.quickbooks_online.faults import OBJECT_NOT_FOUND
from hourbridge.connectors.quickbooks_online.queries import quoted
from hourbridge.connectors.quickbooks_online.transport import Request, Transport

CHANGES_MAX = 1000
"""Objects in one answer of change data capture; what is beyond them is left out without a word."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Changes:
    """What changed since an instant, of one or more entities."""

    answered_at: datetime
    """By the service's clock: where the next reading begins."""
    live: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    deleted: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    is_cut: bool = False
    """Something was left out: the answer must not be taken for complete."""


@dataclass(frozen=True)
class Rows:
    """One page of a query."""

    answered_at: datetime
    rows: tuple[Row, ...]


@contextmanager
def as_source_errors() -> Iterator[None]:
    """Turn the ledger's errors into those of a source."""
    try:
        yield
    except LedgerThrottled as error:
        seconds = error.retry_after_seconds
        raise SourceThrottled(error.what, retry_after_seconds=seconds, **error.ids) from error
    except LedgerAuthorizationExpired as error:
        raise SourceAuthorizationExpired(error.what, **error.ids) from error
    except LedgerRejected as error:
        raise SourceRefused(error.what, reason_code=error.reason_code, **error.ids) from error
    except LedgerError as error:
        raise SourceUnavailable(error.what, **error.ids) from error


class Asking:
    """Reads one company. Raises SourceErrors only."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.company_id = transport.company_id

    def changes(self, entities: Sequence[str], since: datetime) -> Changes:
        """Return what changed since an instant; see ``Changes.is_cut``."""
        parameters = {"entities": ",".join(entities), "changedSince": _text(since)}
        answer = self._call(Request("GET", "cdc", parameters))
        live: dict[str, tuple[Row, ...]] = {}
        deleted: dict[str, tuple[Row, ...]] = {}
        count, is_cut = 0, False
        for block in _blocks(answer):
            for name in entities:
                rows = _objects(block, name, answer)
                count += len(rows)
                gone = tuple(row for row in rows if row.get("status") == "Deleted")
                live[name] = live.get(name, ()) + tuple(r for r in rows if r not in gone)
                deleted[name] = deleted.get(name, ()) + gone
                # Only a block of this entity has a total of it.
                is_cut = is_cut or (name in block and _total(block) > len(rows))
        return Changes(_answered_at(answer), live, deleted, is_cut or count >= CHANGES_MAX)

    def page(
        self,
        entity: str,
        conditions: Sequence[str],
        *,
        start: int,
        rows_max: int,
        order: str = "Id",
    ) -> Rows:
        """Return matching rows from the position ``start`` (counted from 1)."""
        statement = (
            f"SELECT * FROM {entity}{_where(conditions)} ORDERBY {order} "
            f"STARTPOSITION {start} MAXRESULTS {rows_max}"
        )
        answer = self._query(statement)
        return Rows(_answered_at(answer), _objects(_response(answer), entity, answer))

    def count(self, entity: str, conditions: Sequence[str]) -> int | None:
        """Return how many rows match by the service's own count, None if it doesn't say."""
        answer = self._query(f"SELECT COUNT(*) FROM {entity}{_where(conditions)}")
        total = _response(answer).get("totalCount")
        return int(total) if total is not None else None

    def one(self, path: str, entity: str) -> Row | None:
        """Return one object, None when the service has none of this id (any more)."""
        try:
            answer = self._call(Request("GET", path))
        except SourceRefused as error:
            if error.reason_code != OBJECT_NOT_FOUND:
                raise
            return None
        return _object(answer, entity)

    def single(self, path: str, entity: str) -> Rows:
        """Return an object of which there is one only."""
        answer = self._call(Request("GET", path))
        return Rows(_answered_at(answer), (_object(answer, entity),))

    def by_id(self, entity: str, ids: Sequence[str]) -> tuple[Row, ...]:
        """Return the objects of these ids (at most a page), as far as there are any."""
        wanted = ", ".join(quoted(each) for each in ids)
        return self.page(entity, [f"Id IN ({wanted})"], start=1, rows_max=len(ids)).rows

    def close(self) -> None:
        """Release connections."""
        self._transport.close()

    def _query(self, statement: str) -> dict[str, Any]:
        return self._call(Request("POST", "query", body=statement, content_type="application/text"))

    def _call(self, request: Request) -> dict[str, Any]:
        with as_source_errors():
            return self._transport.call(request)


def updated_since(instant: datetime) -> str:
    """Return the condition that a row was changed at or after an instant."""
    return f"MetaData.LastUpdatedTime >= {quoted(_text(instant))}"


def instant_of(row: Row) -> datetime | None:
    """Return when a row was last changed; to the microsecond, whatever the service sends."""
    text = row.get("MetaData", {}).get("LastUpdatedTime")
    return datetime.fromisoformat(str(text)).astimezone(UTC) if text else None


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _answered_at(answer: Row) -> datetime:
    try:
        return datetime.fromisoformat(str(answer["time"])).astimezone(UTC)
    except (KeyError, ValueError):
        raise _unreadable("the answer doesn't say when it was made", answer) from None


def _response(answer: Row) -> Row:
    response = answer.get("QueryResponse")
    if not isinstance(response, Mapping):
        raise _unreadable("the answer has no QueryResponse", answer)
    return response


def _blocks(answer: Row) -> list[Row]:
    try:
        blocks = [one for part in answer["CDCResponse"] for one in part["QueryResponse"]]
    except (KeyError, TypeError):
        raise _unreadable("the answer has no CDCResponse", answer) from None
    if not all(isinstance(block, Mapping) for block in blocks):
        raise _unreadable("a block of CDCResponse is no object", answer)
    return blocks


def _objects(block: Row, entity: str, answer: Row) -> tuple[Row, ...]:
    rows = block.get(entity, [])
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise _unreadable(f"{entity} is no list of objects", answer)
    return tuple(rows)


def _object(answer: Row, entity: str) -> Row:
    found = answer.get(entity)
    if not isinstance(found, Mapping):
        raise _unreadable(f"the answer has no {entity}", answer)
    return found


def _total(block: Row) -> int:
    total = block.get("totalCount", 0)
    return int(total) if isinstance(total, int | str) else 0


def _unreadable(what: str, answer: Row) -> SourceAnswerUnreadable:
    return SourceAnswerUnreadable(what, raw=dumps(answer).encode())
