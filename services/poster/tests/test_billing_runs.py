"""Billing runs: they wait until the flow is complete, and then bill once."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from hourbridge.common import faults
from hourbridge.common.book import InvoicingPolicy
from hourbridge.common.errors import TransientFailure
from hourbridge.common.runtime.admin import NotFound
from hourbridge.poster import fault_points
from hourbridge.poster.billing_runs import BillRequest
from tests.support.charges import hours, make_charge, minutes, rounding
from tests.support.posting import BOOK, MARCH_31, Poster


def asked(poster: Poster, sequence: int = 0) -> str:
    return poster.parts.runs.ask(BillRequest(BOOK, MARCH_31, sequence), "ann")


def automatic(grouping: str) -> InvoicingPolicy:
    return InvoicingPolicy.model_validate({"grouping": grouping, "automatic": True})


def test_a_run_waits_for_hours_in_flight(poster: Poster) -> None:
    poster.charge(make_charge("a"))
    run_id = asked(poster, sequence=2)
    assert poster.parts.runs.perform_open() == 0
    assert poster.parts.runs.show(run_id)["waits_for"] == "sequence:2"
    poster.charge(make_charge("b"))
    assert poster.parts.runs.perform_open() == 1
    shown = poster.parts.runs.show(run_id)
    assert (shown["state"], shown["documents"]) == ("completed", 1)
    assert shown["totals"] == [{"currency": "USD", "total": "300.00"}]
    assert poster.parts.runs.perform_open() == 0


def test_a_run_waits_for_the_configuration_that_its_charges_were_made_with(
    poster: Poster,
) -> None:
    poster.charge(make_charge("a"), mapping=2)
    run_id = asked(poster)
    poster.parts.runs.perform_open()
    assert poster.parts.runs.show(run_id)["waits_for"] == "configuration:2"
    assert poster.parts.runs.preview(BillRequest(BOOK, MARCH_31))["documents"] == 0
    poster.configure(2)
    assert poster.parts.runs.perform_open() == 1


def test_a_run_that_was_interrupted_is_finished(poster: Poster) -> None:
    poster.charge(make_charge("a"), make_charge("b", client="Bolt"))
    run_id = asked(poster)
    faults.arm(f"{fault_points.DOCUMENTS_COMMITTED}=raise")
    with pytest.raises(TransientFailure):
        poster.parts.runs.perform_open()
    faults.arm("")
    assert poster.parts.runs.perform_open() == 1
    assert poster.parts.runs.show(run_id)["state"] == "completed"
    assert len(poster.documents()) == 2


def test_nothing_to_bill_is_said(poster: Poster) -> None:
    run_id = asked(poster)
    poster.parts.runs.perform_open()
    assert poster.parts.runs.show(run_id)["state"] == "nothing_to_bill"
    with pytest.raises(NotFound):
        poster.parts.runs.show("unknown")


def test_a_dry_run_shows_what_would_be_billed(poster: Poster) -> None:
    poster.charge(make_charge("a", hours("2")), make_charge("b", minutes(2), rounding=rounding(15)))
    answer = poster.parts.runs.preview(BillRequest(BOOK, MARCH_31))
    assert (answer["state"], answer["documents"], answer["waits_for"]) == ("dry_run", 1, None)
    assert [row["total"] for row in answer["would_bill"]] == ["300.00"]
    assert answer["leaked_seconds"] == minutes(2)
    assert poster.documents() == []


# --- automatic ------------------------------------------------------------------------------


def test_entries_are_billed_as_they_come(poster: Poster) -> None:
    poster.charge(make_charge("a", invoicing=automatic("entry")), make_charge("b"))
    assert poster.parts.automatic.run() == 1
    assert poster.parts.automatic.run() == 0
    assert poster.states() == {"a": "billed", "b": "unbilled"}


def test_a_period_is_billed_when_it_is_over_in_the_books_zone(poster: Poster) -> None:
    poster.clock.instant = datetime(2026, 4, 1, 3, 59, tzinfo=UTC)  # still March in New York
    poster.charge(
        make_charge("march", work_date=MARCH_31, invoicing=automatic("client_month")),
        make_charge("april", work_date=date(2026, 4, 1), invoicing=automatic("client_month")),
        make_charge("quarter", work_date=MARCH_31, invoicing=automatic("client_quarter")),
        make_charge("asked", work_date=MARCH_31, invoicing=automatic("client_on_demand")),
    )
    poster.clock.instant = datetime(2026, 4, 1, 3, 59, 59, tzinfo=UTC)
    assert poster.parts.automatic.run() == 0
    poster.clock.step(minutes=5)
    assert poster.parts.automatic.run() == 2
    assert [name for name, state in sorted(poster.states().items()) if state == "unbilled"] == [
        "april",
        "asked",
    ]


def test_a_period_is_not_billed_while_its_hours_still_arrive(poster: Poster) -> None:
    policy = automatic("client_month")
    poster.charge(make_charge("a", invoicing=policy))
    assert poster.parts.automatic.run() == 0, "changed a moment ago"
    poster.clock.step(minutes=5)
    poster.sequence += 1
    poster.charge(make_charge("c", invoicing=policy))
    poster.clock.step(minutes=5)
    assert poster.parts.automatic.run() == 0, "a number is missing"
    poster.sequence = 1
    poster.charge(make_charge("b", invoicing=policy))
    poster.clock.step(minutes=5)
    assert poster.parts.automatic.run() == 1
    assert [d.total for d in poster.documents()] == [Decimal("450.00")]


def test_automatic_billing_waits_for_the_configuration(poster: Poster) -> None:
    poster.charge(make_charge("a", invoicing=automatic("entry")), mapping=2)
    assert poster.parts.automatic.run() == 0
    poster.configure(2)
    assert poster.parts.automatic.run() == 1


def test_two_processes_perform_a_run_once(poster: Poster) -> None:
    """While one performs it, another passes it by; both say the same of it afterwards."""
    poster.charge(*(make_charge(f"c{i}", client=f"C{i}") for i in range(12)))
    run_id = asked(poster)
    start = threading.Barrier(2)
    performed: list[int] = []

    def run() -> None:
        runs = poster.process().runs
        start.wait()
        performed.append(runs.perform_open())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(performed) == [0, 1]
    shown = poster.parts.runs.show(run_id)
    assert (shown["state"], shown["documents"]) == ("completed", 12)
