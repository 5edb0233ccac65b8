"""Vendor bills: who is owed what, on which bill, and what never becomes one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common.book import (
    Account,
    AccountRole,
    InvoicingPolicy,
    LedgerReference,
    ReviewPolicy,
)
from hourbridge.common.messages.events import Document, DocumentKind, DocumentStatus
from hourbridge.common.messages.records import Attachment
from hourbridge.poster.billing_runs import BillRequest
from hourbridge.poster.group_store import BillingScope
from tests.support.charges import hours, make_charge
from tests.support.faulty_ledger import MemoryLedger
from tests.support.payables import owed_expense, owed_time
from tests.support.posting import BOOK, MARCH_31, Poster

ACCOUNTS = tuple(
    Account(role=role, ledger=LedgerReference(id=ledger_id))
    for role, ledger_id in (
        (AccountRole.RETAINAGE_PAYABLE, "90"),
        (AccountRole.INPUT_TAX, "91"),
        (AccountRole.SUBCONTRACTOR_COST, "80"),
    )
)


def bill(poster: Poster, through: date = MARCH_31, **scope: Any) -> list[Document]:
    made = poster.parts.bills.bill(BillingScope(BOOK, through, **scope))
    poster.settle()
    return made


def test_invoices_pass_by_what_is_owed(poster: Poster) -> None:
    poster.charge(owed_time("p", hours("2")), make_charge("c", hours("2")))
    invoiced = poster.bill().documents
    assert [d.kind for d in invoiced] == [DocumentKind.INVOICE]
    assert poster.states() == {"p": "unbilled", "c": "billed"}
    [made] = bill(poster)
    assert (made.kind, made.total) == (DocumentKind.VENDOR_BILL, Decimal("150.00"))
    assert poster.states() == {"p": "billed", "c": "billed"}


def test_what_a_bill_says(poster: Poster) -> None:
    poster.configure(2, accounts=ACCOUNTS)
    receipt = Attachment(id="r1")
    spent = owed_expense("x", "80.00", tax="16.00", vendor="Sub Ltd")
    spent = spent.model_copy(
        update={"cost": spent.cost and spent.cost.model_copy(update={"receipts": (receipt,)})}
    )
    poster.charge(
        owed_time("p", hours("3"), holdback_percent="5", work_date=date(2026, 3, 9)), spent
    )
    work, expenses = sorted(bill(poster), key=lambda d: -d.total)
    assert {work.number, expenses.number} == {"HBB-1", "HBB-2"}
    assert (work.total, expenses.total) == (Decimal("213.75"), Decimal("96.00"))
    assert work.vendor == LedgerReference(name="Sub Ltd")
    assert (work.customer, work.client, work.period) == (None, "", "2026-03")
    assert (work.document_date, work.due_date) == (date(2026, 3, 9), date(2026, 4, 8))
    assert [line.account and line.account.id for line in work.lines] == ["80", "90"]
    assert [line.account and line.account.id for line in expenses.lines] == [None, "91"]
    assert expenses.attachments == (receipt,)


@pytest.mark.parametrize("seed", range(3))
def test_everything_again_in_any_order_makes_nothing_more(poster: Poster, seed: int) -> None:
    charges = [owed_time(f"p{n}", 1000 + n, holdback_percent="7") for n in range(6)]
    events = poster.charge(*charges)
    poster.feed_shuffled(events, seed)
    before = bill(poster)
    poster.feed_shuffled(events, seed + 10)
    assert bill(poster) == []
    assert [d.document_id for d in poster.documents()] == [d.document_id for d in before]


def test_a_bill_gathers_a_month_of_a_vendor(poster: Poster) -> None:
    poster.charge(
        owed_time("a", hours("1"), work_date=date(2026, 2, 27)),
        owed_time("b", hours("2"), work_date=date(2026, 3, 2)),
        owed_time("c", hours("4"), work_date=date(2026, 3, 30), client="Birch"),
        owed_time("d", hours("8"), work_date=date(2026, 3, 3), vendor="Other"),
        owed_time("e", hours("1"), work_date=date(2026, 4, 1)),
    )
    made = {(d.vendor and d.vendor.name, d.period): d.total for d in bill(poster)}
    assert made == {
        ("Sub Ltd", "2026-02"): Decimal("75.00"),
        ("Sub Ltd", "2026-03"): Decimal("450.00"),
        ("Other", "2026-03"): Decimal("600.00"),
    }
    assert poster.states()["e"] == "unbilled"


def test_only_what_is_asked_for(poster: Poster) -> None:
    poster.charge(owed_time("a"), owed_time("b", client="Birch"))
    [made] = bill(poster, client="Birch")
    assert made.lines[0].charge_ids == ("b",)


def test_a_refund_is_a_vendor_credit(poster: Poster, ledger: MemoryLedger) -> None:
    poster.charge(owed_expense("x", "-45.00"))
    [made] = bill(poster)
    assert (made.kind, made.total) == (DocumentKind.VENDOR_CREDIT, Decimal("45.00"))
    assert made.lines[0].amount == Decimal("45.00")
    assert [d.total for d in ledger.of_kind(DocumentKind.VENDOR_CREDIT)] == [Decimal("45.00")]


def test_work_that_costs_nothing_makes_no_bill(poster: Poster) -> None:
    poster.charge(owed_time("a", cost="0"))
    assert bill(poster) == []


def test_bills_that_wait_for_the_client_have_no_due_date(poster: Poster) -> None:
    poster.charge(owed_time("a", pay_when_paid=True))
    [made] = bill(poster)
    assert (made.due_date, made.memo) == (None, "Pay when paid")


def test_a_preview_makes_nothing(poster: Poster) -> None:
    poster.charge(owed_time("a"))
    [shown] = poster.parts.bills.preview(BillingScope(BOOK, MARCH_31))
    assert (shown.number, shown.total) == ("DRY-RUN", Decimal("75.00"))
    assert poster.documents() == []


def test_bills_wait_where_the_book_wants_a_person(poster: Poster) -> None:
    poster.configure(2, review=ReviewPolicy(kinds=("vendor_bill",)))
    poster.charge(owed_time("a"))
    [made] = bill(poster)
    assert made.status is DocumentStatus.DRAFT
    poster.charge(owed_time("a", hours("2")), revision=2)
    poster.settle()
    withdrawn, again = sorted(poster.documents(), key=lambda d: d.total)
    assert (withdrawn.status, again.status) == (DocumentStatus.WITHDRAWN, DocumentStatus.DRAFT)
    assert again.total == Decimal("150.00")


def test_automatic_billing_makes_the_bills_of_months_that_are_over(poster: Poster) -> None:
    policy = InvoicingPolicy(automatic=True)
    poster.charge(
        owed_time("a", invoicing=policy),
        owed_time("b", invoicing=policy, work_date=date(2026, 4, 1)),
        owed_time("c", vendor="By hand"),
    )
    poster.clock.step(seconds=86_400)
    poster.parts.automatic.run()
    assert poster.states() == {"a": "billed", "b": "unbilled", "c": "unbilled"}


def test_a_posted_bill_does_not_hold_the_clients_side(poster: Poster) -> None:
    """A new mapping of the record still reprices what the client has not been billed for."""
    owed, billed = owed_time("p"), make_charge("c")
    poster.feed(poster.changed("r", [owed, billed]))
    bill(poster)
    cheaper = make_charge("c", rate="100.00")
    poster.configure(2)
    poster.feed(poster.changed("r", [owed_time("p", cost="80.00"), cheaper], mapping=2))
    poster.settle()
    assert [d.total for d in poster.bill().documents] == [Decimal("100.00")]
    assert [d.total for d in poster.documents() if d.vendor] == [Decimal("75.00")]


def test_a_run_makes_both_sides_and_counts_them_apart(poster: Poster) -> None:
    poster.charge(owed_time("p", hours("2")), make_charge("c", hours("3")))
    runs = poster.parts.runs
    shown = runs.preview(BillRequest(BOOK, MARCH_31))
    run_id = runs.ask(BillRequest(BOOK, MARCH_31), "otto")
    runs.perform_open()
    result = runs.show(run_id)
    for answer in (shown, result):
        assert (answer["documents"], answer["vendor_bills"]) == (1, 1)
        assert answer["totals"] == [{"currency": "USD", "total": "450.00"}]
        assert answer["vendor_totals"] == [{"currency": "USD", "total": "150.00"}]


def test_runs_side_by_side_make_one_bill(poster: Poster) -> None:
    poster.charge(*(owed_time(f"p{n}", hours("1"), holdback_percent="10") for n in range(20)))
    others = [poster.process() for _ in range(4)]
    scope = BillingScope(BOOK, MARCH_31)
    with ThreadPoolExecutor(len(others)) as threads:
        made = list(threads.map(lambda parts: parts.bills.bill(scope), others))
    assert sorted(len(documents) for documents in made) == [0, 0, 0, 1]
    assert [d.total for d in poster.documents()] == [Decimal("1350.00")]
