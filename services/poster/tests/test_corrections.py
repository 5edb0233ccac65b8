"""Work that changes after it was billed: re-assembled, credited, supplemented, or updated."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from hourbridge.common import faults
from hourbridge.common.book import CorrectionPolicy, InvoicingPolicy
from hourbridge.common.messages.events import DocumentKind, DocumentStatus
from hourbridge.connectors.ledger import WriteKind
from hourbridge.poster import fault_points
from hourbridge.poster.decisions import Decision, NotPossible
from tests.support.charges import fee, hours, make_charge
from tests.support.faulty_ledger import Lost, rejected
from tests.support.posting import Poster, configured, in_place_for

DRAFTS = InvoicingPolicy(status="draft")


def posted(poster: Poster, length: str = "5", **changes: object) -> None:
    poster.charge(make_charge("a", hours(length), **changes))
    poster.bill()
    poster.post()


def change(poster: Poster, length: str, revision: int = 2, **changes: object) -> None:
    poster.charge(make_charge("a", hours(length), **changes), revision=revision)
    poster.settle()


def credits(poster: Poster) -> list[Decimal]:
    return [d.total for d in poster.ledger.of_kind(DocumentKind.CREDIT_MEMO)]


def test_five_hours_corrected_to_four(poster: Poster) -> None:
    posted(poster)
    change(poster, "4")
    invoice, memo = poster.documents()
    assert (memo.kind, memo.total, memo.status) == (
        DocumentKind.CREDIT_MEMO,
        Decimal("150.00"),
        DocumentStatus.POSTED,
    )
    assert memo.credits_document_id == invoice.document_id
    (line,) = memo.lines
    assert line.credits_line_id == invoice.lines[0].line_id
    assert (line.quantity, line.unit_price, line.billed_seconds) == (1, Decimal("150.00"), 3600)
    assert memo.document_date == date(2026, 4, 2)
    assert poster.net_billed() == Decimal("600.00")
    assert poster.ledger.writes[-1].applies_to_ledger_id == "1"
    assert [w.kind for w in poster.ledger.writes] == [WriteKind.CREATE] * 2, "no in-place edit"
    assert poster.bill().documents == []


def test_an_entry_deleted_after_posting(poster: Poster) -> None:
    posted(poster)
    poster.withdraw("a")
    poster.settle()
    assert (credits(poster), poster.net_billed()) == ([Decimal("750.00")], Decimal(0))
    assert poster.states() == {}
    assert poster.bill().documents == []
    invoice = poster.documents()[0]
    assert invoice.lines[0].charge_ids == ()
    assert invoice.total == Decimal("750.00")


def test_a_deletion_of_one_entry_of_many(poster: Poster) -> None:
    poster.charge(*(make_charge(c, hours("1")) for c in "abc"))
    poster.bill()
    poster.post()
    poster.withdraw("b")
    poster.settle()
    assert credits(poster) == [Decimal("150.00")]
    assert poster.states() == {"a": "billed", "c": "billed"}


def test_the_same_change_delivered_many_times_is_credited_once(poster: Poster) -> None:
    posted(poster)
    event = poster.changed("a", [make_charge("a", hours("4"))], revision=2)
    for _ in range(5):
        poster.feed(event)
        poster.settle()
    assert credits(poster) == [Decimal("150.00")]


def test_successive_changes_settle_at_the_last(poster: Poster) -> None:
    posted(poster)
    for revision, length in ((2, "4"), (3, "2"), (4, "3")):
        change(poster, length, revision)
    assert credits(poster) == [Decimal("150.00"), Decimal("300.00")]
    assert [d.total for d in poster.bill().documents] == [Decimal("150.00")]
    poster.post()
    assert poster.net_billed() == Decimal("450.00")


def test_more_work_goes_on_the_next_invoice(poster: Poster) -> None:
    posted(poster)
    change(poster, "6")
    assert len(poster.documents()) == 1
    poster.bill()
    poster.post()
    invoice, supplement = poster.documents()
    (line,) = supplement.lines
    assert (supplement.total, line.supplements_line_id) == (
        Decimal("150.00"),
        invoice.lines[0].line_id,
    )
    assert line.charge_ids == ()
    assert line.description.startswith("Addition to HB-1")
    change(poster, "5", 3)
    assert (credits(poster), poster.net_billed()) == ([Decimal("150.00")], Decimal("750.00"))


def test_a_supplement_not_yet_billed_follows_the_changes(poster: Poster) -> None:
    posted(poster)
    change(poster, "6", 2)
    change(poster, "7", 3)
    change(poster, "5", 4)
    assert poster.rows("SELECT * FROM supplement") == []
    assert poster.bill().documents == []


def test_a_new_rate_credits_and_bills_again_exactly_once(poster: Poster) -> None:
    posted(poster)
    change(poster, "5", rate="140.00")
    assert credits(poster) == [Decimal("750.00")]
    assert [d.total for d in poster.bill().documents] == [Decimal("700.00")]
    assert poster.bill().documents == []
    poster.post()
    assert poster.net_billed() == Decimal("700.00")


def test_work_that_moves_to_another_client(poster: Poster) -> None:
    posted(poster)
    change(poster, "5", client="Bolt")
    assert credits(poster) == [Decimal("750.00")]
    (document,) = poster.bill().documents
    assert (document.client, document.total) == ("Bolt", Decimal("750.00"))


def test_a_new_mapping_of_posted_work_changes_nothing(poster: Poster) -> None:
    posted(poster)
    poster.configure(2)
    poster.charge(make_charge("a", hours("5"), rate="200.00"), mapping=2)
    poster.settle()
    assert (credits(poster), len(poster.documents())) == ([], 1)


def test_a_deleted_entry_that_comes_back_is_billable_again(poster: Poster) -> None:
    posted(poster)
    poster.withdraw("a", revision=2)
    poster.settle()
    change(poster, "5", 3)
    assert [d.total for d in poster.bill().documents] == [Decimal("750.00")]


def test_a_draft_is_assembled_again(poster: Poster) -> None:
    poster.charge(*(make_charge(c, hours("1"), invoicing=DRAFTS) for c in "ab"))
    poster.bill()
    change(poster, "3", invoicing=DRAFTS)
    first, second = poster.documents()
    assert (first.status, second.status) == (DocumentStatus.WITHDRAWN, DocumentStatus.DRAFT)
    assert second.total == Decimal("600.00")
    poster.withdraw("a", revision=3)
    poster.withdraw("b")
    poster.settle()
    assert [d.status for d in poster.documents()] == ["withdrawn"] * 2
    assert poster.ledger.writes == []


def test_an_invoice_not_sent_yet_is_assembled_again(poster: Poster) -> None:
    poster.charge(make_charge("a", hours("5")))
    poster.bill()
    change(poster, "4")
    first, second = poster.documents()
    assert (first.status, second.status) == (DocumentStatus.WITHDRAWN, DocumentStatus.POSTED)
    assert (poster.net_billed(), credits(poster)) == (Decimal("600.00"), [])


def test_a_parked_invoice_is_assembled_again_under_a_new_mapping(poster: Poster) -> None:
    poster.ledger.faults = [rejected("610")]
    posted(poster)
    poster.configure(2)
    poster.charge(make_charge("a", hours("5"), client="Acme Ltd"), mapping=2)
    poster.settle()
    assert poster.documents()[0].status is DocumentStatus.WITHDRAWN
    (document,) = poster.bill().documents
    assert document.client == "Acme Ltd"


@pytest.mark.parametrize("took_effect", [True, False])
def test_a_change_while_the_outcome_is_unknown_waits_for_it(
    poster: Poster, took_effect: bool
) -> None:
    poster.ledger.faults = [Lost(took_effect)]
    posted(poster)
    poster.charge(make_charge("a", hours("4")), revision=2)
    poster.parts.corrector.run_due()
    assert len(poster.documents()) == 1
    poster.clock.step(minutes=1)
    poster.settle()
    assert (credits(poster), poster.net_billed()) == ([Decimal("150.00")], Decimal("600.00"))


def test_a_crash_during_a_correction_changes_nothing(poster: Poster) -> None:
    posted(poster)
    poster.charge(make_charge("a", hours("4")), revision=2)
    faults.arm(f"{fault_points.CORRECTION_ASSEMBLED}=raise")
    poster.parts.corrector.run_due()
    faults.arm("")
    assert len(poster.documents()) == 1
    poster.settle()
    assert credits(poster) == [Decimal("150.00")]


def test_a_fee_is_credited_when_the_last_work_of_its_term_goes(poster: Poster) -> None:
    poster.charge(*(make_charge(c, rate=None, flat_fee=fee()) for c in "ab"))
    poster.bill()
    poster.post()
    poster.withdraw("a")
    poster.settle()
    assert credits(poster) == []
    poster.withdraw("b")
    poster.settle()
    assert credits(poster) == [Decimal("420.00")]
    poster.charge(make_charge("c", rate=None, flat_fee=fee()))
    assert [d.total for d in poster.bill().documents] == [Decimal("420.00")]


def test_credit_memos_of_drafting_clients_are_drafts(poster: Poster) -> None:
    poster.charge(make_charge("a", hours("5"), invoicing=DRAFTS))
    poster.bill()
    poster.parts.decisions.release(poster.document().document_id, Decision("ann"))
    poster.post()
    change(poster, "4", invoicing=DRAFTS)
    assert poster.documents()[-1].status is DocumentStatus.DRAFT
    assert credits(poster) == []


# --- in place -------------------------------------------------------------------------------


@pytest.fixture
def in_place(poster: Poster) -> Poster:
    poster.feed(configured(2, clients=(in_place_for("Acme"),)))
    return poster


def test_an_update_in_place(in_place: Poster) -> None:
    posted(in_place)
    change(in_place, "4")
    document = in_place.document()
    assert (document.total, document.status) == (Decimal("600.00"), DocumentStatus.POSTED)
    assert document.posted is not None
    assert document.posted.edit_token == "1"
    assert (credits(in_place), in_place.net_billed()) == ([], Decimal("600.00"))
    change(in_place, "6", 3)
    assert in_place.document().total == Decimal("900.00")


def test_a_line_that_loses_its_work_goes_and_the_rest_stays(in_place: Poster) -> None:
    in_place.charge(make_charge("a", hours("5")), make_charge("b", hours("1"), staff="Ben"))
    in_place.bill()
    in_place.post()
    in_place.withdraw("a")
    in_place.settle()
    document = in_place.document()
    assert [line.charge_ids for line in document.lines] == [("b",)]
    assert in_place.net_billed() == Decimal("150.00")
    assert in_place.states() == {"b": "billed"}


@pytest.mark.parametrize(
    "what_happened",
    [
        {"email_status": "EmailSent"},
        {"open_balance": Decimal("10.00")},
        {"private_note": "edited by hand"},
        {"is_void": True},
    ],
    ids=str,
)
def test_what_somebody_has_seen_paid_or_edited_is_credited_instead(
    in_place: Poster, what_happened: dict[str, object]
) -> None:
    posted(in_place)
    if "private_note" in what_happened:
        in_place.ledger.edit("1", **what_happened)
    else:
        held = in_place.ledger.held["1"]
        in_place.ledger.held["1"] = replace(held, **what_happened)  # type: ignore[arg-type]
    before = in_place.ledger.held["1"]
    change(in_place, "4")
    assert credits(in_place) == [Decimal("150.00")]
    assert in_place.ledger.held["1"] == before, "edits of others are never overwritten"
    assert in_place.documents()[0].status is DocumentStatus.POSTED


def test_a_closed_period_is_credited_instead(in_place: Poster) -> None:
    posted(in_place)
    in_place.ledger.closed = date(2026, 3, 31)
    in_place.clock.step(minutes=5)
    change(in_place, "4")
    assert credits(in_place) == [Decimal("150.00")]


def test_a_deleted_entry_of_a_one_line_invoice_is_credited(in_place: Poster) -> None:
    posted(in_place)
    in_place.withdraw("a")
    in_place.settle()
    assert credits(in_place) == [Decimal("750.00")]


@pytest.mark.parametrize("took_effect", [True, False])
def test_an_update_without_an_answer(in_place: Poster, took_effect: bool) -> None:
    in_place.ledger.remembers_keys = False
    posted(in_place)
    in_place.ledger.faults = [Lost(took_effect)]
    change(in_place, "4")
    assert (in_place.document().total, in_place.net_billed()) == (
        Decimal("600.00"),
        Decimal("600.00"),
    )
    assert credits(in_place) == []


# --- credited in full, by a person or by policy ---------------------------------------------


def test_a_mapping_that_came_too_late_holds_after_the_credit(poster: Poster) -> None:
    posted(poster)
    poster.configure(2)
    poster.charge(make_charge("a", hours("5"), rate="145.00"), mapping=2)
    poster.settle()
    assert credits(poster) == []
    poster.parts.decisions.credit(poster.document().document_id, Decision("ann", "wrong rate"))
    poster.settle()
    assert credits(poster) == [Decimal("750.00")]
    assert [d.total for d in poster.bill().documents] == [Decimal("725.00")]
    assert poster.bill().documents == []


def test_a_mapping_without_charges_holds_after_the_credit(poster: Poster) -> None:
    posted(poster)
    poster.configure(2)
    poster.withdraw("a", revision=1, mapping=2)
    poster.parts.decisions.credit(poster.document().document_id, Decision("ann"))
    poster.settle()
    assert (poster.states(), poster.bill().documents) == ({}, [])


def test_an_invoice_is_credited_once(poster: Poster) -> None:
    posted(poster)
    invoice = poster.document().document_id
    poster.parts.decisions.credit(invoice, Decision("ann"))
    with pytest.raises(NotPossible, match="credited already"):
        poster.parts.decisions.credit(invoice, Decision("ann"))
    poster.settle()
    memo = poster.documents()[-1]
    with pytest.raises(NotPossible, match="only posted invoices"):
        poster.parts.decisions.credit(memo.document_id, Decision("ann"))


@pytest.mark.parametrize(("length", "total"), [("4", "600.00"), ("7", "1050.00")])
def test_a_change_credits_and_bills_again_where_the_policy_says_so(
    poster: Poster, length: str, total: str
) -> None:
    poster.feed(configured(2, corrections=CorrectionPolicy(mode="credit_and_rebill")))
    posted(poster)
    change(poster, length)
    assert credits(poster) == [Decimal("750.00")]
    assert [d.total for d in poster.documents()] == [
        Decimal("750.00"),
        Decimal("750.00"),
        Decimal(total),
    ]
    assert poster.net_billed() == Decimal(total)
    assert poster.bill().documents == []


def test_the_last_of_the_hours_is_only_credited(poster: Poster) -> None:
    poster.feed(configured(2, corrections=CorrectionPolicy(mode="credit_and_rebill")))
    posted(poster)
    poster.withdraw("a")
    poster.settle()
    assert (credits(poster), len(poster.documents())) == ([Decimal("750.00")], 2)
