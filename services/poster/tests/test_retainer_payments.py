"""What sources state of retainers: receipts and refunds, changed and taken back."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hourbridge.common import faults
from hourbridge.common.book import Workflow
from tests.support.charges import make_charge
from tests.support.posting import Poster
from tests.support.retainers import (
    APRIL_30,
    applied,
    entries,
    invoice,
    pay,
    prepare,
    proof,
    settle,
    shown,
)


def test_a_payment_becomes_a_receipt_and_its_changes_move_the_difference(poster: Poster) -> None:
    prepare(poster)
    assert pay(poster, "p1", "300.00", reference="cheque 7") is None
    settle(poster)
    (receipt,) = entries(poster)
    assert (receipt.total, receipt.memo) == (Decimal("300.00"), "Retainer main received: cheque 7")
    assert pay(poster, "p1", "340.00", reference="cheque 7") is None
    assert pay(poster, "p1", "310.00", reference="cheque 7") is None
    settle(poster)
    assert [d.total for d in entries(poster)] == [300, 40, 30]
    assert shown(poster)["receipts"] == 310
    assert pay(poster, "p1", "310.00", payment_date=date(2026, 1, 9)) is None
    settle(poster)
    assert (shown(poster)["receipts"], shown(poster)["balance"]) == (310, 310)
    assert pay(poster, "p1", None) is None
    settle(poster)
    assert shown(poster)["balance"] == 0
    proof(poster)


def test_a_receipt_that_was_used_is_not_taken_back(poster: Poster) -> None:
    prepare(poster)
    pay(poster, "p1", "300.00")
    settle(poster)
    invoice(poster, "a", "200.00", date(2026, 2, 10))
    for amount in ("150.00", None):
        reason = pay(poster, "p1", amount)
        assert reason is not None
        assert reason.code == "retainer_spent"
        assert "100.00 of it is left" in reason.detail
    assert pay(poster, "p1", "220.00") is None
    settle(poster)
    assert shown(poster)["balance"] == 20


def test_refunds_that_a_source_states(poster: Poster) -> None:
    prepare(poster)
    pay(poster, "p1", "300.00")
    settle(poster)
    refund = {"purpose": "retainer_refund", "payment_date": date(2026, 2, 1)}
    reason = pay(poster, "p2", "300.01", **refund)
    assert reason is not None
    assert reason.code == "retainer_exceeded"
    assert pay(poster, "p2", "120.00", **refund) is None
    settle(poster)
    assert shown(poster)["balance"] == 180
    assert pay(poster, "p2", "20.00", **refund) is None
    settle(poster)
    assert (shown(poster)["balance"], shown(poster)["refunds"]) == (280, 20)
    proof(poster)


def test_what_has_no_retainer_waits(poster: Poster) -> None:
    prepare(poster)
    for changes in ({"engagement": "other"}, {"engagement": None}, {"customer": None}):
        reason = pay(poster, "p1", "5.00", **changes)
        assert reason is not None
        assert reason.code == "retainer_unknown"
    assert pay(poster, "p1", "5.00") is None
    reason = pay(poster, "p2", "5.00", currency="EUR")
    assert reason is not None
    assert reason.code == "retainer_currency"


def test_a_crash_before_the_commit_moves_nothing(poster: Poster) -> None:
    prepare(poster)
    pay(poster, "p1", "300.00")
    settle(poster)
    poster.charge(
        make_charge(
            "a",
            rate="120.00",
            work_date=date(2026, 2, 10),
            retainer="main",
            workflow=Workflow.RETAINER,
        )
    )
    poster.bill(APRIL_30)
    poster.settle()
    faults.arm("poster.retainer_moved=raise")
    assert poster.parts.retainers.keeper.run_due() == 0
    faults.arm("")
    assert applied(poster) == []
    for _ in range(2):
        settle(poster)
        assert applied(poster) == [Decimal("120.00")]
