"""One attempt at one change of a list: outside any transaction, from operation to outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from hourbridge.common.errors import (
    HourbridgeError,
    LedgerAuthorizationExpired,
    LedgerRejected,
    LedgerThrottled,
    LedgerUnavailable,
    SourceAuthorizationExpired,
    SourceRefused,
    SourceThrottled,
    SourceUnavailable,
)
from hourbridge.common.faults import fault_point
from hourbridge.connectors.list_writer import ListWrite, ListWriter
from hourbridge.connectors.marking import Mark, Marker
from hourbridge.poster.fault_points import LIST_WRITTEN
from hourbridge.poster.lists.marks import mark_of
from hourbridge.poster.lists.operation_store import TakenChange
from hourbridge.poster.lists.outcomes import Done, ListOutcome, Refused, Unsure, Waits
from hourbridge.poster.metrics import LIST_REQUESTS

log = structlog.get_logger(__name__)


class ListSender:
    """Sends changes to one system. Used by one thread."""

    def __init__(
        self, open_writer: Callable[[], ListWriter], open_marker: Callable[[], Marker]
    ) -> None:
        self._open_writer = open_writer
        self._open_marker = open_marker
        self._writer: ListWriter | None = None
        self._marker: Marker | None = None

    def send(self, taken: TakenChange) -> ListOutcome:
        """Return what the attempt came to; never raises for what a system does."""
        try:
            outcome = self._attempt(taken)
        except HourbridgeError as error:
            outcome = outcome_of(error)
        except Exception as error:  # noqa: BLE001 - a defect after a write must not lose its outcome
            log.exception("list_write_failed", change=taken.change_id)
            outcome = Unsure("defect", repr(error))
        LIST_REQUESTS.labels(taken.kind, type(outcome).__name__.lower()).inc()
        return outcome

    def close(self) -> None:
        """Release what was opened."""
        for opened in (self._writer, self._marker):
            if opened is not None:
                opened.close()

    def _attempt(self, taken: TakenChange) -> ListOutcome:
        if taken.kind == "mark":
            self._mark(mark_of(taken))
            return Done(None)
        if self._writer is None:
            self._writer = self._open_writer()
        if taken.list_name not in self._writer.writable_lists:
            return Refused("not_writable", f"the list {taken.list_name!r} can't be written there")
        written = self._writer.write_entry(_write_of(taken, self._writer))
        fault_point(LIST_WRITTEN)
        return Done(written.entry, written.is_adopted)

    def _mark(self, mark: Mark) -> None:
        if self._marker is None:
            self._marker = self._open_marker()
        self._marker.mark(mark)
        fault_point(LIST_WRITTEN)


def outcome_of(error: HourbridgeError) -> ListOutcome:
    """Return what an error of either side means for a change that was being sent."""
    if isinstance(error, LedgerRejected | SourceRefused):
        ids = {name: str(value) for name, value in error.ids.items()}
        return Refused(error.reason_code, error.what, ids)
    return _waits(error) or Unsure(error.code, str(error))


def _waits(error: HourbridgeError) -> Waits | None:
    detail = str(error)
    if isinstance(error, LedgerThrottled | SourceThrottled):
        return Waits(error.code, detail, "throttled", float(error.retry_after_seconds))
    if isinstance(error, LedgerUnavailable):
        return Waits(error.code, detail, "paused")
    if isinstance(error, SourceUnavailable):
        # Sources don't tell a request that never arrived from an answer that never came.
        return Waits(error.code, detail, "paused", may_have_happened=True)
    if isinstance(error, LedgerAuthorizationExpired | SourceAuthorizationExpired):
        return Waits(error.code, detail, "parked")
    return None


def _write_of(taken: TakenChange, writer: ListWriter) -> ListWrite:
    change = taken.change
    limit = writer.operation_key_characters_max
    key = taken.operation_key[:limit] if limit else taken.operation_key
    made: Any = taken.made_entry
    return ListWrite(
        operation_key=key,
        kind="update" if made is not None else change.kind,
        list_name=change.list_name,
        wanted=change.wanted,
        entry_id=made.entry_id if made is not None else change.entry_id,
        edit_token=None if made is not None else change.edit_token,
        is_repeat=taken.was_uncertain,
    )
