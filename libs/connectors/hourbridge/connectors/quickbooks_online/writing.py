"""Creating, updating and deleting documents, safe to repeat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hourbridge.common.clock import Clock
from hourbridge.common.errors import (
    DocumentMissing,
    EditTokenStale,
    LedgerError,
    LedgerRejected,
    LedgerUnavailable,
)
from hourbridge.common.messages.events import Document
from hourbridge.common.money import RoundingMode, round_digits
from hourbridge.connectors.ledger import LedgerDocument, LedgerWrite, WriteKind
from hourbridge.connectors.quickbooks_online.attaching import Attacher
from hourbridge.connectors.quickbooks_online.batching import Prepared
from hourbridge.connectors.quickbooks_online.custom_fields import ENHANCED, is_enhanced
from hourbridge.connectors.quickbooks_online.entities import Entities
from hourbridge.connectors.quickbooks_online.faults import (
    DUPLICATE_NUMBER,
    DUPLICATE_OBJECT,
    DUPLICATE_REQUEST,
    INVALID_PROPERTY,
    INVALID_REFERENCE,
    OBJECT_NOT_FOUND,
    STALE,
    missing,
)
from hourbridge.connectors.quickbooks_online.forms import Payload, form_of
from hourbridge.connectors.quickbooks_online.linking import Linker
from hourbridge.connectors.quickbooks_online.preferences import PreferencesReader
from hourbridge.connectors.quickbooks_online.references import AMOUNT_DECIMALS, References
from hourbridge.connectors.quickbooks_online.searching import DocumentSearch
from hourbridge.connectors.quickbooks_online.time_linking import not_counted
from hourbridge.connectors.quickbooks_online.transport import Transport
from hourbridge.connectors.statements import stated_amounts

PREPARE_SECONDS_MAX = 60
"""Past this no write is sent any more: the lane's lease must outlast what was sent."""

ACKNOWLEDGED_WARNINGS = frozenset({"payment_date_past"})
"""Warnings of a ledger that mean nothing to us. All others park the document: a client that skips
every warning enters the same bill twice."""

_Body = dict[str, Any]


