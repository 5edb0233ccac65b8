"""Documents for journal tests, and their journals before both judges."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from hourbridge.billing.journal.beancount import to_beancount
from hourbridge.billing.journal.chart import Chart
from hourbridge.billing.journal.entries import JournalEntry, next_entries
from hourbridge.billing.journal.hledger import to_hledger
from hourbridge.billing.journal.presentation import Declarations
from hourbridge.common.book import LedgerReference
from hourbridge.common.book.accounts import AccountRole
from hourbridge.common.messages.events import (
    Document,
    DocumentKind,
    DocumentLine,
    DocumentStatus,
    ExchangeRateUsed,
    LedgerPosition,
    Posting,
    TaxAmount,
)
from tests.support.charges import LEDGER
from tests.support.oracles import check_beancount, check_hledger

DAY = date(2026, 1, 30)
USD = Chart("USD")


def line(amount: str, **changes: Any) -> DocumentLine:
    """Return a document line of one unit."""
    value = Decimal(amount)
    position = changes.pop("position", 1)
    values: dict[str, Any] = {
        "line_id": f"line-{position}-{amount}",
        "position": position,
        "description": "Work",
        "quantity": Decimal(1),
        "unit_price": value,
        "amount": value,
    }
    return DocumentLine(**{**values, **changes})


def tax(amount: str, *, percent: str = "20", taxable: str = "0", code: str = "VAT") -> TaxAmount:
    """Return the tax of one code."""
    return TaxAmount(
        code=code,
        percent=Decimal(percent),
        taxable=Decimal(taxable),
        amount=Decimal(amount),
        method="document",
    )


def rate(value: str, *, base: str = "USD", day: date = DAY) -> ExchangeRateUsed:
    """Return an exchange rate of a day."""
    return ExchangeRateUsed(
        rate_id=f"ecb-{day}-{value}",
        source="ecb",
        base_currency=base,
        value=Decimal(value),
        wanted_date=day,
        rate_date=day,
    )


def posting(role: AccountRole, amount: str, base: str | None = None, **more: Any) -> Posting:
    """Return a posting; in the book's currency unless ``base`` is given."""
    return Posting(role=role, amount=Decimal(amount), base_amount=Decimal(base or amount), **more)


def document(
    kind: DocumentKind = DocumentKind.INVOICE,
    lines: Sequence[DocumentLine] = (),
    **changes: Any,
) -> Document:
    """Return a posted document over its lines, taxes or debits."""
    taxes = changes.get("taxes", ())
    debits = [p.amount for p in changes.get("postings", ()) if p.amount > 0]
    total = sum([entry.amount for entry in (*lines, *taxes)] + debits, Decimal(0))
    number = changes.pop("number", "HB-1")
    values: dict[str, Any] = {
        "document_id": f"document-{number}",
        "version": 2,
        "kind": kind,
        "status": DocumentStatus.POSTED,
        "number": number,
        "ledger": LEDGER,
        "customer": LedgerReference(name="Acme"),
        "client": "Acme",
        "currency": "USD",
        "document_date": DAY,
        "lines": tuple(lines),
        "total": total,
        "configuration_version": 1,
        "posted": LedgerPosition(
            ledger_id="145", total=total, posted_at=datetime(2026, 2, 1, tzinfo=UTC)
        ),
    }
    return Document(**{**values, **changes})


def entries_of(documents: Iterable[Document], chart: Chart = USD) -> list[JournalEntry]:
    """Return the journal of documents' states, in the order of its dates."""
    standing: dict[str, JournalEntry | None] = {}
    found: list[JournalEntry] = []
    for state in documents:
        added = next_entries(standing.get(state.document_id), state, chart)
        found += added
        if added:
            newest = added[-1]
            standing[state.document_id] = None if newest.is_reversal else newest
    return sorted(found, key=lambda entry: entry.entry_date)


def write_journals(
    entries: Sequence[JournalEntry], folder: Path, *, base: str = "USD", book: str = "office"
) -> tuple[Path, Path]:
    """Write entries in both formats; return the paths of hledger's and beancount's file."""
    declared = Declarations.of(book, entries, base)
    ledger, beans = folder / "journal.hledger", folder / "journal.beancount"
    ledger.write_text("".join(to_hledger(entries, declared)))
    beans.write_text("".join(to_beancount(entries, declared)))
    return ledger, beans


def judged(
    entries: Sequence[JournalEntry], folder: Path, *, base: str = "USD"
) -> tuple[Path, Path]:
    """Write entries in both formats and let both programs check them."""
    ledger, beans = write_journals(entries, folder, base=base)
    check_hledger(ledger)
    check_beancount(beans)
    return ledger, beans
