"""What waits for a person: numbers that are taken, bills that changed, suspected doubles."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common.book import LedgerReference
from hourbridge.common.errors import LedgerUnavailable
from hourbridge.common.messages.events import Document, DocumentKind
from hourbridge.common.runtime.admin import NotFound, RequestInvalid
from hourbridge.common.store.engine import Store
from hourbridge.connectors.ledger import Capabilities, LedgerDocument, LedgerEntity
from hourbridge.poster.group_store import BillingScope
from tests.support.charges import hours
from tests.support.faulty_ledger import MemoryLedger
from tests.support.payables import owed_expense, owed_time
from tests.support.posting import BOOK, MARCH_31, Poster

DAY = date(2026, 3, 2)


class FeedLedger(MemoryLedger):
    """A ledger in which others enter card expenses and bills."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False
        self.vendors = {"7": "Hotel Post", "8": "Taxi Blau"}

    @property
    def capabilities(self) -> Capabilities:
        kinds = frozenset({DocumentKind.VENDOR_BILL, DocumentKind.VENDOR_CREDIT})
        feed = frozenset({DocumentKind.CREDIT_CARD_CHARGE})
        return replace(super().capabilities, document_kinds=kinds, read_only_kinds=feed)

    def documents(self, *arguments: Any) -> Any:
        if self.is_away:
            raise LedgerUnavailable("maintenance")
        for found in super().documents(*arguments):
            note = found.private_note or ""
            yield replace(found, is_ours=found.is_ours or note.startswith("hourbridge:"))

    def resolve(self, kind: str, reference: LedgerReference) -> LedgerEntity | None:
        found = [
            (key, name)
            for key, name in self.vendors.items()
            if reference.id == key or reference.name == name
        ]
        return LedgerEntity(kind, *found[0]) if found else None

    def enter(self, total: str, *, vendor_id: str | None = "7", **changes: Any) -> None:
        values: dict[str, Any] = {
            "ledger_id": f"x{len(self.held)}",
            "kind": DocumentKind.CREDIT_CARD_CHARGE,
            "number": None,
            "customer_id": None,
            "currency": "USD",
            "document_date": DAY,
            "total": Decimal(total),
            "open_balance": None,
            "edit_token": "0",
            "email_status": None,
            "lines": (),
            "vendor_id": vendor_id,
        }
        made = LedgerDocument(**{**values, **changes})
        self.held[made.ledger_id] = made


@pytest.fixture
def ledger() -> FeedLedger:
    return FeedLedger()


@pytest.fixture
def poster(store: Store, ledger: FeedLedger) -> Poster:
    poster = Poster(store, ledger)
    poster.configure()
    return poster


def bill(poster: Poster) -> list[Document]:
    made = poster.parts.bills.bill(BillingScope(BOOK, MARCH_31))
    poster.settle()
    return made


def parked(poster: Poster) -> list[dict[str, Any]]:
    return poster.parts.status.parked(BOOK, 100)


def decide(poster: Poster, choice: str | None) -> dict[str, Any]:
    [waiting] = parked(poster)
    answer = poster.parts.payable_decisions.decide(waiting["id"], choice, actor="otto", note="")
    poster.settle()
    return answer


# --- numbers of the vendor's own ----------------------------------------------------------------


def test_a_number_gathers_the_lines_of_the_vendors_bill(poster: Poster) -> None:
    poster.charge(
        owed_expense("a", "400.00", number="R-7", description="Room"),
        owed_expense("b", "55.00", number="R-7", description="Dinner", work_date=date(2026, 2, 27)),
        owed_expense("c", "9.00", description="No number"),
    )
    numbered = [d for d in bill(poster) if d.vendor_bill_number]
    assert [(d.vendor_bill_number, d.total) for d in numbered] == [("R-7", Decimal("455.00"))]
    assert (numbered[0].document_date, numbered[0].period) == (DAY, None)


def test_a_number_that_stands_takes_no_second_bill(poster: Poster) -> None:
    poster.charge(owed_expense("a", "400.00", number="R-7"))
    bill(poster)
    poster.charge(owed_expense("b", "420.00", number="R-7"))
    assert bill(poster) == []
    assert bill(poster) == []
    [waiting] = parked(poster)
    assert (waiting["code"], waiting["kind"]) == ("vendor_bill_number_taken", "payable")
    assert waiting["subject"] == "Hotel Post R-7"
    assert "over 400.00 USD" in waiting["detail"]
    assert "over 420.00 USD" in waiting["detail"]
    assert (waiting["matched"]["standing"], waiting["matched"]["stated"]) == (
        "400.00 USD",
        "420.00 USD",
    )
    with pytest.raises(RequestInvalid, match="kept or duplicate"):
        decide(poster, "distinct")
    decide(poster, "duplicate")
    assert (parked(poster), bill(poster)) == ([], [])


def test_the_same_line_twice_before_any_bill(poster: Poster) -> None:
    poster.charge(owed_expense("a", "400.00", number="R-7"))
    poster.charge(owed_expense("b", "420.00", number="R-7"))
    made = bill(poster)
    assert [d.total for d in made] == [Decimal("400.00")]
    assert [row["code"] for row in parked(poster)] == ["vendor_bill_number_taken"]


