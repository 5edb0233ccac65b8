"""The gate: drafts selected, released, rejected; and runs undone as a whole, exactly once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common import faults
from hourbridge.common.book import InvoicingPolicy, ReviewPolicy
from hourbridge.common.messages.events import DocumentKind, DocumentStatus
from hourbridge.common.runtime.admin import NotFound
from hourbridge.poster import fault_points
from hourbridge.poster.billing_runs import BillRequest
from hourbridge.poster.decisions import Decision, NotPossible
from hourbridge.poster.review.selections import Wanted
from tests.support.charges import fee, hours, make_charge, make_expense
from tests.support.faulty_ledger import Lost
from tests.support.posting import BOOK, MARCH_31, Poster

pytestmark = pytest.mark.database
WHY = Decision("rita", "looked at")
ALL = Wanted(BOOK)
GATED = ReviewPolicy(kinds=("invoice", "credit_memo"))
AUTOMATIC = InvoicingPolicy(automatic=True)


def run(poster: Poster, through: date = MARCH_31) -> str:
    run_id = poster.parts.runs.ask(BillRequest(BOOK, through), "otto")
    poster.parts.runs.perform_open()
    return run_id


def statuses(poster: Poster) -> dict[str, str]:
    return {d.number: d.status.value for d in poster.documents()}


@pytest.fixture
def gated(poster: Poster) -> Poster:
    poster.configure(2, review=GATED)
    return poster


# --- the gate ---------------------------------------------------------------------------------


def test_a_gated_kind_waits_and_is_posted_once_released(gated: Poster) -> None:
    gated.charge(make_charge("a", hours("2")), make_charge("b", hours("1"), client="Birch"))
    gated.bill()
    assert gated.post() == 0
    assert set(statuses(gated).values()) == {"draft"}
    for _ in range(2):
        gated.parts.reviews.release(ALL, WHY)
        gated.post()
        assert set(statuses(gated).values()) == {"posted"}
        assert gated.net_billed() == Decimal("450.00")


def test_kinds_that_the_policy_does_not_name_go_on_at_once(poster: Poster) -> None:
    poster.configure(2, review=ReviewPolicy(kinds=("credit_memo",)))
    poster.charge(make_charge("a", hours("2")))
    poster.bill()
    poster.post()
    assert statuses(poster) == {"HB-1": "posted"}
    poster.charge(make_charge("a", hours("1")), revision=2)
    poster.settle()
    assert statuses(poster) == {"HB-1": "posted", "HB-2": "draft"}
    poster.parts.reviews.release(ALL, WHY)
    poster.post()
    assert poster.net_billed() == Decimal("150.00")


def test_a_selection_holds_for_the_version_that_was_seen(gated: Poster) -> None:
    gated.charge(make_charge("a", hours("2")), make_charge("b", hours("1"), client="Birch"))
    gated.bill()
    reviews = gated.parts.reviews
    assert reviews.select(Wanted(BOOK, client="Acme"), WHY)["new"] == 1
    (drafted,) = reviews.waiting(Wanted(BOOK, selected=True), 10)
    assert (drafted["client"], drafted["selected_by"]) == ("Acme", "rita")
    gated.charge(make_charge("a", hours("3")), revision=2)
    gated.settle()
    assert reviews.waiting(Wanted(BOOK, selected=True), 10) == []
    assert reviews.release(Wanted(BOOK, selected=True), WHY) == {"documents": []}
    assert gated.post() == 0


def test_releasing_the_selected_leaves_the_others(gated: Poster) -> None:
    gated.charge(make_charge("a", hours("2")), make_charge("b", hours("1"), client="Birch"))
    gated.bill()
    reviews = gated.parts.reviews
    reviews.select(ALL, WHY)
    assert reviews.clear(Wanted(BOOK, client="Birch"), WHY)["cleared"] == 1
    reviews.release(Wanted(BOOK, selected=True), WHY)
    gated.post()
    by_client = {d.client: d.status for d in gated.documents()}
    assert by_client == {"Acme": DocumentStatus.POSTED, "Birch": DocumentStatus.DRAFT}


def test_warnings_are_listed_with_the_draft(gated: Poster) -> None:
    charges = [
        make_expense("e1", "45.00", warnings=("receipt_missing",)),
        make_expense("e2", "5.00", warnings=("receipt_missing", "description_thin")),
    ]
    gated.charge(*charges)
    gated.bill()
    (draft,) = gated.parts.reviews.waiting(ALL, 10)
    assert draft["warnings"] == {"receipt_missing": 2, "description_thin": 1}


def test_rejected_work_waits_until_somebody_asks(gated: Poster) -> None:
    gated.charge(make_charge("a", hours("2"), invoicing=AUTOMATIC))
    gated.bill()
    gated.parts.reviews.reject(ALL, WHY)
    assert gated.states() == {"a": "unbilled"}
    gated.clock.step(seconds=7200)
    assert gated.parts.automatic.run() == 0
    assert gated.bill(automatic=True).documents == []
    assert [d.total for d in gated.bill().documents] == [Decimal("300.00")]


def test_rejected_work_that_changes_is_billed_by_itself_again(gated: Poster) -> None:
    gated.charge(make_charge("a", hours("2"), invoicing=AUTOMATIC))
    gated.bill()
    gated.parts.reviews.reject(ALL, WHY)
    gated.charge(make_charge("a", hours("3"), invoicing=AUTOMATIC), revision=2)
    assert [d.total for d in gated.bill(automatic=True).documents] == [Decimal("450.00")]


def test_a_draft_that_is_none_any_more_is_named(gated: Poster) -> None:
    gated.charge(make_charge("a", hours("2")))
    gated.bill()
    gated.parts.reviews.release(ALL, WHY)
    with pytest.raises(NotFound) as refusal:
        gated.parts.reviews.reject(Wanted(BOOK, ("HB-1",)), WHY)
    assert refusal.value.ids["numbers"] == "HB-1"


# --- undo -------------------------------------------------------------------------------------


def undone(poster: Poster, run_id: str) -> dict[str, Any]:
    poster.parts.undo.undo(run_id, WHY)
    poster.settle()
    poster.parts.undo.perform_open()
    poster.settle()
    return poster.parts.undo.show(run_id)


def test_drafts_of_a_run_are_withdrawn(gated: Poster) -> None:
    gated.charge(make_charge("a", hours("2")), make_charge("b", hours("1"), client="Birch"))
    shown = undone(gated, run(gated))
    assert shown["state"] == "undone"
    assert {row["outcome"] for row in shown["documents"]} == {"withdrawn"}
    assert gated.states() == {"a": "unbilled", "b": "unbilled"}
    assert gated.post() == 0


def test_posted_documents_are_credited_in_full_and_their_work_is_free_once(poster: Poster) -> None:
    poster.charge(make_charge("a", hours("2.3")), make_charge("b", hours("1")))
    run_id = run(poster)
    poster.settle()
    for _ in range(2):
        shown = undone(poster, run_id)
        assert (shown["state"], shown["documents"][0]["outcome"]) == ("undone", "credited")
        assert poster.net_billed() == Decimal(0)
        assert poster.states() == {"a": "unbilled", "b": "unbilled"}
        assert len(poster.ledger.of_kind(DocumentKind.CREDIT_MEMO)) == 1
    again = run(poster)
    poster.settle()
    assert poster.net_billed() == Decimal("495.00")
    undone(poster, again)
    assert poster.net_billed() == Decimal(0)


def test_only_what_still_stands_is_credited(poster: Poster) -> None:
    poster.charge(make_charge("a", hours("4")), make_charge("b", hours("1"), task="Other"))
    run_id = run(poster)
    poster.post()
    poster.charge(make_charge("a", hours("3")), revision=2)
    poster.withdraw("b")
    poster.settle()
    assert poster.net_billed() == Decimal("450.00")
    undone(poster, run_id)
    assert poster.net_billed() == Decimal(0)
    credits = [d.total for d in poster.ledger.of_kind(DocumentKind.CREDIT_MEMO)]
    assert sorted(credits) == [Decimal("300.00"), Decimal("450.00")]


def test_a_supplement_of_another_document_is_owed_again(poster: Poster) -> None:
    poster.charge(make_charge("a", hours("2")))
    run(poster)
    poster.post()
    poster.charge(make_charge("a", hours("3")), revision=2)
    poster.settle()
    second = run(poster)
    poster.settle()
    assert poster.net_billed() == Decimal("450.00")
    undone(poster, second)
    assert poster.net_billed() == Decimal("300.00")
    run(poster)
    poster.settle()
    assert poster.net_billed() == Decimal("450.00")


def test_a_fixed_fee_can_be_billed_again(poster: Poster) -> None:
    poster.charge(make_charge("a", hours("2"), flat_fee=fee("420"), rate=None))
    run_id = run(poster)
    poster.settle()
    undone(poster, run_id)
    assert poster.net_billed() == Decimal(0)
    run(poster)
    poster.settle()
    assert poster.net_billed() == Decimal("420.00")


def test_quantity_residues_of_an_undone_run_are_forgotten(poster: Poster) -> None:
    rounding = {"increment_seconds": 1, "quantity_decimals": 2}
    poster.charge(make_charge("a", 50 * 60, rate="100.00", rounding=rounding))
    for _ in range(3):
        run_id = run(poster)
        poster.settle()
        assert poster.net_billed() == Decimal("83.00")
        undone(poster, run_id)


def test_what_is_on_its_way_is_undone_when_the_ledger_has_answered(poster: Poster) -> None:
    poster.ledger.faults = [Lost(took_effect=True)]
    poster.charge(make_charge("a", hours("2")))
    run_id = run(poster)
    poster.post()
    assert poster.parts.undo.undo(run_id, WHY)["state"] == "undoing"
    assert poster.states() == {"a": "billed"}
    shown = undone(poster, run_id)
    assert (shown["state"], poster.net_billed()) == ("undone", Decimal(0))


def test_a_crash_in_between_changes_nothing_about_the_end(poster: Poster) -> None:
    poster.charge(make_charge("a", hours("2")), make_charge("b", hours("1"), client="Birch"))
    run_id = run(poster)
    poster.settle()
    faults.arm(f"{fault_points.RUN_UNDONE}=raise")
    shown = poster.parts.undo.undo(run_id, WHY)
    assert [row["outcome"] for row in shown["documents"]] == ["credited", "waiting"]
    faults.arm("")
    shown = undone(poster, run_id)
    assert [row["outcome"] for row in shown["documents"]] == ["credited", "credited"]
    assert poster.net_billed() == Decimal(0)
    assert len(poster.ledger.of_kind(DocumentKind.CREDIT_MEMO)) == 2


def test_undone_work_is_left_alone_by_automatic_billing(poster: Poster) -> None:
    poster.charge(make_charge("a", hours("2"), invoicing=AUTOMATIC))
    undone(poster, run(poster))
    assert poster.bill(automatic=True).documents == []
    assert len(poster.bill().documents) == 1


def test_a_run_that_does_not_exist_or_was_not_performed(poster: Poster) -> None:
    with pytest.raises(NotFound):
        poster.parts.undo.undo("nope", WHY)
    waiting = poster.parts.runs.ask(BillRequest(BOOK, MARCH_31, sequence=10_000), "otto")
    with pytest.raises(NotPossible):
        poster.parts.undo.undo(waiting, WHY)