class DocumentWriter:
    """Carries out writes on documents of one company."""

    def __init__(
        self,
        transport: Transport,
        search: DocumentSearch,
        entities: Entities,
        preferences: PreferencesReader,
        clock: Clock,
    ) -> None:
        self._transport = transport
        self._search = search
        self._entities = entities
        self._preferences = preferences
        self._clock = clock
        self._linker = Linker(search)
        self._attacher = Attacher(transport)

    def create(self, write: LedgerWrite) -> LedgerDocument:
        """Create the document, or return it if an earlier attempt did."""
        document = write.document
        deadline = self._deadline()
        try:
            row = self._send(write, lambda: self._payload(write).for_create(write), deadline)
        except LedgerRejected as error:
            if error.reason_code not in (DUPLICATE_NUMBER, DUPLICATE_REQUEST, DUPLICATE_OBJECT):
                raise
            # Either somebody's document, or ours from an earlier attempt that went unanswered.
            found = self._search.find(document)
            if found is None or not found.is_ours:
                raise
            return found
        created = self._with_links(write, form_of(document.kind).read(document.kind, row))
        if write.is_repeat and self._search.row(document.kind, created.ledger_id) is None:
            what = "the ledger remembers creating this document, but it has been deleted since"
            raise DocumentMissing(what, reason_code="replayed", ledger_id=created.ledger_id)
        return created

    def update(self, write: LedgerWrite, ledger_id: str) -> LedgerDocument:
        """Replace what we state in the document and keep what others wrote."""
        document, form = write.document, form_of(write.document.kind)
        deadline = self._deadline()
        current = self._search.row(document.kind, ledger_id)
        if current is None:
            what = "the document to update is not in the ledger any more"
            raise DocumentMissing(what, reason_code=OBJECT_NOT_FOUND, ledger_id=ledger_id)
        if write.edit_token is not None and current["SyncToken"] != write.edit_token:
            if form.says_the_same(current, self._payload(write).for_update(write, current)):
                return form.read(document.kind, current)
            raise _changed_meanwhile(ledger_id)
        row = self._send(write, lambda: self._payload(write).for_update(write, current), deadline)
        return self._with_links(write, form.read(document.kind, row))

    def _with_links(self, write: LedgerWrite, written: LedgerDocument) -> LedgerDocument:
        """Return an invoice with what linking its time did not achieve: the invoice stands."""
        if not write.time_links:
            return written
        try:
            warnings = not_counted(self._transport, write)
        except LedgerError as error:
            warnings = (f"whether the linked time counts as billed could not be read: {error}",)
        return replace(written, warnings=warnings)

    def prepare(self, write: LedgerWrite) -> Prepared:
        """Return a write as an item of a batch; raises as the write itself would."""
        form, kind = form_of(write.document.kind), write.document.kind

        def read(row: _Body) -> LedgerDocument:
            return form.read(kind, row)

        if write.kind is WriteKind.CREATE:
            return Prepared("create", self._payload(write).for_create(write), read)
        ledger_id = str(write.ledger_id)
        current = self._search.row(kind, ledger_id)
        if current is None:
            what = "the document to change is not in the ledger any more"
            raise DocumentMissing(what, reason_code=OBJECT_NOT_FOUND, ledger_id=ledger_id)
        if write.edit_token is not None and current["SyncToken"] != write.edit_token:
            raise _changed_meanwhile(ledger_id)
        if write.kind is WriteKind.UPDATE:
            return Prepared("update", self._payload(write).for_update(write, current), read)
        before = replace(form.read(kind, current), is_deleted=True)
        token = {"Id": ledger_id, "SyncToken": current["SyncToken"]}
        return Prepared("delete", token, lambda _row: before)

    def apply(self, write: LedgerWrite) -> LedgerDocument:
        """Link a credit to what it settles and attach receipts; see ``WriteKind.APPLY``."""
        deadline = self._deadline()
        if write.files:
            self._attacher.attach(write)

        def post(entity: str, body: Mapping[str, Any]) -> _Body:
            return self._post(write, dict(body), deadline, entity=entity)

        return self._linker.apply(write, self._references(), post)

    def delete(self, write: LedgerWrite, ledger_id: str) -> LedgerDocument:
        """Delete the document; finding it gone already is success."""
        kind = write.document.kind
        deadline = self._deadline()
        current = self._search.read(kind, ledger_id)
        if current is None:
            return _gone(write, ledger_id)
        if write.edit_token is not None and current.edit_token != write.edit_token:
            raise _changed_meanwhile(ledger_id)
        body = {"Id": ledger_id, "SyncToken": current.edit_token}
        try:
            self._post(write, body, deadline, operation="delete")
        except LedgerRejected as error:
            if error.reason_code != OBJECT_NOT_FOUND:
                raise
        return replace(current, is_deleted=True)

    def _send(self, write: LedgerWrite, make: Callable[[], _Body], deadline: float) -> _Body:
        """Send a body; when the ledger denies a reference in it, look the names up once more."""
        try:
            return self._post(write, make(), deadline)
        except LedgerRejected as error:
            if error.reason_code == INVALID_PROPERTY and _is_finer_than_cents(write.document):
                raise LedgerRejected(error.what, reason_code="currency_precision") from error
            if error.reason_code not in (INVALID_REFERENCE, OBJECT_NOT_FOUND):
                raise
            denied = error
        ledger_id = write.ledger_id
        if ledger_id is not None and self._search.row(write.document.kind, ledger_id) is None:
            raise missing(denied, ledger_id)
        if not self._entities.forget():
            raise denied
        return self._post(write, make(), deadline)

    def _post(
        self,
        write: LedgerWrite,
        body: _Body,
        deadline: float,
        *,
        operation: str | None = None,
        entity: str | None = None,
    ) -> _Body:
        if self._clock.monotonic_seconds() > deadline:
            what = f"preparing the write took more than {PREPARE_SECONDS_MAX} seconds; not sent"
            raise LedgerUnavailable(what, operation_key=write.operation_key)
        parameters = {"requestid": write.operation_key}
        if is_enhanced(write.document) and operation is None and entity is None:
            parameters["include"] = ENHANCED
        if operation is not None:
            parameters["operation"] = operation
        entity = entity or form_of(write.document.kind).entity
        try:
            row: _Body = self._transport.write(entity.lower(), body, parameters)[entity]
        except LedgerRejected as error:
            if error.reason_code not in ACKNOWLEDGED_WARNINGS:
                raise
            asked = [parameters.get("include"), f"acknowledge:{error.reason_code}"]
            known = parameters | {"include": ",".join(each for each in asked if each)}
            row = self._transport.write(entity.lower(), body, known)[entity]
        return row

    def _payload(self, write: LedgerWrite) -> Payload:
        return form_of(write.document.kind).payload(self._references())

    def _references(self) -> References:
        return References(self._entities, self._preferences.current())

    def _deadline(self) -> float:
        return self._clock.monotonic_seconds() + PREPARE_SECONDS_MAX


def _is_finer_than_cents(document: Document) -> bool:
    amounts = [document.total, *stated_amounts(document)]
    return any(round_digits(a, AMOUNT_DECIMALS, RoundingMode.DOWN) != a for a in amounts)


def _changed_meanwhile(ledger_id: str) -> EditTokenStale:
    what = "somebody changed the document in the ledger since it was read"
    return EditTokenStale(what, reason_code=STALE, ledger_id=ledger_id)


def _gone(write: LedgerWrite, ledger_id: str) -> LedgerDocument:
    """Return the answer for a delete that found nothing any more."""
    document = write.document
    return LedgerDocument(
        ledger_id=ledger_id,
        kind=document.kind,
        number=document.number,
        customer_id=None,
        currency=document.currency,
        document_date=document.document_date,
        total=Decimal(0),
        open_balance=None,
        edit_token=write.edit_token or "",
        email_status=None,
        lines=(),
        marked_document_id=document.document_id,
        is_ours=True,
        is_deleted=True,
    )
