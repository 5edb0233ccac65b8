"""Worked time on its way to the ledger: what is wanted becomes documents and intents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from hourbridge.billing.grouping import ledger_key
from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.faults import fault_point
from hourbridge.common.messages.events import Activity, Document, DocumentStatus, Reason
from hourbridge.common.store.engine import Store
from hourbridge.poster import operations
from hourbridge.poster.document_store import DocumentStore, HeldDocument
from hourbridge.poster.documents import NewDocument
from hourbridge.poster.fault_points import DOCUMENTS_ASSEMBLED
from hourbridge.poster.mirrored import activity_store
from hourbridge.poster.mirrored.activity_documents import NUMBER_MARK, build_activity, content_of
from hourbridge.poster.mirrored.activity_store import WantedActivity
from hourbridge.poster.operations import Intent, OpenOperation

log = structlog.get_logger(__name__)
_AT_ONCE_MAX = 200
_ROWS_PER_RUN_MAX = 2_000
_LOOK_AGAIN_SECONDS = 1
_PARKED_LOOK_SECONDS = 60
_GROUP = "time"


@dataclass(frozen=True)
class _Settled:
    """What became of one piece of work: its document, and when to look again."""

    document_id: str | None
    due_at: datetime | None = None
    create: bool = False
    """A document is to be made for it."""


def _none(each: WantedActivity) -> _Settled:
    """Return what follows where no document stands: a new one, if the work is still there."""
    return _Settled(None, create=each.wanted is not None)


class Activities:
    """Keeps one document per live piece of work. Safe to run twice, and side by side."""

    def __init__(
        self,
        store: Store,
        documents: DocumentStore,
        clock: Clock,
        announced: Callable[[], None],
    ) -> None:
        self._store = store
        self._documents = documents
        self._clock = clock
        self._announced = announced

    def run_due(self) -> int:
        """Look at the work that changed; return how much there was."""
        with self._store.transaction() as connection:
            due = activity_store.due(connection, self._clock.now(), rows_max=_ROWS_PER_RUN_MAX)
        for start in range(0, len(due), _AT_ONCE_MAX):
            self._together(due[start : start + _AT_ONCE_MAX])
        if due:
            self._announced()
        return len(due)

    def _together(self, activities: Sequence[str]) -> None:
        """Look at some in one transaction; if that fails, one by one: the others go on."""
        try:
            self._look(activities)
        except HourbridgeError as error:
            if len(activities) == 1:
                log.warning("activity_failed", activity=activities[0], error=str(error))
                return
            for activity_id in activities:
                self._together([activity_id])

    def _look(self, activities: Sequence[str]) -> None:
        with self._store.transaction() as connection:
            taken = activity_store.take(connection, activities)
            settled = [(each, self._settle(connection, each)) for each in taken]
            made = self._create(connection, [each for each, done in settled if done.create])
            rows: list[dict[str, Any]] = [
                {
                    "activity_id": each.activity_id,
                    "document_id": made.get(each.activity_id, done.document_id),
                    "due_at": done.due_at,
                }
                for each, done in settled
            ]
            activity_store.store(connection, rows)
            fault_point(DOCUMENTS_ASSEMBLED)

    def _settle(self, connection: Connection, each: WantedActivity) -> _Settled:
        """Bring the document in line with what is wanted, as far as its state allows."""
        if each.document_id is None:
            return _none(each)
        held = self._documents.lock(connection, each.document_id)
        operation = operations.lock_open(connection, each.document_id)
        if held.document.status is DocumentStatus.WITHDRAWN:
            return _none(each)
        if each.wanted is not None and self._says_so(held.document, operation, each.wanted):
            return _Settled(each.document_id)
        if operation is not None and operation.may_be_in_ledger:
            return _Settled(each.document_id, due_at=self._later(operation))
        if operation is not None:
            operations.cancel(connection, operation, self._clock.now())
        return self._put_right(connection, each, held)

    def _put_right(
        self, connection: Connection, each: WantedActivity, held: HeldDocument
    ) -> _Settled:
        """Withdraw what was never posted; propose what is wanted of what was."""
        if held.document.posted is None:
            reason = Reason(code="work_changed", detail="never posted; stated anew, or gone")
            self._documents.save(connection, held, status=DocumentStatus.WITHDRAWN, reason=reason)
            return _none(each)
        if each.wanted is not None and held.document.activity == each.wanted:
            self._documents.save(connection, held, status=DocumentStatus.POSTED, reason=None)
        else:
            propose(connection, self._documents, held, each.wanted, self._clock.now())
        return _Settled(each.document_id)

    def _says_so(
        self, document: Document, operation: OpenOperation | None, wanted: Activity
    ) -> bool:
        """Return whether the document says what is wanted, or is just being made to."""
        is_plain = operation is None or operation.kind == "create"
        return is_plain and document.activity == wanted

    def _create(self, connection: Connection, wanted: Sequence[WantedActivity]) -> dict[str, str]:
        """Make a document for each with the intent to post it; returns their ids by activity."""
        now = self._clock.now()
        new: list[tuple[WantedActivity, NewDocument]] = []
        by_counter: dict[tuple[str, str], list[WantedActivity]] = {}
        for each in wanted:
            if each.wanted is not None:
                prefix = f"{each.wanted.number_prefix}{NUMBER_MARK}"
                counted = (ledger_key(each.wanted.ledger), prefix)
                by_counter.setdefault(counted, []).append(each)
        for counter, members in sorted(by_counter.items()):
            numbers = self._documents.allocate_numbers(connection, *counter, len(members))
            for each, number in zip(members, numbers, strict=True):
                if each.wanted is not None:
                    made = build_activity(each.wanted, each.book, number, each.mapping_version)
                    new.append((each, _as_new(made, each)))
        for book in sorted({each.book for each, _ in new}):
            documents = [made for each, made in new if each.book == book]
            self._documents.insert(connection, book, documents)
            intents = [Intent(book, made.document, "create") for made in documents]
            operations.add_intents(connection, intents, now)
        return {each.activity_id: made.document.document_id for each, made in new}

    def _later(self, operation: OpenOperation) -> datetime:
        """Return when the outcome may be known; of what waits for a person, not so soon."""
        waits = operation.state == "parked"
        seconds = _PARKED_LOOK_SECONDS if waits else _LOOK_AGAIN_SECONDS
        return self._clock.now() + timedelta(seconds=seconds)


def propose(
    connection: Connection,
    documents: DocumentStore,
    held: HeldDocument,
    wanted: Activity | None,
    now: datetime,
) -> None:
    """Store the intent to update a posted document, or to delete it when nothing is wanted."""
    version = held.payload_version + 1
    document = documents.save(
        connection, held, content_changed=True, status=DocumentStatus.POSTING, reason=None
    )
    if wanted is None:
        intent = Intent(held.book, document, "delete", payload_version=version)
    else:
        content = content_of(wanted, document.document_id)
        proposal = document.model_copy(update=content)
        intent = Intent(held.book, proposal, "update", payload_version=version)
    operations.add_intents(connection, [intent], now)


def _as_new(document: Document, each: WantedActivity) -> NewDocument:
    return NewDocument(
        document=document,
        lines=(),
        engagement_key=_GROUP,
        group_key=each.activity_id,
        billed_through=document.document_date,
    )
