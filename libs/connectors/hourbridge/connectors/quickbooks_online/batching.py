"""Many writes in one call: each with an outcome of its own, whatever becomes of the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hourbridge.common.clock import Clock
from hourbridge.common.errors import LedgerError, LedgerOutcomeUnknown, LedgerUnavailable
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.events import DocumentKind
from hourbridge.connectors.ledger import LedgerDocument, LedgerWrite, WriteKind, Written
from hourbridge.connectors.quickbooks_online.custom_fields import is_enhanced
from hourbridge.connectors.quickbooks_online.faults import error_of_item
from hourbridge.connectors.quickbooks_online.forms import form_of
from hourbridge.connectors.quickbooks_online.transport import Transport
from hourbridge.connectors.statements import MIRRORED_KINDS

ITEMS_MAX = 30
"""The service's own limit; more is code 1040."""
BATCHED_KINDS = MIRRORED_KINDS | {DocumentKind.VENDOR_BILL, DocumentKind.VENDOR_CREDIT}
"""Kinds that come in numbers and need nothing but their own body written."""
_REQUEST_ID_CHARACTERS = 32
"""Within the service's 36 for batches; item ids are counted and stay within its 10."""
_PREPARE_SECONDS_MAX = 60


@dataclass(frozen=True)
class Prepared:
    """A write as an item of a batch, and how its answer is read."""

    operation: str
    body: Mapping[str, Any]
    read: Callable[[dict[str, Any]], LedgerDocument]


class BatchWriter:
    """Sends batches of one company."""

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        *,
        prepare: Callable[[LedgerWrite], Prepared],
        singly: Callable[[LedgerWrite], LedgerDocument],
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._prepare = prepare
        self._singly = singly

    def write(self, writes: Sequence[LedgerWrite]) -> list[Written]:
        """Return what became of each write, in order; never raises for what a ledger does.

        Items that the service refuses certainly had no effect, so each is done once more by
        itself: names are looked up again, numbers that are taken are searched for. A batch that
        went unanswered leaves every one of its items unknown.
        """
        deadline = self._clock.monotonic_seconds() + _PREPARE_SECONDS_MAX
        outcomes: list[Written | None] = [None] * len(writes)
        prepared: dict[int, Prepared] = {}
        for at, write in enumerate(writes):
            if is_enhanced(write.document):
                outcomes[at] = self._again(write)  # its fields need a call that asks for them
                continue
            try:
                prepared[at] = self._prepare(write)
            except LedgerError as error:
                outcomes[at] = error
        if prepared:
            answers = self._sent(writes, prepared, deadline)
            for at in prepared:
                outcomes[at] = self._outcome(writes[at], prepared[at], answers, at)
        return [each or LedgerOutcomeUnknown("the batch says nothing of it") for each in outcomes]

    def _sent(
        self, writes: Sequence[LedgerWrite], prepared: Mapping[int, Prepared], deadline: float
    ) -> Mapping[int, dict[str, Any]] | LedgerError:
        if self._clock.monotonic_seconds() > deadline:
            what = f"preparing took more than {_PREPARE_SECONDS_MAX} seconds; not sent"
            return LedgerUnavailable(what)
        items = [_item(at, writes[at], each) for at, each in prepared.items()]
        keys = [writes[at].operation_key for at in prepared]
        key = derive_key("batch", *keys, length=_REQUEST_ID_CHARACTERS)
        try:
            answer = self._transport.write("batch", {"BatchItemRequest": items}, {"requestid": key})
        except LedgerError as error:
            return error
        found = answer.get("BatchItemResponse", [])
        return {int(each["bId"]): each for each in found if str(each.get("bId", "")).isdigit()}

    def _outcome(
        self,
        write: LedgerWrite,
        prepared: Prepared,
        answers: Mapping[int, dict[str, Any]] | LedgerError,
        at: int,
    ) -> Written:
        if isinstance(answers, LedgerError):
            return answers
        answer = answers.get(at)
        if answer is None:
            return LedgerOutcomeUnknown("the batch's answer says nothing of it")
        refusal = error_of_item(answer)
        if isinstance(refusal, LedgerOutcomeUnknown):
            return refusal
        if refusal is not None:
            return self._again(write)
        row = answer.get(form_of(write.document.kind).entity)
        if not isinstance(row, dict):
            return LedgerOutcomeUnknown("the batch's answer can't be read")
        return prepared.read(row)

    def _again(self, write: LedgerWrite) -> Written:
        try:
            return self._singly(write)
        except LedgerError as error:
            return error


def _item(at: int, write: LedgerWrite, prepared: Prepared) -> dict[str, Any]:
    entity = form_of(write.document.kind).entity
    return {"bId": str(at), "operation": prepared.operation, entity: dict(prepared.body)}


def batched(write: LedgerWrite) -> bool:
    """Return whether a write can be an item: what is uncertain is searched for by itself first."""
    is_plain = write.kind is not WriteKind.APPLY and not write.is_repeat
    return is_plain and write.document.kind in BATCHED_KINDS
