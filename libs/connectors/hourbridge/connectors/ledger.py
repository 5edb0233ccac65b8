"""The Ledger protocol: all that the poster and the reconciler know of an accounting system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from hourbridge.common.book import LedgerReference
from hourbridge.common.errors import LedgerError
from hourbridge.common.messages.events import Document, DocumentKind


class WriteKind(StrEnum):
    """What a write does to a document in the ledger."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    APPLY = "apply"
    """Complete a posted document: link a credit to what it settles, attach receipts."""


@dataclass(frozen=True)
class SettledInLedger:
    """A posted document that a payment or credit settles, and by how much at most."""

    kind: DocumentKind
    ledger_id: str
    amount: Decimal


@dataclass(frozen=True)
class LedgerFile:
    """A receipt to be attached: its content, or where it is found if we don't hold it."""

    id: str
    filename: str
    content_type: str
    content: bytes | None = None
    url: str | None = None


@dataclass(frozen=True)
class LinkedTime:
    """A line of an invoice, by its place, and the posted time activity that it bills."""

    position: int
    ledger_id: str


@dataclass(frozen=True)
class LedgerWrite:
    """One intended write. The same intent always carries the same key and the same document."""

    operation_key: str
    """Stable per ledger, document, write, payload version and generation; within the limit."""
    kind: WriteKind
    document: Document
    ledger_id: str | None = None
    """For updates and deletes: the object in the ledger."""
    edit_token: str | None = None
    """For updates and deletes: the version we last read; another one raises EditTokenStale."""
    applies_to_ledger_id: str | None = None
    """For credit memos: the posted invoice that this credit belongs to."""
    settles: tuple[SettledInLedger, ...] = ()
    """For payments: what they pay. For ``apply``: what the credit is used for."""
    files: tuple[LedgerFile, ...] = ()
    """For ``apply``: receipts of the document."""
    time_links: tuple[LinkedTime, ...] = ()
    """For invoices: the time activities that the ledger is to count as billed."""
    is_repeat: bool = False
    """Sent before with an unknown outcome. A create's success is then checked by reading, because
    a ledger may answer from its memory of an object that somebody has deleted since."""


@dataclass(frozen=True)
class LedgerLine:
    """A line as the ledger holds it."""

    position: int
    description: str | None
    item_id: str | None
    quantity: Decimal | None
    unit_price: Decimal | None
    amount: Decimal
    """Of journal entries: debits positive, credits negative."""
    account_id: str | None = None
    base_amount: Decimal | None = None
    """In home currency, where the ledger converts line by line."""


@dataclass(frozen=True)
class LedgerDocument:
    """A document as the ledger holds it now."""

    ledger_id: str
    kind: DocumentKind
    number: str | None
    customer_id: str | None
    currency: str | None
    document_date: date
    total: Decimal
    """Of journal entries: the sum of their debits."""
    open_balance: Decimal | None
    edit_token: str
    email_status: str | None
    lines: tuple[LedgerLine, ...]
    private_note: str | None = None
    """Where our document id stands: the marker that a person's edit of the number can't remove."""
    updated_at: datetime | None = None
    is_ours: bool = False
    """Carries our marker; from ``find``: the marker of the very document asked for."""
    is_void: bool = False
    marked_document_id: str | None = None
    """The document id in our marker, whichever document of ours it is."""
    is_deleted: bool = False
    """Gone; the other fields tell what was there. Only a write that deletes says so."""
    vendor_id: str | None = None
    tax_total: Decimal | None = None
    exchange_rate: Decimal | None = None
    """Home units per foreign unit, as the ledger keeps it."""
    base_total: Decimal | None = None
    """In home currency, as the ledger computed it."""
    settles: tuple[SettledInLedger, ...] = ()
    """Of payments: what their lines settle."""
    is_billed: bool = False
    """Of time activities: an invoice in the ledger counts it as billed."""
    stated: Mapping[str, str] = field(default_factory=dict)
    """What else it says, by our name of the field: ids of an employee or department, own fields."""
    warnings: tuple[str, ...] = ()
    """What a write did not achieve although the document stands; from ``write`` only."""


