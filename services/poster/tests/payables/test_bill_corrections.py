"""Posted bills whose charges change: credits and further bills, hold-back and tax with them."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hourbridge.common.messages.events import Charge, Document, DocumentKind
from hourbridge.poster.billing_runs import BillRequest
from hourbridge.poster.decisions import Decision
from hourbridge.poster.group_store import BillingScope
from tests.support.charges import hours
from tests.support.faulty_ledger import MemoryLedger
from tests.support.payables import owed_expense, owed_time
from tests.support.posting import BOOK, MARCH_31, Poster

NAMES = itertools.count()
BILL, CREDIT = DocumentKind.VENDOR_BILL, DocumentKind.VENDOR_CREDIT


def posted(poster: Poster, *charges: Charge) -> Document:
    poster.charge(*charges)
    bill(poster)
    return poster.documents()[0]


def bill(poster: Poster) -> None:
    poster.parts.bills.bill(BillingScope(BOOK, MARCH_31))
    poster.settle()


def change(poster: Poster, *charges: Charge, revision: int = 2) -> None:
    poster.charge(*charges, revision=revision)
    poster.settle()


def shown(poster: Poster) -> list[tuple[DocumentKind, str]]:
    return [(document.kind, str(document.total)) for document in poster.documents()]


def owed_in_ledger(ledger: MemoryLedger) -> Decimal:
    bills = sum((d.total for d in ledger.of_kind(BILL)), Decimal(0))
    return bills - sum((d.total for d in ledger.of_kind(CREDIT)), Decimal(0))


def test_less_work_is_credited_with_its_holdback(poster: Poster) -> None:
    original = posted(poster, owed_time("a", hours("8"), holdback_percent="10"))
    change(poster, owed_time("a", hours("6"), holdback_percent="10"))
    assert shown(poster) == [(BILL, "540.00"), (CREDIT, "135.00")]
    credit = poster.documents()[1]
    assert [line.amount for line in credit.lines] == [Decimal("150.00"), Decimal("-15.00")]
    assert credit.credits_document_id == original.document_id
    assert credit.memo == f"Credit to {original.number}"
    change(poster, owed_time("a", hours("6"), holdback_percent="10"), revision=3)
    assert len(poster.documents()) == 2


def test_more_work_is_a_further_bill_that_is_due_as_late(poster: Poster) -> None:
    posted(poster, owed_time("a", hours("8"), due_days=20))
    change(poster, owed_time("a", hours("9"), due_days=20))
    assert shown(poster) == [(BILL, "600.00"), (BILL, "75.00")]
    further = poster.documents()[1]
    assert further.document_date == date(2026, 4, 2)
    assert further.due_date == date(2026, 4, 22)
    change(poster, owed_time("a", hours("7"), due_days=20), revision=3)
    assert shown(poster)[2:] == [(CREDIT, "150.00")]


def test_recovered_tax_goes_with_its_cost(poster: Poster, ledger: MemoryLedger) -> None:
    posted(poster, owed_expense("a", "100.00", tax="20.00"), owed_expense("b", "10.00", tax="2.00"))
    change(poster, owed_expense("a", "50.00", tax="10.00"))
    credit = poster.documents()[1]
    assert (credit.kind, credit.total) == (CREDIT, Decimal("60.00"))
    assert [line.amount for line in credit.lines] == [Decimal("50.00"), Decimal("10.00")]
    poster.withdraw("a", "b", revision=3)
    poster.settle()
    assert owed_in_ledger(ledger) == 0


def test_another_rate_takes_the_work_to_another_bill(poster: Poster) -> None:
    posted(poster, owed_time("a", hours("8")))
    change(poster, owed_time("a", hours("8"), cost="80.00"))
    assert shown(poster) == [(BILL, "600.00"), (CREDIT, "600.00")]
    assert poster.states() == {"a": "unbilled"}
    bill(poster)
    assert shown(poster)[2:] == [(BILL, "640.00")]


def test_deleted_work_is_credited_whole(poster: Poster, ledger: MemoryLedger) -> None:
    posted(
        poster,
        owed_time("a", 1000, holdback_percent="3"),
        owed_time("b", 500, holdback_percent="3"),
    )
    poster.withdraw("a")
    poster.settle()
    poster.withdraw("b")
    poster.settle()
    assert owed_in_ledger(ledger) == 0
    assert poster.states() == {}


def test_what_says_the_same_changes_nothing(poster: Poster) -> None:
    posted(poster, owed_time("a", hours("8"), description="one"))
    change(poster, owed_time("a", hours("8"), description="two"))
    assert shown(poster) == [(BILL, "600.00")]


def test_a_run_that_is_undone_takes_its_bills_back(poster: Poster, ledger: MemoryLedger) -> None:
    poster.charge(owed_time("a", hours("8"), holdback_percent="10"))
    run_id = poster.parts.runs.ask(BillRequest(BOOK, MARCH_31), "otto")
    poster.parts.runs.perform_open()
    poster.settle()
    poster.parts.undo.undo(run_id, Decision("otto", "wrong month"))
    poster.settle()
    assert shown(poster) == [(BILL, "540.00"), (CREDIT, "540.00")]
    assert poster.states() == {"a": "unbilled"}
    bill(poster)
    assert owed_in_ledger(ledger) == Decimal("540.00")


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(st.lists(st.integers(0, 20_000), min_size=3, max_size=3), min_size=2, max_size=4)
)
def test_bills_and_credits_net_to_what_is_owed_now(
    poster: Poster, ledger: MemoryLedger, steps: list[list[int]]
) -> None:
    """However work changes after posting, vendor and hold-back end where a new bill would."""
    name = f"n{next(NAMES)}"
    before = owed_in_ledger(ledger)
    for revision, worked in enumerate(steps, start=1):
        charges = [
            owed_time(f"{name}-{at}", seconds, holdback_percent="7.5", client=name, vendor=name)
            for at, seconds in enumerate(worked)
        ]
        poster.charge(*charges, revision=revision)
        poster.settle()
        bill(poster)
    exact = Decimal(sum(steps[-1])) * 75 / 3600
    work = exact.quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
    held = (work * Decimal("0.075")).quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
    assert owed_in_ledger(ledger) - before == work - held
