"""Unbilled hours and money, leakage, and what is not leakage."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from hourbridge.common.messages.events import DocumentStatus, MappingOutcome
from hourbridge.reconciler.unbilled import unbilled_report
from tests.support.charges import fee, hours, make_expense, minutes, rounding
from tests.support.reconciling import BOOK, accepted, changed, charge_set, charged, document, line

pytestmark = pytest.mark.database

TODAY = date(2026, 4, 1)


def report(bench: Any, *, today: date = TODAY, after_days: int = 30) -> dict[str, Any]:
    with bench.store.transaction() as connection:
        return unbilled_report(connection, BOOK, today=today, leakage_after_days=after_days)


def post(bench: Any, charge_id: str, quantity: str) -> None:
    invoice = document(f"doc-{charge_id}", [line(1, [charge_id], quantity)])
    bench.feed(changed(bench.ledger.post(invoice)))


def test_120_hours_of_which_112_and_a_half_are_billed(bench: Any) -> None:
    """A62: leakage 7.5 h, 6.25 %, 1,125.00, by client and project."""
    bench.feed(charged("r1", 1, hours("112.5")), charged("r2", 2, hours("7.5"), project="P2"))
    post(bench, "r1", "112.5")

    told = report(bench, after_days=0)

    assert told["unbilled_hours"] == "7.50"
    assert told["unbilled"] == [
        {
            "currency": "USD",
            "charges": 1,
            "seconds": 27_000,
            "hours": "7.50",
            "amount": "1125.00",
        }
    ]
    assert (told["charged"][0]["hours"], told["charged"][0]["amount"]) == ("120.00", "18000.00")
    assert told["billed"][0]["hours"] == "112.50"
    (total,) = told["leakage"]
    assert (total["hours"], total["percent"], total["amount"]) == ("7.50", "6.25", "1125.00")
    (row,) = told["leakage_rows"]
    assert (row["client"], row["project"], row["percent"]) == ("Acme", "P2", "100.00")


def test_parked_and_skipped_are_told_apart_and_are_not_leakage(bench: Any) -> None:
    bench.feed(
        accepted("r1", 1),
        charge_set("r1", [1], outcome=MappingOutcome.PARKED, code="no_mapping", seconds=3600),
        accepted("r2", 2, 1800),
        charge_set("r2", [2], outcome=MappingOutcome.SKIPPED, code="non_billable", seconds=1800),
        accepted("r3", 3, 900),
    )

    told = report(bench, after_days=0)

    assert (told["unbilled"], told["leakage"]) == ([], [])
    assert [(row["code"], row["hours"]) for row in told["parked"]] == [("no_mapping", "1.00")]
    assert [(row["code"], row["hours"]) for row in told["skipped"]] == [("non_billable", "0.50")]
    assert told["in_flight"] == {"records": 1, "seconds": 900, "hours": "0.25"}


def test_a_draft_is_neither_billed_nor_unbilled_and_a_withdrawn_one_frees_its_work(
    bench: Any,
) -> None:
    bench.feed(charged("r1", 1))
    draft = document("doc-1", [line(1, ["r1"], "1")], status=DocumentStatus.DRAFT)
    bench.feed(changed(draft))
    assert report(bench)["unbilled"] == []
    assert report(bench)["in_documents"][0]["hours"] == "1.00"

    withdrawn = {"status": DocumentStatus.WITHDRAWN, "version": 2}
    bench.feed(changed(draft.model_copy(update=withdrawn)))
    assert report(bench)["unbilled"][0]["hours"] == "1.00"


@pytest.mark.parametrize(
    ("day", "age"),
    [
        (date(2026, 4, 1), "0-30"),
        (date(2026, 3, 2), "0-30"),
        (date(2026, 3, 1), "31-60"),
        (date(2026, 1, 31), "31-60"),
        (date(2026, 1, 30), "61-90"),
        (date(2025, 12, 31), "over_90"),
    ],
)
def test_age_counts_from_the_day_of_work(bench: Any, day: date, age: str) -> None:
    bench.feed(charged("r1", 1, work_date=day))
    assert report(bench)["rows"][0]["age"] == age


def test_work_of_the_month_that_still_runs_is_not_due(bench: Any) -> None:
    bench.feed(charged("r1", 1, work_date=TODAY), charged("r2", 2))
    assert {row["why"] for row in report(bench)["rows"]} == {"not_due", "past_due"}
    assert report(bench)["leakage"] == []


def test_five_seven_minute_entries_below_half_a_step_are_leakage_at_once(bench: Any) -> None:
    """A02: step 15, half up, per entry: nothing to invoice, 35 min (87.50) lost."""
    for number in range(1, 6):
        bench.feed(charged(f"r{number}", number, minutes(7), rounding=rounding(15)))
    told = report(bench, today=date(2026, 3, 3))
    (row,) = told["rows"]
    assert (row["why"], row["seconds"], row["amount"]) == ("below_half_step", 35 * 60, "87.50")
    assert told["leakage"][0]["amount"] == "87.50"


def test_a_flat_fee_counts_once_per_term_until_it_is_billed(bench: Any) -> None:
    monthly: dict[str, Any] = {"flat_fee": fee("420"), "rate": None}
    for number in (1, 2, 3):
        bench.feed(charged(f"r{number}", number, **monthly))
    bench.feed(charged("r4", 4, work_date=date(2026, 2, 2), **monthly))
    assert report(bench)["unbilled"][0]["amount"] == "840.00"

    post(bench, "r1", "1")
    (row,) = report(bench)["unbilled"]
    assert (row["amount"], row["charges"]) == ("420.00", 3)


def test_expenses_and_currencies_are_kept_apart(bench: Any) -> None:
    bench.feed(
        accepted("e1", 1),
        charge_set("e1", [1], [make_expense("e1", "45.00")], record_type="expense"),
        charged("r2", 2, currency="EUR"),
    )
    amounts = {row["currency"]: row["amount"] for row in report(bench)["unbilled"]}
    assert amounts == {"EUR": "150.00", "USD": "45.00"}


def test_a_charge_that_left_its_line_is_unbilled_again(bench: Any) -> None:
    bench.feed(charged("r1", 1))
    post(bench, "r1", "1")
    left = line(1, ["r1"], "1").model_copy(update={"charge_ids": ()})
    stated = document("doc-r1", [left], version=3)
    bench.feed(changed(bench.ledger.post(stated)))
    assert report(bench)["unbilled"][0]["hours"] == "1.00"
