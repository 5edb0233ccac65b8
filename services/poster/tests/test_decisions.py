"""What people decide: release, withdraw, restore."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from hourbridge.common.book import InvoicingPolicy
from hourbridge.common.messages.events import DocumentKind, DocumentStatus
from hourbridge.common.runtime.admin import NotFound
from hourbridge.connectors.ledger import WriteKind
from hourbridge.poster.decisions import Decision, NotPossible
from tests.support.charges import hours, make_charge
from tests.support.faulty_ledger import Lost, rejected
from tests.support.posting import Poster

ANN = Decision("ann", "checked")
DRAFTS = InvoicingPolicy(status="draft")
JANUARY_15, FEBRUARY_1 = date(2026, 1, 15), date(2026, 2, 1)


def bill_one(poster: Poster, **changes: object) -> str:
    poster.charge(make_charge("a", hours("5"), **changes))
    poster.bill()
    return poster.document().document_id


def test_a_released_draft_is_posted(poster: Poster) -> None:
    document_id = bill_one(poster, invoicing=DRAFTS)
    assert poster.parts.decisions.release(document_id, ANN).status is DocumentStatus.POSTING
    poster.post()
    assert poster.document().status is DocumentStatus.POSTED
    (entry,) = poster.rows("SELECT * FROM audit WHERE action = 'document.released'")
    assert (entry.actor, entry.detail["note"]) == ("ann", "checked")


def test_a_withdrawn_draft_frees_its_work(poster: Poster) -> None:
    document_id = bill_one(poster, invoicing=DRAFTS)
    assert poster.parts.decisions.withdraw(document_id, ANN).status is DocumentStatus.WITHDRAWN
    assert poster.states() == {"a": "unbilled"}
    assert len(poster.bill().documents) == 1


def test_an_approved_date_posts_into_the_open_period(poster: Poster) -> None:
    poster.ledger.closed = date(2026, 1, 31)
    document_id = bill_one(poster, work_date=JANUARY_15)
    poster.post()
    poster.parts.decisions.release(document_id, ANN)
    poster.post()
    document = poster.document()
    assert (document.status, document.document_date) == ("posted", FEBRUARY_1)
    assert document.lines[0].service_date == JANUARY_15
    assert document.due_date == date(2026, 3, 3)
    (write,) = poster.ledger.writes
    assert write.document.document_date == FEBRUARY_1


def test_a_reopened_period_can_be_named_instead(poster: Poster) -> None:
    poster.ledger.closed = date(2026, 1, 31)
    document_id = bill_one(poster, work_date=JANUARY_15)
    poster.post()
    poster.ledger.closed = None
    poster.clock.step(minutes=5)
    poster.parts.decisions.release(document_id, ANN, document_date=date(2026, 1, 31))
    poster.post()
    assert poster.document().document_date == date(2026, 1, 31)


def test_what_was_refused_is_sent_again_under_the_same_key(poster: Poster) -> None:
    poster.ledger.faults = [rejected("610")]
    document_id = bill_one(poster)
    poster.post()
    poster.parts.decisions.release(document_id, ANN)
    poster.post()
    assert poster.document().status is DocumentStatus.POSTED
    first, second = poster.ledger.writes
    assert first.operation_key == second.operation_key


def test_a_taken_number_is_replaced(poster: Poster) -> None:
    bill_one(poster)
    poster.post()
    poster.ledger.edit("1", number="HB-2")
    poster.charge(make_charge("b"))
    (document,) = poster.bill().documents
    poster.post()
    poster.parts.decisions.release(document.document_id, ANN)
    poster.post()
    assert [d.number for d in poster.documents("posted")] == ["HB-1", "HB-3"]


def test_a_parked_write_that_may_have_happened_is_searched_first(poster: Poster) -> None:
    poster.ledger.remembers_keys = False
    document_id = bill_one(poster)
    poster.ledger.faults = [Lost(took_effect=False)] * 11 + [Lost(took_effect=True)]
    for _ in range(13):
        poster.post()
        poster.clock.step(minutes=10)
    with pytest.raises(NotPossible):
        poster.parts.decisions.withdraw(document_id, ANN)
    poster.parts.decisions.release(document_id, ANN)
    poster.post()
    assert poster.document().status is DocumentStatus.POSTED
    assert len(poster.ledger.of_kind(DocumentKind.INVOICE)) == 1


def test_an_edit_in_the_ledger_is_undone_on_command(poster: Poster) -> None:
    document_id = bill_one(poster)
    poster.post()
    poster.ledger.edit("1", total=Decimal("725.00"), lines=())
    restored = poster.parts.decisions.restore(document_id, ANN)
    assert (restored.status, restored.generation) == ("posting", 2)
    poster.post()
    assert poster.ledger.held["1"].total == Decimal("750.00")
    document = poster.document()
    assert document.posted is not None
    assert (document.status, document.posted.generation) == ("posted", 2)
    assert document.posted.edit_token == "2"
    assert poster.ledger.writes[-1].kind is WriteKind.UPDATE


@pytest.mark.parametrize("remembers_keys", [True, False])
def test_a_deleted_document_is_made_again_on_command(poster: Poster, remembers_keys: bool) -> None:
    """The ledger would answer the first key with the object that is gone; ours is a new one."""
    poster.ledger.remembers_keys = remembers_keys
    document_id = bill_one(poster)
    poster.post()
    poster.ledger.delete("1")
    poster.parts.decisions.restore(document_id, ANN)
    poster.post()
    document = poster.document()
    assert document.posted is not None
    assert (document.number, document.posted.ledger_id) == ("HB-1", "2")
    first, second = poster.ledger.writes
    assert first.operation_key != second.operation_key


def test_nothing_is_written_where_nothing_was_changed(poster: Poster) -> None:
    document_id = bill_one(poster)
    poster.post()
    poster.parts.decisions.restore(document_id, ANN)
    poster.post()
    assert len(poster.ledger.writes) == 1
    assert poster.document().status is DocumentStatus.POSTED


@pytest.mark.parametrize("edited", [True, False])
@pytest.mark.parametrize("took_effect", [True, False])
def test_a_restore_without_an_answer(poster: Poster, edited: bool, took_effect: bool) -> None:
    poster.ledger.remembers_keys = False
    document_id = bill_one(poster)
    poster.post()
    if edited:
        poster.ledger.edit("1", total=Decimal("1.00"))
    else:
        poster.ledger.delete("1")
    poster.ledger.faults = [Lost(took_effect)]
    poster.parts.decisions.restore(document_id, ANN)
    poster.settle()
    assert poster.document().status is DocumentStatus.POSTED
    assert poster.net_billed() == Decimal("750.00")
    assert len(poster.ledger.held) == 1


def test_what_is_not_possible_is_refused(poster: Poster) -> None:
    document_id = bill_one(poster)
    for decide in (
        poster.parts.decisions.release,
        poster.parts.decisions.restore,
        poster.parts.decisions.withdraw,
    ):
        with pytest.raises(NotPossible):
            decide(document_id, ANN)
    with pytest.raises(NotFound):
        poster.parts.decisions.release("unknown", ANN)
