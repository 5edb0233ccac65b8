"""What people decide about documents: release, withdraw, restore, credit; each audited."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.messages.events import Document, DocumentKind, DocumentStatus, Reason
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.poster import group_store, line_store, operations
from hourbridge.poster.correcting import Corrector
from hourbridge.poster.currencies.stamping import rated, waits_for_rate
from hourbridge.poster.document_store import DocumentStore, HeldDocument
from hourbridge.poster.mirrored import activity_store
from hourbridge.poster.mirrored.recording import is_mirrored
from hourbridge.poster.operations import Intent, OpenOperation
from hourbridge.poster.review.aside import charges_on, set_aside
from hourbridge.poster.taxing import taxed_on


class NotPossible(HourbridgeError):
    """The document is not in a state for this."""

    code = "not_possible"
    advice = "Look at the document's status and reason first."


@dataclass(frozen=True)
class Decision:
    """Who decided, and why."""

    actor: str
    note: str = ""


class Decisions:
    """Carries out what people decide."""

    def __init__(
        self,
        store: Store,
        documents: DocumentStore,
        corrector: Corrector,
        clock: Clock,
        announced: Callable[[], None],
    ) -> None:
        self._store = store
        self._documents = documents
        self._corrector = corrector
        self._clock = clock
        self._announced = announced

    def release(
        self, document_id: str, decision: Decision, *, document_date: date | None = None
    ) -> Document:
        """Let a draft be posted, or a parked document be tried again.

        One parked for a closed period takes the date given, else the date that was proposed; one
        whose number is taken gets another. Raises NotFound or NotPossible.
        """
        with self._store.transaction() as connection:
            held = self._lock(connection, document_id)
            operation = operations.lock_open(connection, document_id)
            if held.document.status is DocumentStatus.DRAFT or waits_for_rate(held.document):
                document = self._post(connection, held, document_date)
            elif held.document.status is DocumentStatus.PARKED and operation is not None:
                document = self._try_again(connection, held, operation, document_date)
            else:
                raise NotPossible(
                    f"a document that is {held.document.status} can't be released",
                    document=document_id,
                )
            self._audit(connection, held, "released", decision, {"date": document_date})
        self._announced()
        return document

    def withdraw(self, document_id: str, decision: Decision) -> Document:
        """Drop a document that was never posted; its charges are unbilled again.

        Automatic billing leaves them alone: it would make the same document at once.
        """
        with self._store.transaction() as connection:
            held = self._lock(connection, document_id)
            operation = operations.lock_open(connection, document_id)
            waits = held.document.status in (DocumentStatus.DRAFT, DocumentStatus.PARKED)
            posted = held.document.posted is not None
            if not waits or posted or (operation and operation.may_be_in_ledger):
                raise NotPossible("only documents that were never sent can be withdrawn")
            reason = Reason(code="withdrawn", detail=decision.note or decision.actor)
            freed = charges_on(connection, document_id)
            self._corrector.withdraw(connection, held, operation, reason)
            set_aside(connection, freed)
            self._audit(connection, held, "withdrawn", decision, {})
            document = self._documents.read(connection, document_id).document
        self._announced()
        return document

    def restore(self, document_id: str, decision: Decision) -> Document:
        """Bring the ledger back to our version, after an edit or a deletion there.

        The new generation gives the write a key that the ledger has not answered before.
        """
        with self._store.transaction() as connection:
            held = self._lock(connection, document_id)
            operation = operations.lock_open(connection, document_id)
            if held.document.status is not DocumentStatus.POSTED or operation is not None:
                raise NotPossible("only posted documents can be restored", document=document_id)
            document = self._documents.save(
                connection,
                held,
                status=DocumentStatus.POSTING,
                generation=held.document.generation + 1,
                reason=None,
            )
            intent = Intent(held.book, document, "restore", held.payload_version)
            operations.add_intents(connection, [intent], self._clock.now())
            self._audit(connection, held, "restored", decision, {})
        self._announced()
        return document

    def credit(self, document_id: str, decision: Decision) -> Document:
        """Take a posted invoice back as a whole and return the credit memo.

        Its work is unbilled again, to be billed when somebody asks: at the rates that are mapped
        then. Raises NotFound or NotPossible.
        """
        with self._store.transaction() as connection:
            held = self._lock(connection, document_id)
            operation = operations.lock_open(connection, document_id)
            is_posted = held.document.status is DocumentStatus.POSTED and operation is None
            if not is_posted or held.document.kind is not DocumentKind.INVOICE:
                raise NotPossible("only posted invoices can be credited", document=document_id)
            freed = charges_on(connection, document_id)
            memo_id = self._corrector.credit_in_full(connection, held)
            if memo_id is None:
                raise NotPossible("the invoice is credited already", document=document_id)
            set_aside(connection, freed)
            self._audit(connection, held, "credited", decision, {"credit": memo_id})
            memo = self._documents.read(connection, memo_id).document
        self._announced()
        return memo

    def _lock(self, connection: Connection, document_id: str) -> HeldDocument:
        seen = self._documents.read(connection, document_id)
        group_store.lock_engagement(connection, seen.book, seen.engagement_key)
        return self._documents.lock(connection, document_id)

    def _post(
        self, connection: Connection, held: HeldDocument, document_date: date | None
    ) -> Document:
        changes = _moved(connection, held, document_date)
        document = self._documents.save(
            connection, held, status=DocumentStatus.POSTING, reason=None, **changes
        )
        intent = Intent(held.book, document, "create", held.payload_version)
        operations.add_intents(connection, [intent], self._clock.now())
        return document

    def _try_again(
        self,
        connection: Connection,
        held: HeldDocument,
        operation: OpenOperation,
        document_date: date | None,
    ) -> Document:
        """Under the same key as long as the same is sent; what is changed gets a new one.

        So does what the ledger remembers creating and has lost since: the old key would be
        answered from its memory for ever.
        """
        now = self._clock.now()
        if is_mirrored(held.document) and operation.kind in ("update", "delete"):
            return self._decide(connection, held, operation)
        day = document_date or held.proposed_date
        changes = _moved(connection, held, day)
        if operation.error_code == "document_number_taken":
            changes = {**changes, "number": self._new_number(connection, held)}
        is_new = bool(changes) or operation.error_code == "document_missing"
        document = self._documents.save(
            connection,
            held,
            content_changed=is_new,
            status=DocumentStatus.POSTING,
            reason=None,
            **changes,
        )
        if not is_new:
            operations.reopen(connection, operation, now)
            return document
        operations.cancel(connection, operation, now)
        intent = Intent(
            held.book,
            document,
            operation.kind,
            held.payload_version + 1,
            uncertain=operation.uncertain,
        )
        operations.add_intents(connection, [intent], now)
        return document

    def _decide(
        self, connection: Connection, held: HeldDocument, operation: OpenOperation
    ) -> Document:
        """Carry a refused change of a mirrored document out over what was done in the ledger.

        One that is gone there is given up here too; what it said is posted anew, if it still is.
        """
        now = self._clock.now()
        if operation.error_code != "document_missing":
            operations.decide(connection, operation, now)
            return self._documents.save(
                connection, held, status=DocumentStatus.POSTING, reason=None
            )
        operations.cancel(connection, operation, now)
        if held.document.kind is DocumentKind.TIME_ACTIVITY:
            activity_store.look_again(connection, held.document.document_id, now)
        else:
            line_store.end_document(connection, held, now)
        gone = Reason(code="deleted_in_ledger", detail="somebody deleted it in the ledger")
        return self._documents.save(connection, held, status=DocumentStatus.WITHDRAWN, reason=gone)

    def _new_number(self, connection: Connection, held: HeldDocument) -> str:
        prefix, _, _ = held.document.number.rpartition("-")
        (number,) = self._documents.allocate_numbers(connection, held.ledger_key, prefix, 1)
        return number

    def _audit(
        self,
        connection: Connection,
        held: HeldDocument,
        what: str,
        decision: Decision,
        detail: Mapping[str, Any],
    ) -> None:
        audit.write(
            connection,
            actor=decision.actor,
            action=f"document.{what}",
            subject=held.document.document_id,
            book=held.book,
            detail={"number": held.document.number, "note": decision.note, **detail},
        )


def _moved(connection: Connection, held: HeldDocument, day: date | None) -> dict[str, Any]:
    """Return what another date changes: the dates, and the tax and the rate that follow them."""
    changes = _dated(held.document, day)
    if changes and day is not None and held.document.posted is None:
        taxed = taxed_on(connection, held.book, held.document, day)
        if taxed:
            held = replace(held, document=held.document.model_copy(update=taxed))
            line_store.rewrite(connection, held.document)
            changes |= taxed
    return changes | _rated(connection, held, day)


def _rated(connection: Connection, held: HeldDocument, day: date | None) -> dict[str, Any]:
    """Return what the rate of the day changes; a document in the ledger keeps the one it has."""
    if held.document.posted is not None:
        return {}
    return rated(connection, held.book, held.document, day)


def _dated(document: Document, day: date | None) -> dict[str, Any]:
    """Return what a new document date changes; the dates of the work stay as they are."""
    if day is None or day == document.document_date:
        return {}
    changes: dict[str, Any] = {"document_date": day}
    if document.due_date is not None:
        changes["due_date"] = day + (document.due_date - document.document_date)
    return changes
