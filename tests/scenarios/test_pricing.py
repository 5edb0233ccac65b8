"""Scenarios A01 to A10: from hours to quantities and amounts, rule by rule.

Each is run twice: the second time must change nothing.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.scenarios.office import Office, configuration
from tests.scenarios.pricing import (
    MINUTE,
    connect,
    lines,
    open_book,
    total,
    totals_of,
    twice,
    worked,
)

pytestmark = [pytest.mark.broker, pytest.mark.database]

HALF_UP_AND_UP = [
    (step, mode, scope)
    for step in (6, 15)
    for mode in ("half_up", "up")
    for scope in ("entry", "day")
]
TIE_MODES = ("half_up", "half_even", "half_down", "up", "down")


def test_a01_three_entries_make_one_invoice(bare_office: Office) -> None:
    office = bare_office
    clients = {
        "exact": {"rounding": {"increment_seconds": 60}},
        "quarters": {"rounding": {"increment_seconds": 900}},
        "tenths": {},
    }
    connect(office, clients)
    open_book(office, clients, dict.fromkeys(clients, "120.00"))

    def play() -> None:
        lengths = (60, 150, 45)
        for client in clients:
            office.report(*(worked(client, n, m * MINUTE) for n, m in enumerate(lengths)))
        office.bill()

    def check() -> None:
        assert totals_of(office, clients) == {
            "exact": "510.00",
            "quarters": "510.00",
            "tenths": "516.00",
        }
        assert [len(office.documents_of(client)) for client in clients] == [1, 1, 1]
        hours = sum(Decimal(line["quantity"]) for line in lines(office, "exact"))
        assert hours == Decimal("4.25")
        assert office.balances(client="exact") == {
            "receivable": Decimal("510.00"),
            "revenue": Decimal("-510.00"),
        }
        assert office.poster_status()["charges"] == {"billed": 9}
        assert office.reconcile() == []

    twice(play, check)


def test_a02_step_mode_and_scope_decide(bare_office: Office) -> None:
    office = bare_office
    clients = {
        f"{step} {mode} {scope}": {
            "rounding": {"increment_seconds": step * MINUTE, "mode": mode, "scope": scope}
        }
        for step, mode, scope in HALF_UP_AND_UP
    }
    connect(office, clients)
    open_book(office, clients)

    def play() -> None:
        for client in clients:
            office.report(*(worked(client, n, 7 * MINUTE) for n in range(5)))
        office.bill()

    def check() -> None:
        assert totals_of(office, clients) == {
            "6 half_up entry": "75.00",
            "6 half_up day": "90.00",
            "6 up entry": "150.00",
            "6 up day": "90.00",
            "15 half_up entry": "0",
            "15 half_up day": "75.00",
            "15 up entry": "187.50",
            "15 up day": "112.50",
        }
        assert office.documents_of("15 half_up entry") == []
        (leak,) = office.passed_by()
        assert (leak["client"], leak["cause"]) == ("15 half_up entry", "below_step")
        assert (leak["charges"], leak["seconds"], leak["amount"]) == (5, 35 * MINUTE, "87.50")

    twice(play, check)


def test_a03_exact_ties_and_a04_exact_multiples(bare_office: Office) -> None:
    office = bare_office
    policies = {
        mode: {"rounding": {"increment_seconds": 15 * MINUTE, "mode": mode}} for mode in TIE_MODES
    }
    clients = {f"{what} {mode}": policies[mode] for what in ("tie", "exact") for mode in TIE_MODES}
    connect(office, clients)
    open_book(office, clients, dict.fromkeys(clients, "100.00"))

    def play() -> None:
        for mode in TIE_MODES:
            office.report(worked(f"tie {mode}", 1, 450), worked(f"tie {mode}", 2, 1350))
            office.report(
                worked(
                    f"exact {mode}",
                    1,
                    60 * MINUTE,
                    start_at="2026-01-15T13:30:00-05:00",
                    end_at="2026-01-15T14:30:00-05:00",
                ),
                worked(f"exact {mode}", 2, 15 * MINUTE),
            )
        office.bill()

    def check() -> None:
        amounts = ["75.00", "50.00", "25.00", "75.00", "25.00"]
        assert [str(total(office, f"tie {mode}")) for mode in TIE_MODES] == amounts
        for mode in TIE_MODES:
            billed = sorted(line["billed_seconds"] for line in lines(office, f"exact {mode}"))
            assert billed == [15 * MINUTE, 60 * MINUTE]
            assert not any(line["roundings"] for line in lines(office, f"exact {mode}"))

    twice(play, check)


def test_a05_quantities_exact_or_at_two_decimals(bare_office: Office) -> None:
    office = bare_office
    clients = {
        "exact": {"rounding": {"increment_seconds": 60}},
        "decimal2": {"rounding": {"increment_seconds": 60, "quantity_decimals": 2}},
    }
    connect(office, clients)
    open_book(office, clients, dict.fromkeys(clients, "100.00"))

    def play() -> None:
        office.report(*(worked(client, 1, 50 * MINUTE) for client in clients))
        office.bill()

    def check() -> None:
        assert totals_of(office, clients) == {"exact": "83.33", "decimal2": "83.00"}
        (exact,), (cut,) = lines(office, "exact"), lines(office, "decimal2")
        assert exact["description"].endswith("(0:50 h)")
        assert cut["description"].endswith("(0:50 h billed as 0.83 h)")
        (step,) = cut["roundings"]
        assert (step["step"], step["policy"]) == ("quantity", "client:decimal2 v1")
        assert (Decimal(step["before"]), Decimal(step["after"])) == (3000, 2988)

    twice(play, check)


def test_a06_merging_lines_decides_a_cent(bare_office: Office) -> None:
    office = bare_office
    rounding = {"increment_seconds": 60}
    clients = {
        "entry": {"rounding": rounding, "invoicing": {"lines": "entry"}},
        "task": {"rounding": rounding, "invoicing": {"lines": "task"}},
    }
    connect(office, clients)
    open_book(office, clients, dict.fromkeys(clients, "27.50"))

    def play() -> None:
        for client in clients:
            office.report(*(worked(client, n, 15 * MINUTE) for n in range(2)))
        office.bill()

    def check() -> None:
        assert totals_of(office, clients) == {"entry": "13.76", "task": "13.75"}
        assert office.reconcile() == []
        path = "/v1/books/office/reports/totals"
        bridge = {row["client"]: row for row in office.client.get("reconciler", path)["pricing"]}
        assert bridge["entry"]["line_grouping"] == "0.00"
        assert bridge["task"]["line_grouping"] == "-0.01"

    twice(play, check)


def test_a07_residues_are_carried_over_split_invoices(bare_office: Office) -> None:
    office = bare_office
    rounding = {"increment_seconds": 60, "quantity_decimals": 2}
    clients = {
        "split": {"rounding": rounding, "invoicing": {"grouping": "entry", "lines": "entry"}},
        "one": {"rounding": rounding, "invoicing": {"grouping": "client_month", "lines": "entry"}},
    }
    connect(office, clients)
    open_book(office, clients, dict.fromkeys(clients, "100.00"))

    def play() -> None:
        for client in clients:
            for day, minutes in enumerate((15, 50, 225, 75, 35), start=5):
                when = f"2026-01-{day:02}"
                office.report(worked(client, day, minutes * MINUTE, day=when))
        office.bill()

    def check() -> None:
        invoices = office.documents_of("split")
        assert len(invoices) == 5
        quantities = sorted(
            (line["service_date"], line["quantity"]) for line in lines(office, "split")
        )
        assert [q for _, q in quantities] == ["0.25", "0.83", "3.75", "1.25", "0.59"]
        billed = sorted((line["service_date"], line["amount"]) for line in lines(office, "split"))
        assert [a for _, a in billed] == ["25.00", "83.00", "375.00", "125.00", "59.00"]
        assert totals_of(office, clients) == {"split": "667.00", "one": "667.00"}

    twice(play, check)


def test_a08_a_minimum_has_two_readings(bare_office: Office) -> None:
    office = bare_office
    minimum = {"increment_seconds": 360, "mode": "up", "minimum_seconds": 900}
    clients = {
        "exempt": {"rounding": minimum},
        "rounded": {"rounding": {**minimum, "minimum_exempt_from_increment": False}},
    }
    connect(office, clients)
    open_book(office, clients)

    def play() -> None:
        office.report(
            *(worked("exempt", m, m * MINUTE, day=f"2026-01-{20 - m:02}") for m in (3, 16, 0))
        )
        office.report(worked("rounded", 3, 3 * MINUTE))
        office.bill()

    def check() -> None:
        exempt = {line["worked_seconds"]: line for line in lines(office, "exempt")}
        assert exempt.keys() == {3 * MINUTE, 16 * MINUTE}
        shown = [(exempt[m * MINUTE]["quantity"], exempt[m * MINUTE]["amount"]) for m in (3, 16)]
        assert shown == [("0.25", "37.50"), ("0.30", "45.00")]
        (rounded,) = lines(office, "rounded")
        assert (rounded["quantity"], rounded["amount"]) == ("0.30", "45.00")

    twice(play, check)


def test_a09_a_currency_without_minor_units(bare_office: Office) -> None:
    office = bare_office
    connect(office, ["Kyoto"], customer_currencies={"Kyoto": "JPY"})
    office.import_rates("2026-01-30", USD="1.1919", JPY="183.59")
    book = configuration(
        clients=[{"client": "Kyoto", "customer": {"name": "Kyoto"}, "currency": "JPY"}],
        projects=[],
        rates={"rules": [{"amount": "1235", "currency": "JPY"}]},
        invoicing={"grouping": "client_on_demand", "lines": "entry"},
    )
    office.configure(book)

    def play() -> None:
        office.report(worked("Kyoto", 1, 5400))
        office.bill("2026-01-30")

    def check() -> None:
        (invoice,) = office.documents_of("Kyoto")
        assert (invoice["currency"], invoice["total"]) == ("JPY", "1853")
        assert (invoice["document_date"], invoice["base_total"]) == ("2026-01-30", "12.03")
        step = invoice["lines"][0]["roundings"][0]
        assert (step["step"], step["unit"], step["before"]) == ("money", "1 JPY", "1852.5")
        assert invoice["status"] == "posted"
        assert office.balances() == {
            "receivable": Decimal("12.03"),
            "revenue": Decimal("-12.03"),
        }

    twice(play, check)


def test_a10_a_currency_with_three_decimals_is_never_cut(bare_office: Office) -> None:
    office = bare_office
    connect(office, ["Souq"], currency="KWD")
    book = configuration(
        currency="KWD",
        clients=[{"client": "Souq", "customer": {"name": "Souq"}}],
        projects=[],
        rates={"rules": [{"amount": "12.345"}]},
        rounding={"increment_seconds": 1, "quantity_decimals": 4},
    )
    office.configure(book)

    def play() -> None:
        office.report(worked("Souq", 1, 4000))
        office.bill()

    def check() -> None:
        (invoice,) = office.documents_of("Souq")
        (line,) = invoice["lines"]
        assert (line["quantity"], line["unit_price"]) == ("1.1111", "12.345")
        assert (invoice["currency"], invoice["total"]) == ("KWD", "13.717")
        assert (invoice["status"], invoice["reason"]["code"]) == ("parked", "currency_precision")
        assert office.invoices() == []

    twice(play, check)
