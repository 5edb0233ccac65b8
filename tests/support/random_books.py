"""Random books, priced by the real rules: documents of all kinds, as their ledgers would hold them.

The same seed gives the same book. Nothing is stored or sent; the journal is made of what comes.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hourbridge.billing.assembly import assemble
from hourbridge.billing.currencies.conversion import base_amount
from hourbridge.billing.currencies.payments import Party, SettledPart, Side, payment_postings
from hourbridge.billing.currencies.residues import Residue, clearing_postings
from hourbridge.billing.currencies.revaluation import (
    OpenBalance,
    revaluation_postings,
    revalue,
    reversal_day,
)
from hourbridge.billing.currencies.stamping import restamped, stamped
from hourbridge.billing.journal.chart import Chart
from hourbridge.billing.journal.entries import JournalEntry
from hourbridge.billing.recognition.unbilled import (
    billing_postings,
    invoiced,
    recognition_postings,
)
from hourbridge.billing.retainers.lots import LotPart
from hourbridge.billing.retainers.postings import Books, MovementPostings, RetainerKind
from hourbridge.billing.tax_credits import StandingTax, credit_taxes
from hourbridge.common.book import TaxRule
from hourbridge.common.book.accounts import Account, AccountRole
from hourbridge.common.messages.documents import Settlement
from hourbridge.common.messages.events import (
    Document,
    DocumentKind,
    DocumentStatus,
    ExchangeRateUsed,
    Posting,
)
from hourbridge.common.money import round_money
from hourbridge.poster.documents import Group, build_document
from hourbridge.poster.entries import debits_of
from hourbridge.poster.payables.bills import BillGroup, build_bill
from tests.support.journals import document, entries_of
from tests.support.random_charges import client_charges, vendor_charges
from tests.support.random_draws import Draws

_TAXED = TaxRule(code="VAT", percent=Decimal("8.25"))
_NAMED = (
    Account(role=AccountRole.REVENUE, name="Income:Honorare"),
    Account(role=AccountRole.RECEIVABLE, name="Assets:Debitoren:Inland"),
)


@dataclass
class Open:
    """An open item."""

    document: Document
    side: Side
    amount: Decimal
    base: Decimal


@dataclass
class RandomBook:
    """A book that lives for half a year."""

    seed: int
    draw: Draws = field(init=False)
    chart: Chart = field(init=False)
    states: list[Document] = field(default_factory=list)
    items: list[Open] = field(default_factory=list)
    deposits: dict[tuple[str, str], list[LotPart]] = field(default_factory=dict)
    _number: int = 0

    def __post_init__(self) -> None:
        self.draw = Draws(self.seed)
        accounts = self.chance.choice(((), _NAMED))
        self.chart = Chart(self.base, accounts)

    @property
    def chance(self) -> random.Random:
        """What decides."""
        return self.draw.chance

    @property
    def base(self) -> str:
        """The book's currency."""
        return self.draw.base

    def live(self, events: int) -> list[JournalEntry]:
        """Let that many things happen; return the journal."""
        acts = (
            self.invoice,
            self.invoice,
            self.invoice,
            self.bill,
            self.credit,
            self.pay,
            self.pay,
            self.receive_retainer,
            self.use_retainer,
            self.revalue,
            self.change_in_place,
            self.withdraw,
            self.clear_residue,
        )
        for _ in range(events):
            self.chance.choice(acts)()
        return entries_of(self.states, self.chart)

    # --- documents ----------------------------------------------------------------------------

    def invoice(self) -> None:
        """Bill a client for work and expenses, with or without tax and discount."""
        day, key = self.draw.day(), f"{self.seed}-{self._number}"
        charges = client_charges(self.draw, key, day)
        group = Group("random", "e", "g", tuple(charges), (), day, "UTC", 1, taxes=(_TAXED,))
        assembly = assemble(charges)
        if not assembly.lines:
            return
        new = build_document(group, assembly, self._next("HB")).document
        made = self._posted(new)
        self._recognize(made)
        sign = 1 if made.kind is DocumentKind.INVOICE else -1
        if made.total > 0 and sign > 0:
            self.items.append(Open(made, "receivable", made.total, made.base_total or made.total))

    def bill(self) -> None:
        """Owe a vendor for hours and expenses, less what is held back."""
        day, key = self.draw.day(), f"{self.seed}-{self._number}"
        charges = vendor_charges(self.draw, key, day)
        group = BillGroup("random", "e", "g", tuple(charges), day, 1)
        made = self._posted(build_bill(group, self._next("HBB")).document)
        if made.total > 0 and made.kind is DocumentKind.VENDOR_BILL:
            self.items.append(Open(made, "payable", made.total, made.base_total or made.total))

    def credit(self) -> None:
        """Credit one line of an invoice, or all of it."""
        item = self._item("receivable")
        if item is None or item.amount != item.document.total:
            return
        invoice = item.document
        lines = list(invoice.lines)
        if self.chance.random() < 0.5:
            lines = [self.chance.choice(lines)]
        standing = {
            line.line_id: StandingTax(
                line.tax_code or "", line.amount, line.tax_amount or Decimal(0)
            )
            for line in invoice.lines
        }
        pairs = [(line.line_id, line) for line in lines]
        taxed = credit_taxes(pairs, invoice.taxes, standing, invoice.currency)
        if taxed.total <= 0 or taxed.total > item.amount:
            return
        number = self._next("HBC")
        whole = len(lines) == len(invoice.lines)
        memo = invoice.model_copy(
            update={
                "document_id": f"credit-{self.seed}-{number}",
                "kind": DocumentKind.CREDIT_MEMO,
                "number": number,
                "lines": taxed.lines,
                "taxes": taxed.taxes,
                "total": taxed.total,
            }
        )
        memo = restamped(memo, base_total=item.base if whole and invoice.exchange else None)
        self.states.append(memo)
        item.amount -= memo.total
        item.base -= memo.base_total if memo.base_total is not None else memo.total

    def change_in_place(self) -> None:
        """Change a posted invoice where it stands."""
        item = self._item("receivable")
        if item is None or item.amount != item.document.total:
            return
        before = item.document
        kept = [line for line in before.lines if line.amount > 0][:1]
        if not kept or before.taxes or before.discount:
            return
        after = restamped(
            before.model_copy(
                update={
                    "version": before.version + 2,
                    "lines": tuple(kept),
                    "total": kept[0].amount,
                }
            )
        )
        self.states.append(after)
        item.document = after
        item.amount, item.base = after.total, after.base_total or after.total

    def withdraw(self) -> None:
        """Void a document."""
        if not self.items:
            return
        item = self.chance.choice(self.items)
        if item.amount != item.document.total:
            return
        voided = item.document.model_copy(
            update={
                "version": item.document.version + 1,
                "status": DocumentStatus.WITHDRAWN,
            }
        )
        self.states.append(voided)
        self.items.remove(item)

    # --- money --------------------------------------------------------------------------------

    def pay(self) -> None:
        """Pay one open item, in part or whole, at the rate of the day."""
        side: Side = self.chance.choice(("receivable", "payable"))
        item = self._item(side)
        if item is None or item.amount <= 0:
            return
        paid = item.amount if self.chance.random() < 0.5 else self._part(item)
        if paid <= 0:
            return
        carried = item.base if paid == item.amount else self._carried(item, paid)
        day = item.document.document_date + timedelta(days=self.chance.randint(0, 60))
        currency = item.document.currency
        rate = self.draw.rate(currency, day)
        part = SettledPart(item.document.document_id, item.document.number, paid, carried)
        postings = payment_postings(
            [part], side=side, currency=currency, rate=rate, party=Party(client="Acme")
        )
        kind = DocumentKind.PAYMENT if side == "receivable" else DocumentKind.BILL_PAYMENT
        settled = Settlement(
            document_id=item.document.document_id, number=item.document.number, amount=paid
        )
        self._entry("HBP", kind, day, currency, postings, rate, settles=(settled,))
        item.amount -= paid
        item.base -= carried

    def receive_retainer(self) -> None:
        """Take money before the work."""
        client, currency, day = self.draw.client(), self.draw.currency(), self.draw.day()
        rate = self.draw.rate(currency, day)
        amount = self.draw.amount(currency, 5000)
        base = amount if rate is None else base_amount(amount, currency, rate)
        lot = LotPart(
            lot_id=f"lot-{self._number}", received_on=day, amount=amount, base_amount=base
        )
        books = self._books(client)
        self._move(books.receipt(amount, base), day, currency, rate)
        self.deposits.setdefault((client, currency), []).append(lot)

    def use_retainer(self) -> None:
        """Apply, refund or forfeit the oldest money of a retainer."""
        held = [key for key, lots in self.deposits.items() if lots]
        if not held:
            return
        client, currency = self.chance.choice(held)
        lot = self.deposits[(client, currency)].pop(0)
        day = lot.received_on + timedelta(days=30)
        rate = self.draw.rate(currency, day)
        other = lot.amount if rate is None else base_amount(lot.amount, currency, rate)
        books = self._books(client)
        postings = self.chance.choice(
            (
                books.application([lot], other, day),
                books.refund([lot], other),
                books.forfeit([lot], other),
            )
        )
        self._move(postings, day, currency, rate)

    def _move(
        self,
        moved: MovementPostings,
        day: date,
        currency: str,
        rate: ExchangeRateUsed | None,
    ) -> None:
        kind = DocumentKind.JOURNAL_ENTRY
        self._entry("HBR", kind, day, currency, moved.own, rate)
        if moved.in_base:
            self._entry("HBR", kind, day, self.base, moved.in_base, None)

    def revalue(self) -> None:
        """Value open foreign items at a month's end, and take that back on the next day."""
        last = date(2026, self.chance.randint(1, 6), 28)
        foreign = [i for i in self.items if i.amount and i.document.currency != self.base]
        rates = {i.document.currency: self.draw.rate(i.document.currency, last) for i in foreign}
        balances = [
            OpenBalance(
                item.document.document_id,
                item.document.number,
                item.side,
                item.document.client,
                item.document.currency,
                item.amount,
                item.base,
            )
            for item in foreign
        ]
        known = {currency: rate for currency, rate in rates.items() if rate is not None}
        postings = revaluation_postings(revalue(balances, known))
        if not postings:
            return
        back = tuple(
            p.model_copy(update={"amount": -p.amount, "base_amount": -p.base_amount})
            for p in postings
        )
        kind = DocumentKind.JOURNAL_ENTRY
        self._entry("HBJ", kind, last, self.base, postings, None, purpose="revaluation")
        self._entry("HBJ", kind, reversal_day(last), self.base, back, None, purpose="reversal")

    def clear_residue(self) -> None:
        """Clear what is left in one currency alone."""
        amount, base = self.draw.amount("EUR", 3), self.draw.amount(self.base, 3)
        residue = self.chance.choice((Residue(amount, Decimal(0)), Residue(Decimal(0), base)))
        postings = clearing_postings(residue, side="receivable", party=Party(client="Acme"))
        currency = "EUR" if residue.amount and self.base != "EUR" else self.base
        if residue.amount and currency != "EUR":
            return
        self._entry("HBJ", DocumentKind.JOURNAL_ENTRY, self.draw.day(), currency, postings, None)

    # --- parts --------------------------------------------------------------------------------

    def _posted(self, new: Document) -> Document:
        made = new.model_copy(update={"status": DocumentStatus.POSTED, "version": 2})
        if made.currency != self.base:
            own_dates = self.chance.random() < 0.3

            def rate_on(day: date) -> ExchangeRateUsed:
                found = self.draw.rate(made.currency, day)
                assert found is not None
                return found

            made = stamped(made, rate_on, own_dates=own_dates)
        self.states.append(made)
        return made

    def _entry(
        self,
        prefix: str,
        kind: DocumentKind,
        day: date,
        currency: str,
        postings: tuple[Posting, ...],
        rate: ExchangeRateUsed | None,
        **more: Any,
    ) -> None:
        number = self._next(prefix)
        made = document(
            kind,
            number=number,
            document_id=f"entry-{self.seed}-{number}",
            document_date=day,
            currency=currency,
            postings=postings,
            total=debits_of(postings),
            exchange=rate,
            **more,
        )
        self.states.append(made)

    def _recognize(self, invoice: Document) -> None:
        """Count its work as revenue before it is billed, at another price than it was billed at."""
        if self.chance.random() < 0.7 or invoice.currency != self.base:
            return
        worth = invoice.lines[0].amount + self.draw.amount(self.base, 20)
        made = invoiced(invoice.lines[0], worth, self.base)
        kind, day = DocumentKind.JOURNAL_ENTRY, invoice.document_date
        for postings in (
            recognition_postings(worth, invoice.client),
            billing_postings([made], invoice.client),
        ):
            self._entry("HBJ", kind, day, self.base, postings, None, purpose="recognition")

    def _books(self, client: str) -> Books:
        kinds: tuple[RetainerKind, ...] = ("standard", "trust", "non_refundable")
        return Books(self.chance.choice(kinds), self.base, client=client, customer=None)

    def _item(self, side: Side) -> Open | None:
        found = [item for item in self.items if item.side == side and item.amount]
        return self.chance.choice(found) if found else None

    def _part(self, item: Open) -> Decimal:
        share = Decimal(self.chance.randint(1, 99)) / 100
        return round_money(item.amount * share, item.document.currency)

    def _carried(self, item: Open, paid: Decimal) -> Decimal:
        return round_money(item.base * paid / item.amount, self.base)

    def _next(self, prefix: str) -> str:
        self._number += 1
        return f"{prefix}-{self._number}"