@dataclass(frozen=True)
class LedgerEntity:
    """A customer, vendor, employee, item, account, class, term or tax code."""

    kind: str
    ledger_id: str
    name: str
    is_active: bool = True
    currency: str | None = None
    type: str | None = None
    is_header: bool = False
    parent_id: str | None = None
    full_name: str | None = None
    """The name with those of its parents, where the ledger's list is a tree."""
    classification: str | None = None
    """Of accounts: asset, liability, equity, revenue or expense."""
    is_project: bool = False
    """Of customers: a project of the ledger, not just a job."""
    income_account_id: str | None = None
    """Of items: the account that their sales post to."""


@dataclass(frozen=True)
class Capabilities:
    """What a ledger can do; declared, not discovered by failing."""

    name: str
    operation_key_characters_max: int
    number_characters_max: int
    operation_memory_seconds: int
    """How long a repeated operation key is answered with the first outcome; 0 = not at all."""
    unit_price_decimals_max: int
    quantity_decimals_max: int
    amount_is_quantity_times_price: bool
    """The ledger refuses a line whose amount isn't the rounded product."""
    document_kinds: frozenset[DocumentKind] = field(
        default_factory=lambda: frozenset({DocumentKind.INVOICE, DocumentKind.CREDIT_MEMO})
    )
    read_only_kinds: frozenset[DocumentKind] = frozenset()
    """What ``documents`` can also yield: never written by us, but entered by others."""
    update_kinds: frozenset[DocumentKind] = frozenset({DocumentKind.INVOICE})
    amount_decimals_max: int = 2
    links_documents: bool = False
    """Credits can be linked to what they settle, and files attached (``WriteKind.APPLY``)."""
    batch_writes_max: int = 1
    """How many writes ``write_many`` takes at once; 1: it has no batches."""
    batched_kinds: frozenset[DocumentKind] = frozenset()
    """What may be in a batch."""
    write_seconds_max: int = 150
    """The longest until a write's outcome is in or given up: a lane's lease must be longer."""


Written = LedgerDocument | LedgerError
"""What became of one write of many: the document as the ledger holds it, or why there is none."""


class Ledger(Protocol):
    """One company in an accounting system.

    Calls are synchronous and made by one lane at a time; every call takes part in the shared call
    budget of its connection. Errors are those of ``hourbridge.common.errors`` (LedgerError and
    below): LedgerUnavailable when a call certainly had no effect, LedgerOutcomeUnknown when a
    write may have had one, LedgerThrottled with the pause asked for, LedgerRejected (and its
    children PeriodClosed, EditTokenStale, DocumentNumberTaken, DocumentMissing) for refusals.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this ledger can do."""
        ...

    def write(self, write: LedgerWrite) -> LedgerDocument:
        """Carry out one write and return the document as the ledger now holds it.

        Safe to repeat: a create that finds our own document under its number, an update that finds
        its statement already there and a delete that finds nothing return as if they had just done
        it. Amounts of credit memos are positive. A delete returns what was there, ``is_deleted``.
        ``apply`` links as much of a credit as both sides have open and attaches files, nothing of
        it when it did so before; it returns the document.
        """
        ...

    def write_many(self, writes: Sequence[LedgerWrite]) -> list[Written]:
        """Carry out many writes and return the outcome of each, in order; raises nothing.

        At most ``capabilities.batch_writes_max``, of ``batched_kinds``, none uncertain, none an
        ``apply``, none about another's document. Each is as ``write`` would have done it.
        """
        ...

    def find(self, document: Document) -> LedgerDocument | None:
        """Search the ledger for our document by its markers (number, then our id in the note).

        Returns a document with our number but without our marker as ``is_ours=False``.
        """
        ...

    def read(self, kind: DocumentKind, ledger_id: str) -> LedgerDocument | None:
        """Return one document, or None when the ledger has none of this id (any more)."""
        ...

    def documents(self, kind: DocumentKind, first: date, last: date) -> Iterator[LedgerDocument]:
        """Yield every document (ours and others') dated within ``first`` to ``last``, paged."""
        ...

    def closed_through(self) -> date | None:
        """Return the last day of the closed books, or None when nothing is closed."""
        ...

    def entities(self, kind: str) -> Iterator[LedgerEntity]:
        """Yield all of a list.

        Lists are customer, vendor, employee, item, account, class, term and tax_code.
        """
        ...

    def resolve(self, kind: str, reference: LedgerReference) -> LedgerEntity | None:
        """Return the entity that a mapping names by id or unique name, or None.

        Raises LedgerRejected (``reference_ambiguous``) when several have the name.
        """
        ...

    def check(self) -> Sequence[str]:
        """Return what is wrong with the connection; empty when it can be used."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...
