"""Documents of every kind add up, and closed months stay as they were or are reopened."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common.messages.events import (
    DocumentKind,
    DocumentStatus,
    LineAdjustment,
    Posting,
    TaxAmount,
)
from hourbridge.reconciler.arrivals import not_arrived
from hourbridge.reconciler.closing import CannotClose, close, closes, reopen
from hourbridge.reconciler.period_totals import changed_levels, period_totals
from hourbridge.reconciler.totals import control_totals
from hourbridge.reconciler.whole_book import whole_book
from tests.support.charges import hours
from tests.support.reconciling import BOOK, changed, charged, document, line

pytestmark = pytest.mark.database
NOW = datetime(2026, 4, 2, 12, tzinfo=UTC)


# --- documents --------------------------------------------------------------------------------


def test_lines_and_tax_make_the_total(bench: Any) -> None:
    bench.feed(charged("r1", 1))
    tax = TaxAmount(
        code="VAT",
        percent=Decimal(20),
        taxable=Decimal("150.00"),
        amount=Decimal("30.00"),
        method="document",
    )
    taxed = document("doc-1", [line(1, ["r1"], "1.00")], taxes=(tax,), total=Decimal("180.00"))
    bench.feed(changed(taxed))
    assert bench.findings() == {}
    bench.feed(changed(taxed.model_copy(update={"version": 2, "total": Decimal("150.00")})))
    assert bench.findings() == {"doc-1": "document_total"}


def entry(document_id: str, *amounts: str, **changes: Any) -> Any:
    roles = ("bank", "customer_deposits", "receivable")
    postings = tuple(
        Posting(role=role, amount=Decimal(a), base_amount=Decimal(a))
        for role, a in zip(roles, amounts, strict=False)
    )
    total = sum((p.amount for p in postings if p.amount > 0), Decimal(0))
    values = {"kind": DocumentKind.JOURNAL_ENTRY, "postings": postings, "total": total}
    return document(document_id, [], period=None, **{**values, **changes})


def test_entries_balance(bench: Any) -> None:
    bench.feed(changed(entry("doc-1", "500.00", "-500.00", purpose="retainer_receipt")))
    assert bench.findings() == {}
    bench.feed(changed(entry("doc-2", "500.00", "-499.99", purpose="retainer_receipt")))
    assert bench.findings() == {"doc-2": "entry_unbalanced"}


def test_a_retainer_is_never_overdrawn(bench: Any) -> None:
    receipt = entry("doc-1", "500.00", "-500.00", purpose="retainer_receipt", engagement="R")
    bench.feed(changed(receipt))
    assert bench.findings() == {}
    bench.feed(changed(entry("doc-2", "-510.00", "510.00", engagement="R")))
    assert bench.findings() == {"Acme/R/USD": "retainer_overdrawn"}


def test_vendor_bills_are_no_part_of_what_clients_are_billed(bench: Any) -> None:
    bench.feed(charged("r1", 1))
    bench.feed(changed(document("doc-1", [line(1, ["r1"], "1.00")])))
    owed = line(1, [], "1", unit_price="99.00", billed_seconds=0, line_id="bill-line")
    bill = document("doc-2", [owed], kind=DocumentKind.VENDOR_BILL, customer=None)
    bench.feed(changed(bill))
    with whole_book(bench.store) as connection:
        totals = control_totals(connection, BOOK)
    assert {row["kind"]: row["amount"] for row in totals["documents"]} == {
        "invoice": "150.00",
        "vendor_bill": "99.00",
    }
    assert [row["billed"] for row in totals["pricing"]] == ["150.00", "150.00"]


def test_the_pricing_bridge_names_discounts_adjustments_and_caps(bench: Any) -> None:
    bench.feed(charged("r1", 1, 7_200))
    cut = line(
        1,
        ["r1"],
        "1.50",
        amount="200.00",
        worked_seconds=7_200,
        discount=Decimal("20.00"),
        adjustment=LineAdjustment(amount=Decimal("-5.00"), reason="agreed", by="rita"),
        capped_seconds=1_800,
        capped_amount=Decimal("75.00"),
    )
    bench.feed(changed(document("doc-1", [cut])))
    with whole_book(bench.store) as connection:
        row = control_totals(connection, BOOK)["pricing"][0]
    named = {
        name: row[name] for name in ("entries", "discount", "adjustment", "capped", "rounding")
    }
    assert named == {
        "entries": "300.00",
        "discount": "-20.00",
        "adjustment": "-5.00",
        "capped": "-75.00",
        "rounding": "0.00",
    }


# --- closing ----------------------------------------------------------------------------------


def posted_march(bench: Any) -> None:
    bench.feed(charged("r1", 1, hours("2")))
    invoice = document("doc-1", [line(1, ["r1"], "2.00")])
    bench.feed([changed(invoice), changed(bench.ledger.post(invoice))])
    bench.reconcile()


def close_march(bench: Any, note: str = "month end") -> dict[str, Any]:
    with whole_book(bench.store) as connection:
        return close(connection, BOOK, "2026-03", actor="rita", note=note, now=NOW)


def test_a_closed_month_keeps_its_totals_and_their_hash(bench: Any) -> None:
    posted_march(bench)
    first = close_march(bench)
    assert first["frozen"]["mapping_versions"] == [1]
    assert first["totals"]["documents"][0]["total"] == "300.00"
    assert close_march(bench, "again") == first
    bench.reconcile()
    assert bench.findings() == {}


def test_a_later_change_needs_a_reopening(bench: Any) -> None:
    posted_march(bench)
    first = close_march(bench)
    bench.feed(charged("r2", 2, hours("1")))
    bench.reconcile()
    (found,) = bench.open()
    assert (found["cause"], found["expected"]) == ("period_changed", first["totals_hash"])
    assert set(found["detail"]["changed"]) == {"records", "charges"}
    with bench.store.transaction() as connection:
        reopen(connection, BOOK, "2026-03", actor="rita", note="late hours", now=NOW)
    bench.reconcile()
    assert bench.open() == []
    assert close_march(bench)["totals_hash"] != first["totals_hash"]
    with bench.store.transaction() as connection:
        history = closes(connection, BOOK)
    assert [each["reopened_note"] for each in history] == [None, "late hours"]


@pytest.mark.parametrize("status", [DocumentStatus.DRAFT, DocumentStatus.PARKED])
def test_what_is_not_settled_stands_against_closing(bench: Any, status: DocumentStatus) -> None:
    posted_march(bench)
    bench.feed(charged("r2", 2))
    bench.feed(changed(document("doc-2", [line(1, ["r2"], "1.00")], status=status)))
    with pytest.raises(CannotClose, match=f"invoice HB-2 is {status}"):
        close_march(bench)


def test_open_discrepancies_stand_against_closing_until_accepted(bench: Any) -> None:
    posted_march(bench)
    bench.ledger.enter("L-9")
    bench.reconcile()
    with pytest.raises(CannotClose, match="target_only 1001"):
        close_march(bench)
    (found,) = bench.open()
    bench.accept(found["id"])
    closed = close_march(bench)
    assert [each["cause"] for each in closed["explained"]] == ["target_only"]


def test_what_changed_is_shown_by_level(bench: Any) -> None:
    posted_march(bench)
    with whole_book(bench.store) as connection:
        now = period_totals(connection, BOOK, "2026-03")
    before = {**now, "ledger": []}
    assert changed_levels(before, now) == {"ledger": {"closed_with": [], "now": now["ledger"]}}


def test_a_close_waits_for_what_is_on_its_way(bench: Any) -> None:
    posted_march(bench)
    with bench.store.transaction() as connection:
        assert not_arrived(connection, BOOK, 1, {"posted": 1, "draft": 0}) is None
        assert "up to 2" in str(not_arrived(connection, BOOK, 2, None))
        assert "documents" in str(not_arrived(connection, BOOK, 1, {"posted": 2}))
