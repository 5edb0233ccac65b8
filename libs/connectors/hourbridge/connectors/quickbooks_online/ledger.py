"""QuickBooks Online as a Ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from hourbridge.common.book import LedgerReference
from hourbridge.common.clock import Clock
from hourbridge.common.errors import LedgerError, ensure
from hourbridge.common.messages.events import Document, DocumentKind
from hourbridge.connectors.ledger import (
    Capabilities,
    LedgerDocument,
    LedgerEntity,
    LedgerWrite,
    WriteKind,
    Written,
)
from hourbridge.connectors.quickbooks_online.batching import (
    BATCHED_KINDS,
    ITEMS_MAX,
    BatchWriter,
    batched,
)
from hourbridge.connectors.quickbooks_online.entities import Entities
from hourbridge.connectors.quickbooks_online.forms import FORMS
from hourbridge.connectors.quickbooks_online.preferences import Preferences, PreferencesReader
from hourbridge.connectors.quickbooks_online.references import AMOUNT_DECIMALS
from hourbridge.connectors.quickbooks_online.sales_payload import (
    QUANTITY_DECIMALS_MAX,
    UNIT_PRICE_DECIMALS_MAX,
)
from hourbridge.connectors.quickbooks_online.searching import DocumentSearch
from hourbridge.connectors.quickbooks_online.transport import CALL_TIMEOUT_SECONDS, Transport
from hourbridge.connectors.quickbooks_online.writing import PREPARE_SECONDS_MAX, DocumentWriter
from hourbridge.connectors.statements import MIRRORED_KINDS

REQUEST_ID_CHARACTERS_MAX = 50
NUMBER_CHARACTERS_MAX = 21
UPDATED_IN_PLACE = frozenset({DocumentKind.INVOICE, *MIRRORED_KINDS})
OPERATION_MEMORY_SECONDS = 82_800
"""Reports speak of 24 hours, the documentation of none; an hour is kept in hand."""


class QuickBooksOnlineLedger:
    """One company of QuickBooks Online."""

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        *,
        operation_memory_seconds: int = OPERATION_MEMORY_SECONDS,
    ) -> None:
        self._transport = transport
        self._entities = Entities(transport)
        self._preferences = PreferencesReader(transport, clock)
        self._search = DocumentSearch(transport)
        self._writer = DocumentWriter(
            transport, self._search, self._entities, self._preferences, clock
        )
        self._batches = BatchWriter(
            transport, clock, prepare=self._writer.prepare, singly=self.write
        )
        self._capabilities = _capabilities(operation_memory_seconds)

    @property
    def capabilities(self) -> Capabilities:
        """What this ledger can do."""
        return self._capabilities

    def write(self, write: LedgerWrite) -> LedgerDocument:
        """Carry out one write; see ``Ledger.write``."""
        key = write.operation_key
        ensure(
            0 < len(key) <= REQUEST_ID_CHARACTERS_MAX, "operation key of a wrong length", key=key
        )
        if write.kind is WriteKind.CREATE:
            return self._writer.create(write)
        ensure(write.ledger_id is not None, "this write needs the object's id", key=key)
        if write.kind is WriteKind.APPLY:
            return self._writer.apply(write)
        change = self._writer.update if write.kind is WriteKind.UPDATE else self._writer.delete
        return change(write, str(write.ledger_id))

    def write_many(self, writes: Sequence[LedgerWrite]) -> list[Written]:
        """Carry out many writes in one call; see ``Ledger.write_many``."""
        ensure(len(writes) <= ITEMS_MAX, "too many writes for one batch", writes=len(writes))
        ensure(all(map(batched, writes)), "a write can't be part of a batch")
        return self._batches.write(writes)

    def find(self, document: Document) -> LedgerDocument | None:
        """Search for our document by its markers; see ``Ledger.find``."""
        return self._search.find(document)

    def read(self, kind: DocumentKind, ledger_id: str) -> LedgerDocument | None:
        """Return one document, or None when the ledger has none of this id (any more)."""
        return self._search.read(kind, ledger_id)

    def documents(self, kind: DocumentKind, first: date, last: date) -> Iterator[LedgerDocument]:
        """Yield every document dated within ``first`` to ``last``."""
        return self._search.documents(kind, first, last)

    def closed_through(self) -> date | None:
        """Return the last day of the closed books, at most a minute old."""
        return self._preferences.current().closed_through

    def entities(self, kind: str) -> Iterator[LedgerEntity]:
        """Yield all entries of a list, inactive ones too."""
        return self._entities.all(kind)

    def resolve(self, kind: str, reference: LedgerReference) -> LedgerEntity | None:
        """Return the entry that a mapping names, or None; see ``Ledger.resolve``."""
        return self._entities.resolve(kind, reference)

    def check(self) -> Sequence[str]:
        """Return what is wrong with the connection or the company's settings."""
        self._preferences.forget()
        try:
            preferences = self._preferences.current()
        except LedgerError as error:
            return [str(error)]
        return list(_problems(preferences))

    def close(self) -> None:
        """Release the connections."""
        self._transport.close()


def _problems(preferences: Preferences) -> Iterator[str]:
    if not preferences.has_own_numbers:
        yield (
            "The company numbers its sales forms itself, so ours can't be found by number: "
            "turn on custom transaction numbers (Account and settings, Sales)."
        )
    if preferences.needs_exchange_account:
        yield (
            "The company converts each line by itself and has no account for exchange "
            "differences: add one, or documents in other currencies can't be posted."
        )


def _capabilities(operation_memory_seconds: int) -> Capabilities:
    return Capabilities(
        name="QuickBooks Online",
        operation_key_characters_max=REQUEST_ID_CHARACTERS_MAX,
        number_characters_max=NUMBER_CHARACTERS_MAX,
        operation_memory_seconds=operation_memory_seconds,
        unit_price_decimals_max=UNIT_PRICE_DECIMALS_MAX,
        quantity_decimals_max=QUANTITY_DECIMALS_MAX,
        amount_is_quantity_times_price=True,
        amount_decimals_max=AMOUNT_DECIMALS,
        document_kinds=frozenset(FORMS),
        update_kinds=UPDATED_IN_PLACE,
        links_documents=True,
        batch_writes_max=ITEMS_MAX,
        batched_kinds=BATCHED_KINDS,
        # A refused token makes it two calls; a renewal and the turns in the budget come on top.
        write_seconds_max=PREPARE_SECONDS_MAX + 3 * CALL_TIMEOUT_SECONDS,
    )