def test_numbers_are_the_vendors_own(poster: Poster) -> None:
    poster.charge(
        owed_expense("a", "400.00", number="R-7"),
        owed_expense("b", "420.00", number="R-7", vendor="Taxi Blau"),
    )
    assert sorted(d.total for d in bill(poster)) == [Decimal("400.00"), Decimal("420.00")]


def test_a_number_put_right_at_the_source_goes_on_by_itself(poster: Poster) -> None:
    poster.charge(owed_expense("a", "400.00", number="R-7"))
    bill(poster)
    poster.charge(owed_expense("b", "420.00", number="R-7"))
    bill(poster)
    poster.charge(owed_expense("b", "420.00", number="R-8"), revision=2)
    assert [d.vendor_bill_number for d in bill(poster)] == ["R-8"]
    assert parked(poster) == []


@pytest.mark.parametrize(
    ("choice", "standing"), [("kept", ["400.00"]), ("new", ["400.00", "20.00"])]
)
def test_a_posted_bill_of_the_vendors_changes_only_if_a_person_says_so(
    poster: Poster, choice: str, standing: list[str]
) -> None:
    poster.charge(owed_expense("a", "400.00", number="R-7"))
    bill(poster)
    poster.charge(owed_expense("a", "420.00", number="R-7"), revision=2)
    poster.settle()
    [waiting] = parked(poster)
    assert waiting["code"] == "vendor_bill_changed"
    assert (waiting["matched"]["standing"], waiting["matched"]["stated"]) == (
        "400.00 USD",
        "420.00 USD",
    )
    decide(poster, choice)
    poster.charge(owed_expense("a", "420.00", number="R-7"), revision=3)
    poster.settle()
    assert [str(d.total) for d in poster.documents()] == standing
    assert parked(poster) == []


def test_a_bill_taken_back_frees_its_number(poster: Poster) -> None:
    poster.charge(owed_expense("a", "400.00", number="R-7"))
    [made] = bill(poster)
    with poster.store.transaction() as connection:
        held = poster.parts.documents.lock(connection, made.document_id)
        poster.parts.corrector.credit_in_full(connection, held)
    poster.settle()
    assert [d.vendor_bill_number for d in bill(poster)] == ["R-7"]
    assert [str(d.total) for d in poster.documents()] == ["400.00", "400.00", "400.00"]


# --- doubles in the ledger ----------------------------------------------------------------------


def test_what_a_card_feed_has_is_not_posted_until_a_person_says_so(
    poster: Poster, ledger: FeedLedger
) -> None:
    ledger.enter("61.20")
    poster.charge(owed_expense("a", "51.00", tax="10.20"), owed_expense("b", "12.00"))
    assert [d.total for d in bill(poster)] == [Decimal("12.00")]
    [waiting] = parked(poster)
    assert waiting["code"] == "suspected_duplicate"
    assert "61.20 USD of 2026-03-02" in waiting["detail"]
    assert bill(poster) == []
    answer = decide(poster, "distinct")
    assert answer["documents"] == ["HBB-2"]
    assert [d.total for d in poster.documents()] == [Decimal("12.00"), Decimal("61.20")]
    assert bill(poster) == []
    assert parked(poster) == []


def test_a_double_is_never_posted(poster: Poster, ledger: FeedLedger) -> None:
    ledger.enter("45.00")
    poster.charge(owed_expense("a"))
    bill(poster)
    with pytest.raises(RequestInvalid, match="needs a decision"):
        decide(poster, None)
    decide(poster, "duplicate")
    assert (bill(poster), parked(poster)) == ([], [])
    with pytest.raises(NotFound):
        poster.parts.payable_decisions.decide("a", "distinct", actor="otto", note="")


@pytest.mark.parametrize(
    ("entered", "is_suspect"),
    [
        ({}, True),
        ({"vendor_id": None}, True),
        ({"vendor_id": "8"}, True),  # the expense's own text names the taxi
        ({"kind": DocumentKind.VENDOR_BILL}, True),
        ({"document_date": date(2026, 3, 3)}, False),
        ({"total": "45.01"}, False),
        ({"currency": "EUR"}, False),
        ({"is_void": True}, False),
        ({"is_ours": True}, False),
    ],
)
def test_same_day_amount_and_payee(
    poster: Poster, ledger: FeedLedger, entered: dict[str, Any], is_suspect: bool
) -> None:
    ledger.enter(**{"total": "45.00", **entered})
    poster.charge(owed_expense("a", description="taxi blau to the airport"))
    assert (bill(poster) == []) is is_suspect


def test_another_payee_is_no_double(poster: Poster, ledger: FeedLedger) -> None:
    ledger.enter("45.00", vendor_id="8")
    poster.charge(owed_expense("a", description="Room"))
    assert len(bill(poster)) == 1


def test_a_suspicion_that_went_away_goes_on_by_itself(poster: Poster, ledger: FeedLedger) -> None:
    ledger.enter("45.00")
    poster.charge(owed_expense("a"))
    bill(poster)
    ledger.held.clear()
    assert (len(bill(poster)), parked(poster)) == (1, [])


def test_expenses_wait_while_the_ledger_cannot_be_read(poster: Poster, ledger: FeedLedger) -> None:
    ledger.is_away = True
    poster.charge(owed_expense("a"), owed_time("b", hours("1"), vendor="Hotel Post"))
    assert [d.total for d in bill(poster)] == [Decimal("75.00")]
    ledger.is_away = False
    assert [d.total for d in bill(poster)] == [Decimal("45.00")]
