"""A run over everything: clean, edited, deleted, repaired, entered by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common import faults
from hourbridge.common.errors import LedgerUnavailable, TransientFailure
from hourbridge.common.messages.events import Document, DocumentStatus
from hourbridge.connectors.ledger import LedgerLine
from hourbridge.reconciler.discrepancies import accept, listed
from tests.support.reconciling import BOOK, changed, charged, document, line

pytestmark = pytest.mark.database


@pytest.fixture
def posted(bench: Any) -> list[Document]:
    """Three records of five hours, each on an invoice of 750.00 that the ledger holds."""
    documents = []
    for number in (1, 2, 3):
        charge_id = f"r{number}"
        bench.feed(charged(charge_id, number, 5 * 3600))
        invoice = document(f"doc-{number}", [line(1, [charge_id], "5")])
        bench.feed(changed(invoice))
        documents.append(bench.ledger.post(invoice))
        bench.feed(changed(documents[-1]))
    return documents


def found(bench: Any, state: str = "open") -> list[dict[str, Any]]:
    with bench.store.transaction() as connection:
        return listed(connection, BOOK, state=state, cause=None, limit=100)


def causes(bench: Any) -> dict[str, str]:
    return {each["subject"]: each["cause"] for each in found(bench)}


def edited(amount: str) -> dict[str, Any]:
    price = Decimal(amount) / 5
    line = LedgerLine(1, None, "I-Consulting", Decimal(5), price, Decimal(amount))
    return {"total": Decimal(amount), "lines": (line,)}


def test_a_clean_book_has_no_discrepancies(bench: Any, posted: list[Document]) -> None:
    summary = bench.reconcile()

    assert (summary.found, summary.opened, summary.open) == (0, 0, {})
    assert summary.ledgers[0].documents_read == 3
    assert bench.clock.slept == []


def test_edited_and_deleted_documents_are_exactly_two_discrepancies(
    bench: Any, posted: list[Document]
) -> None:
    bench.ledger.edit(posted[0], **edited("725.00"))
    bench.ledger.delete(posted[1])

    summary = bench.reconcile()

    assert summary.open == {"target_deleted": 1, "target_edit": 1}
    assert causes(bench) == {"doc-1": "target_edit", "doc-2": "target_deleted"}
    edit, deletion = sorted(found(bench), key=lambda each: each["subject"])
    assert edit["difference_amount"] == Decimal("-25.00")
    assert edit["detail"]["fields"] == [
        {"field": "total", "expected": "750.00", "found": "725.00"},
        {"field": "lines.1.unit_price", "expected": "150.00", "found": "145.00"},
        {"field": "lines.1.amount", "expected": "750.00", "found": "725.00"},
    ]
    assert deletion["difference_amount"] == Decimal("-750.00")


def test_repaired_documents_resolve_and_return_reopens(bench: Any, posted: list[Document]) -> None:
    bench.ledger.edit(posted[0], **edited("725.00"))
    bench.ledger.delete(posted[1])
    bench.reconcile()
    bench.ledger.edit(posted[0], **edited("750.00"))
    again = bench.ledger.post(posted[1].model_copy(update={"generation": 2}))
    bench.feed(changed(again))

    assert bench.reconcile().resolved == 2
    assert {each["resolution"] for each in found(bench, "resolved")} == {
        "the ledger's document equals ours again",
        "the ledger holds the document again",
    }

    bench.ledger.edit(posted[0], **edited("725.00"))
    bench.reconcile()
    assert [(each["subject"], each["times_opened"]) for each in found(bench)] == [("doc-1", 2)]


def test_running_again_changes_nothing(bench: Any, posted: list[Document]) -> None:
    bench.ledger.delete(posted[1])
    first = bench.reconcile()
    before = found(bench)
    bench.clock.step(hours=1)

    second = bench.reconcile()

    assert (second.opened, second.resolved) == (0, 0)
    assert second.totals_hash == first.totals_hash
    unchanged = {"last_seen_at"}
    assert [
        {name: value for name, value in each.items() if name not in unchanged}
        for each in found(bench)
    ] == [{name: value for name, value in each.items() if name not in unchanged} for each in before]


def test_a_voided_document(bench: Any, posted: list[Document]) -> None:
    bench.ledger.edit(posted[0], total=Decimal(0), is_void=True)
    bench.reconcile()
    assert causes(bench) == {"doc-1": "target_void"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"customer_id": "C-Beta"}, "customer"),
        ({"document_date": date(2026, 4, 1)}, "date"),
        ({"number": "HB-99"}, "number"),
        ({"currency": "EUR"}, "currency"),
        ({"lines": ()}, "lines"),
    ],
)
def test_edits_are_found_field_by_field(
    bench: Any, posted: list[Document], changes: dict[str, Any], field: str
) -> None:
    bench.ledger.edit(posted[2], **changes)
    bench.reconcile()
    assert [each["field"] for each in found(bench)[0]["detail"]["fields"]] == [field]


def test_a_date_moved_out_of_the_window_is_an_edit_not_a_deletion(
    bench: Any, posted: list[Document]
) -> None:
    bench.ledger.edit(posted[2], document_date=date(2020, 1, 1))
    bench.reconcile()
    assert causes(bench) == {"doc-3": "target_edit"}


def test_a_payment_that_only_bumps_the_token_is_no_edit(bench: Any, posted: list[Document]) -> None:
    bench.ledger.edit(posted[0], open_balance=Decimal(0))
    bench.reconcile()
    assert found(bench) == []


def test_the_same_invoice_entered_by_hand_is_a_suspected_duplicate(
    bench: Any, posted: list[Document]
) -> None:
    bench.ledger.enter("manual-1")

    bench.reconcile()

    (only,) = found(bench)
    assert (only["cause"], only["difference_amount"]) == ("target_only", Decimal("750.00"))
    assert only["detail"]["suspected_duplicate_of"] == "HB-1"
    assert only["client"] == "Acme"


def test_invoices_of_customers_that_we_do_not_bill_are_none_of_our_business(
    bench: Any, posted: list[Document]
) -> None:
    bench.ledger.enter("manual-1", customer_id="C-Beta")
    bench.ledger.enter("before-we-began", document_date=date(2026, 2, 28))
    bench.reconcile()
    assert found(bench) == []


def test_a_number_of_our_range_is_suspicious_for_any_customer(
    bench: Any, posted: list[Document]
) -> None:
    bench.ledger.enter("manual-1", customer_id="C-Beta", number="HB-7")
    bench.reconcile()
    assert found(bench)[0]["detail"]["mark"] == "number"


def test_documents_on_their_way_are_no_discrepancy(bench: Any, posted: list[Document]) -> None:
    bench.feed(charged("r4", 4))
    arriving = document("doc-4", [line(1, ["r4"], "1")])
    bench.feed(changed(arriving))
    bench.ledger.post(arriving)  # the ledger has it, the news is still on the bus
    bench.reconcile()
    assert found(bench) == []


def test_a_repair_under_way_neither_resolves_nor_reopens(
    bench: Any, posted: list[Document]
) -> None:
    bench.ledger.delete(posted[1])
    bench.reconcile()
    restoring = posted[1].model_copy(
        update={"status": DocumentStatus.POSTING, "version": 3, "generation": 2}
    )
    bench.feed(changed(restoring))

    summary = bench.reconcile()

    assert (summary.resolved, summary.open) == (0, {"target_deleted": 1})


def test_what_changes_during_the_second_look_is_no_false_alarm(
    bench: Any, posted: list[Document]
) -> None:
    bench.ledger.delete(posted[0])
    bench.clock.on_sleep = lambda: bench.feed(
        changed(bench.ledger.post(posted[0].model_copy(update={"generation": 2})))
    )
    bench.reconcile()
    assert found(bench) == []
    assert bench.clock.slept == [bench.settings.recheck_seconds]


def test_a_ledger_that_cannot_be_read_concludes_nothing(
    bench: Any, posted: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.ledger.delete(posted[0])
    bench.reconcile()

    def unavailable(*_: object) -> None:
        raise LedgerUnavailable("maintenance")

    with monkeypatch.context() as patched:
        patched.setattr(bench.ledger, "documents", unavailable)
        summary = bench.reconcile()

    assert "maintenance" in str(summary.ledgers[0].error)
    assert (summary.resolved, summary.open) == (0, {"target_deleted": 1})


def test_an_accepted_difference_stays_closed_until_it_changes(
    bench: Any, posted: list[Document]
) -> None:
    bench.ledger.edit(posted[0], **edited("725.00"))
    bench.reconcile()
    (discrepancy,) = found(bench)
    with bench.store.transaction() as connection:
        accept(
            connection,
            BOOK,
            discrepancy["id"],
            actor="olga",
            note="agreed by phone",
            now=bench.clock.now(),
        )
    assert bench.reconcile().open == {}
    assert found(bench, "resolved")[0]["resolution"] == "accepted by olga: agreed by phone"

    bench.ledger.edit(posted[0], **edited("700.00"))
    assert bench.reconcile().open == {"target_edit": 1}


def test_a_run_that_breaks_off_concludes_nothing_and_the_next_one_does(
    bench: Any, posted: list[Document]
) -> None:
    bench.ledger.delete(posted[0])
    faults.arm("reconciler.before_settle=raise")
    try:
        with pytest.raises(TransientFailure):
            bench.reconcile()
        assert found(bench) == []
        assert bench.reconcile().open == {"target_deleted": 1}
    finally:
        faults.arm("")


def test_the_ledgers_own_rounding_is_named(bench: Any) -> None:
    bench.feed(charged("r1", 1, 450, rate="1.00"))
    invoice = document("doc-1", [line(1, ["r1"], "0.125", unit_price="1.00", amount="0.13")])
    bench.feed(changed(invoice))
    stated = bench.ledger.post(invoice)
    theirs = LedgerLine(1, None, "I-Consulting", Decimal("0.125"), Decimal(1), Decimal("0.12"))
    held = bench.ledger.held
    (key,) = held
    bench.ledger.edit(stated, total=Decimal("0.12"), lines=(theirs,))
    position = stated.posted.model_copy(
        update={"total": Decimal("0.12"), "edit_token": held[key].edit_token}
    )
    bench.feed(changed(stated.model_copy(update={"posted": position})))

    bench.reconcile()

    (rounding,) = found(bench)
    assert rounding["cause"] == "target_rounding"
    assert rounding["difference_amount"] == Decimal("-0.01")
    assert rounding["detail"]["explained_by"] == ["half_even"]
