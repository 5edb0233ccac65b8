"""Scenarios A18 to A21: retainers, from the money received to the last cent applied.

Each is run twice: the second time must change nothing.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.cli.client import ServiceRefused
from tests.scenarios.office import BOOK, CUSTOMERS, Office, configuration, entry

pytestmark = [pytest.mark.broker, pytest.mark.database]

RETAINERS = f"/v1/books/{BOOK}/retainers"
MAIN = {"client": "Acme", "engagement": "main"}


def money(text: str) -> Decimal:
    return Decimal(text)


def retained(*, currency: str | None = None, **policy: Any) -> dict[str, Any]:
    """Return the scenarios' configuration with a retainer of Acme's; one invoice per entry."""
    acme: dict[str, Any] = {
        "client": "Acme",
        "customer": {"name": "Acme"},
        "workflow": "retainer",
        "retainer": {"engagement": "main", **policy},
        **({"currency": currency} if currency else {}),
    }
    return configuration(
        clients=[acme],
        projects=[],
        rates={"use_source_rate": True, "rules": []},
        invoicing={"grouping": "entry", "lines": "entry"},
    )


def work(external_id: str, day: str, amount: str, currency: str = "USD") -> dict[str, Any]:
    """Return an hour of work at that price."""
    rate = {"amount": amount, "currency": currency}
    return entry(external_id, "1.00", day=day, bill_rate=rate)


def receive(office: Office, amount: str, day: str, currency: str = "USD") -> None:
    fields = {"purpose": "retainer", "engagement": "main", "currency": currency}
    answer = office.pay("r1", amount, day, **fields)
    assert [item["status"] for item in answer["events"]] in (["accepted"], ["duplicate"])


def log(office: Office) -> dict[str, Any]:
    """Return the monthly log; the sub-ledger must equal the account to the cent."""
    found: dict[str, Any] = office.client.get("poster", f"{RETAINERS}/log", through="2026-12-31")
    assert found["agrees"], found["proof"]
    return found


def ask(office: Office, action: str, **request: Any) -> Any:
    answer = office.client.post("poster", f"{RETAINERS}/{action}", {**MAIN, **request})
    office.settle()
    return answer["documents"]


def applications(office: Office) -> list[Decimal]:
    shown = office.client.get("poster", f"{RETAINERS}/show", **MAIN)
    return [-Decimal(m["amount"]) for m in shown["movements"] if m["kind"] == "application"]


def open_in_ledger(office: Office) -> list[Decimal]:
    """Return the open balance of each invoice in the ledger, by number."""
    rows = sorted(office.ledger("Invoice"), key=lambda row: row["DocNumber"])
    return [Decimal(row["Balance"]) for row in rows]


def test_a18_a_retainer_pays_two_invoices(bare_office: Office) -> None:
    office = bare_office
    office.connect()
    office.configure(retained())
    for _ in range(2):
        receive(office, "5000.00", "2026-01-05")
        office.report(work("e1", "2026-02-02", "3200.00"))
        office.bill("2026-02-28")
        office.report(work("e2", "2026-03-02", "2500.00"))
        office.bill("2026-03-31")
        deposits = [
            office.balances(through).get("customer_deposits", Decimal(0))
            for through in ("2026-01-31", "2026-02-28", "2026-03-31")
        ]
        assert deposits == [money("-5000.00"), money("-1800.00"), 0]
        assert office.balances("2026-02-28").get("receivable", 0) == 0
        assert office.balances() == {
            "bank": money("5000.00"),
            "receivable": money("700.00"),
            "revenue": money("-5700.00"),
        }
        assert [Decimal(row["closing"]) for row in log(office)["months"][:3]] == [5000, 1800, 0]
        assert open_in_ledger(office) == [0, money("700.00")]
        ledger = office.ledger_balances()
        assert "Customer Deposits" not in ledger
        assert ledger["Accounts Receivable (A/R)"] == money("700.00")
    assert office.reconcile() == []


def test_a19_no_more_than_the_invoice_and_the_balance_allow(bare_office: Office) -> None:
    office = bare_office
    office.connect()
    office.configure(retained(automatic=False))
    receive(office, "1000.00", "2026-01-05")
    office.report(work("e1", "2026-02-02", "400.00"))
    office.bill("2026-02-28")
    (number,) = [row["number"] for row in office.documents() if row["kind"] == "invoice"]
    with pytest.raises(ServiceRefused, match=r"allows 400\.00, the balance 1000\.00") as refusal:
        ask(office, "apply", number=number, amount="1100.00")
    assert refusal.value.refusal == "retainer_exceeded"
    assert applications(office) == []
    (made,) = ask(office, "apply", number=number, amount="400.00")
    assert (made["purpose"], Decimal(made["amount"])) == ("retainer_application", money("400"))
    (refund,) = ask(office, "refund", date="2026-03-31")
    assert Decimal(refund["amount"]) == 600
    for action in ("refund", "apply"):
        with pytest.raises(ServiceRefused):
            ask(office, action, amount="0.01")
    assert office.balances() == {"bank": money("400.00"), "revenue": money("-400.00")}
    assert Decimal(log(office)["months"][-1]["closing"]) == 0
    assert open_in_ledger(office) == [0]
    assert office.ledger_balances() == {
        "Checking": money("400.00"),
        "Services": money("-400.00"),
    }


@pytest.mark.parametrize("automatic", [True, False], ids=["by itself", "by command"])
def test_a20_two_invoices_at_once_share_what_there_is(
    bare_office: Office,
    automatic: bool,  # noqa: FBT001 - a parameter of the scenario
) -> None:
    office = bare_office
    office.connect()
    office.configure(retained(automatic=automatic))
    receive(office, "1000.00", "2026-01-05")
    office.report(work("e1", "2026-02-02", "700.00"), work("e2", "2026-02-02", "700.00"))
    office.bill("2026-02-28")
    if not automatic:
        race(office)
    for _ in range(2):
        office.bill("2026-02-28")
        assert applications(office) == [money("700.00"), money("300.00")]
        assert office.balances() == {
            "bank": money("1000.00"),
            "receivable": money("400.00"),
            "revenue": money("-1400.00"),
        }
        assert open_in_ledger(office) == [0, money("400.00")]
        log(office)


def race(office: Office) -> None:
    """Let everybody ask for everything at the same time."""
    start = threading.Barrier(6)

    def apply() -> None:
        start.wait()
        with suppress(ServiceRefused):  # whoever comes too late
            office.client.post("poster", f"{RETAINERS}/apply", MAIN)

    racers = [threading.Thread(target=apply) for _ in range(6)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    office.settle()


def foreign(office: Office, kind: str) -> None:
    office.connect(customers=CUSTOMERS, customer_currencies={"Acme": "EUR"})
    rates = {"2026-01-30": "1.1919", "2026-02-27": "1.1805", "2026-03-31": "1.1498"}
    for day, value in rates.items():
        office.import_rates(day, USD=value)
    office.configure(retained(currency="EUR", kind=kind))


def test_a21_an_advance_is_earned_at_the_rate_of_its_receipt(bare_office: Office) -> None:
    office = bare_office
    foreign(office, "non_refundable")
    for _ in range(2):
        receive(office, "1000.00", "2026-01-30", currency="EUR")
        assert office.balances("2026-01-31")["customer_deposits"] == money("-1191.90")
        office.revalue("2026-02")
        assert office.balances("2026-02-28")["customer_deposits"] == money("-1191.90")
        assert "fx_unrealized" not in office.balances("2026-02-28")
        office.report(work("e1", "2026-03-31", "1500.00", "EUR"))
        office.bill("2026-03-31")
        assert office.balances() == {
            "bank": money("1191.90"),
            "receivable": money("574.90"),
            "revenue": money("-1766.80"),
        }
        log(office)
        assert open_in_ledger(office) == [money("500.00")]
        assert office.ledger_balances() == {
            "Checking": money("1191.90"),
            "Accounts Receivable (A/R) - EUR": money("574.90"),
            "Services": money("-1766.80"),
        }
    assert office.reconcile() == []


def test_a21_refundable_money_is_revalued_and_gains(bare_office: Office) -> None:
    office = bare_office
    foreign(office, "standard")
    for _ in range(2):
        receive(office, "1000.00", "2026-01-30", currency="EUR")
        office.revalue("2026-02")
        february = office.balances("2026-02-28")
        assert february["customer_deposits"] == money("-1191.90")
        assert february["deposits_revaluation"] == money("11.40")
        assert february["fx_unrealized"] == money("-11.40")
        assert "deposits_revaluation" not in office.balances("2026-03-01")
        office.report(work("e1", "2026-03-31", "1500.00", "EUR"))
        office.bill("2026-03-31")
        assert office.balances() == {
            "bank": money("1191.90"),
            "receivable": money("574.90"),
            "revenue": money("-1724.70"),
            "fx_realized": money("-42.10"),
        }
        log(office)
        assert open_in_ledger(office) == [money("500.00")]
        ledger = office.ledger_balances()
        assert ledger["Accounts Receivable (A/R) - EUR"] == money("574.90")
        assert ledger["Exchange Gain or Loss"] == money("-42.10")
    assert office.reconcile() == []


def test_credited_work_pays_again(bare_office: Office) -> None:
    """What an invoice gives back lies on the retainer again, for the next one."""
    office = bare_office
    office.connect()
    office.configure(retained())
    receive(office, "900.00", "2026-01-05")
    office.report(work("e1", "2026-02-02", "900.00"))
    office.bill("2026-02-28")
    less = {"seconds": 1800, "decimal_text": "0.5"}
    for _ in range(2):
        office.report(
            {**work("e1", "2026-02-02", "900.00"), "external_version": "2", "input": less}
        )
        office.bill("2026-02-28")
        assert office.balances() == {
            "bank": money("900.00"),
            "customer_deposits": money("-450.00"),
            "revenue": money("-450.00"),
        }
        log(office)
    office.report(work("e2", "2026-12-20", "450.00"))
    office.bill("2026-12-31")
    assert office.balances() == {"bank": money("900.00"), "revenue": money("-900.00")}
