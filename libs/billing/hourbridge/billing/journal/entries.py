"""Journal entries: what a document's posted state adds to the journal. Append only."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hourbridge.billing.journal.chart import Chart
from hourbridge.billing.journal.postings import book_currency, postings_of
from hourbridge.common.book import LedgerReference
from hourbridge.common.book.accounts import AccountRole
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import (
    Document,
    DocumentKind,
    DocumentStatus,
    ExchangeRateUsed,
    Posting,
)
from hourbridge.common.messages.fields import CurrencyCode, DecimalText, LocalDate, Payload


class JournalPosting(Payload):
    """One line of an entry. The account's name is that of the day when it was posted."""

    account: str
    role: AccountRole
    ledger_account: LedgerReference | None = None
    amount: DecimalText
    base_amount: DecimalText
    client: str | None = None
    vendor: str | None = None
    memo: str | None = None


class JournalEntry(Payload):
    """A balanced entry, or the one that takes an earlier one back. Never changed."""

    entry_id: str
    document_id: str
    document_version: int
    number: str
    kind: DocumentKind
    purpose: str | None = None
    entry_date: LocalDate
    currency: CurrencyCode
    base_currency: CurrencyCode
    client: str = ""
    party: str = ""
    """Whom it concerns, as the ledger knows them."""
    memo: str | None = None
    postings: tuple[JournalPosting, ...]
    exchange: ExchangeRateUsed | None = None
    """The one rate that it was made with; absent where its lines have rates of their own."""
    rate_ids: tuple[str, ...] = ()
    """Every rate that the document was made with, those of its lines included."""
    settles: tuple[str, ...] = ()
    """Numbers of the documents that it settles."""
    reverses_entry_id: str | None = None

    @property
    def is_reversal(self) -> bool:
        """Return whether the entry only takes an earlier one of its document back."""
        return self.reverses_entry_id is not None


def next_entries(
    held: JournalEntry | None, document: Document, chart: Chart
) -> tuple[JournalEntry, ...]:
    """Return what a document's new state adds to the journal, given the entry that stands.

    Posted: its entry; when it was changed in place, the old entry is taken back first, at its own
    date. Withdrawn: what stood is taken back. A state that moves nothing new adds nothing, and
    neither do states on the way.
    """
    if document.status is DocumentStatus.WITHDRAWN:
        return () if held is None else (_reversal(held, document.version),)
    if document.status is not DocumentStatus.POSTED:
        return ()
    entry = _entry(document, chart)
    if _effect(entry) == _effect(held):
        return ()
    taken_back = () if held is None else (_reversal(held, document.version),)
    return (*taken_back, entry) if entry is not None else taken_back


def _entry(document: Document, chart: Chart) -> JournalEntry | None:
    postings = postings_of(document, chart)
    if not postings:
        return None
    rates = (document.exchange, *(line.exchange for line in document.lines))
    return JournalEntry(
        entry_id=derive_id("journal", document.document_id, str(document.version)),
        document_id=document.document_id,
        document_version=document.version,
        number=document.number,
        kind=document.kind,
        purpose=document.purpose,
        entry_date=document.document_date,
        currency=document.currency,
        base_currency=book_currency(document, chart),
        client=document.client,
        party=_party(document),
        memo=document.memo,
        postings=tuple(_line(posting, chart) for posting in postings),
        exchange=None if any(rates[1:]) else document.exchange,
        rate_ids=tuple(dict.fromkeys(rate.rate_id for rate in rates if rate)),
        settles=tuple(settlement.number for settlement in document.settles),
    )


def _line(posting: Posting, chart: Chart) -> JournalPosting:
    vendor = posting.vendor
    return JournalPosting(
        account=chart.name(posting.role),
        role=posting.role,
        ledger_account=posting.account,
        amount=posting.amount,
        base_amount=posting.base_amount,
        client=posting.client,
        vendor=(vendor.name or vendor.id) if vendor else None,
        memo=posting.memo,
    )


def _party(document: Document) -> str:
    party = document.customer or document.vendor
    return (party.name or party.id or "") if party else document.client


def _reversal(held: JournalEntry, document_version: int) -> JournalEntry:
    return held.model_copy(
        update={
            "entry_id": derive_id("journal", held.document_id, str(document_version), "reversal"),
            "document_version": document_version,
            "postings": tuple(
                posting.model_copy(
                    update={"amount": -posting.amount, "base_amount": -posting.base_amount}
                )
                for posting in held.postings
            ),
            "reverses_entry_id": held.entry_id,
        }
    )


def _effect(
    entry: JournalEntry | None,
) -> tuple[date, str, str, tuple[tuple[str, str, Decimal, Decimal], ...]] | None:
    """Return what an entry does to the accounts, whatever they are called."""
    if entry is None:
        return None
    moved = tuple(
        (p.role, p.ledger_account.key if p.ledger_account else "", p.amount, p.base_amount)
        for p in entry.postings
    )
    return entry.entry_date, entry.currency, entry.base_currency, moved
