"""Where time and money went, residues, and closed months: as events and documents tell it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common.book import (
    BookConfiguration,
    CapPolicy,
    ClientMapping,
    LedgerReference,
    ProjectMapping,
    SourceBinding,
)
from hourbridge.common.messages.events import (
    BookConfigured,
    DocumentKind,
    LineAdjustment,
    MappingOutcome,
    Payable,
    RoundingStep,
    WriteDown,
)
from hourbridge.common.messages.registry import BOOK_CONFIGURED
from hourbridge.reconciler.capped import cap_owners, held_back
from hourbridge.reconciler.categories import MONEY, TIME, VALUE, categories
from hourbridge.reconciler.residue import residue_report
from hourbridge.reconciler.unbilled import unbilled_report
from hourbridge.reconciler.whole_book import whole_book
from tests.support.charges import LEDGER, fee, make_charge
from tests.support.reconciling import (
    ACCEPTED_AT,
    BOOK,
    accepted,
    changed,
    charge_set,
    charged,
    document,
    line,
    received,
)

pytestmark = pytest.mark.database
NOW = datetime(2026, 4, 2, 12, tzinfo=UTC)


def configured(**changes: Any) -> Any:
    configuration = BookConfiguration(
        book=BOOK,
        currency="USD",
        zone="America/New_York",
        ledger=LEDGER,
        sources=(SourceBinding(name="tracker"),),
        **changes,
    )
    data = BookConfigured(
        version=1, configuration=configuration, applied_at=ACCEPTED_AT, applied_by="ann"
    )
    return received(BOOK_CONFIGURED, data)


def step(name: Any, before: str, after: str, **changes: Any) -> RoundingStep:
    unit = "s" if name in ("minimum", "increment", "billable_part", "quantity") else "USD"
    values = {"of": "line", "mode": "half_up", "unit": unit, **changes}
    return RoundingStep(step=name, before=Decimal(before), after=Decimal(after), **values)


def shares(bench: Any) -> tuple[dict[str, int], dict[str, Decimal]]:
    """Return the sums of all rows, by category; both identities must hold in every row."""
    with whole_book(bench.store) as connection:
        found = categories(connection, BOOK)
    for row in found["time"]:
        assert row["worked_seconds"] == sum(row[f"{name}_seconds"] for name in TIME)
    for row in found["money"]:
        left = sum(Decimal(row[name]) for name in VALUE)
        assert left == sum(Decimal(row[name]) for name in MONEY), row
    time = {name: sum(row[f"{name}_seconds"] for row in found["time"]) for name in TIME}
    worth = {name: sum(Decimal(row[name]) for row in found["money"]) for name in (*VALUE, *MONEY)}
    return (
        {name: seconds for name, seconds in time.items() if seconds},
        {name: amount for name, amount in worth.items() if amount},
    )


# --- categories -------------------------------------------------------------------------------


def test_every_second_is_somewhere(bench: Any) -> None:
    bench.feed(
        [
            *charged("r1", 1, 5_000),
            *charged("r2", 2, 3_600),
            accepted("r3", 3, 1_800),
            charge_set("r3", [3], outcome=MappingOutcome.PARKED, code="no_mapping", seconds=1_800),
            accepted("r4", 4, 900),
            charge_set("r4", [4], outcome=MappingOutcome.SKIPPED, code="non_billable", seconds=900),
            accepted("r5", 5, 600),
        ]
    )
    rounded = line(
        1,
        ["r1"],
        "1.40",
        amount="210.00",
        worked_seconds=5_000,
        roundings=(step("increment", "5000", "5040"),),
    )
    bench.feed(changed(document("doc-1", [rounded])))
    time, worth = shares(bench)
    assert time == {
        "billed": 5_040,
        "rounding": -40,
        "unbilled": 3_600,
        "parked": 1_800,
        "not_billable": 900,
        "in_flight": 600,
    }
    assert worth == {
        "worked": Decimal("358.33"),
        "rounding": Decimal("-1.67"),
        "billed": Decimal("210.00"),
        "unbilled": Decimal("150.00"),
    }


def test_write_downs_discounts_adjustments_and_caps_are_apart(bench: Any) -> None:
    down = WriteDown(seconds=1_800, reason="goodwill")
    bench.feed(charged("r1", 1, 9_000, billable_seconds=7_200, write_down=down))
    cut = line(
        1,
        ["r1"],
        "1.50",
        amount="190.00",
        worked_seconds=9_000,
        discount=Decimal("20.00"),
        adjustment=LineAdjustment(amount=Decimal("-15.00"), reason="agreed", by="rita"),
        capped_seconds=1_800,
        capped_amount=Decimal("75.00"),
    )
    bench.feed(changed(document("doc-1", [cut])))
    time, worth = shares(bench)
    assert time == {"written_down": 1_800, "billed": 5_400, "capped": 1_800}
    assert worth == {
        "worked": Decimal("375.00"),
        "written_down": Decimal("75.00"),
        "discount": Decimal("20.00"),
        "adjustment": Decimal("15.00"),
        "capped": Decimal("75.00"),
        "billed": Decimal("190.00"),
    }


def test_a_share_by_policy_is_written_down_not_rounded(bench: Any) -> None:
    bench.feed(charged("r1", 1, 7_200))
    half = line(
        1,
        ["r1"],
        "1.00",
        worked_seconds=7_200,
        roundings=(step("billable_part", "7200", "3600"),),
    )
    bench.feed(changed(document("doc-1", [half])))
    assert shares(bench) == (
        {"written_down": 3_600, "billed": 3_600},
        {
            "worked": Decimal("300.00"),
            "written_down": Decimal("150.00"),
            "billed": Decimal("150.00"),
        },
    )


def test_fixed_fees_cover_time(bench: Any) -> None:
    bench.feed(charged("r1", 1, 7_200, flat_fee=fee("500"), rate=None))
    flat = line(1, ["r1"], "1", unit_price="500.00", billed_seconds=0, worked_seconds=7_200)
    bench.feed(changed(document("doc-1", [flat])))
    assert shares(bench) == (
        {"covered": 7_200},
        {"fees": Decimal("500.00"), "billed": Decimal("500.00")},
    )


def test_a_credit_and_its_hours(bench: Any) -> None:
    bench.feed(charged("r1", 1, 7_200))
    invoice = document("doc-1", [line(1, ["r1"], "2.00")])
    bench.feed(changed(invoice))
    back = line(1, [], "0.50", credits_line_id=invoice.lines[0].line_id, line_id="credit-1")
    memo = document("doc-2", [back], kind=DocumentKind.CREDIT_MEMO)
    charge = make_charge("r1", 5_400)
    bench.feed([changed(memo), charge_set("r1", [2], [charge], record_revision=2)])
    time, worth = shares(bench)
    assert time["billed"] == 5_400
    assert worth["billed"] == Decimal("225.00")
    assert "rounding" not in time


def test_a_subcontractor_is_no_client_s_time_unless_rebilled(bench: Any) -> None:
    owed = Payable(vendor=LedgerReference(name="Bravo"), reason="subcontractor")
    payable = make_charge("p1", 3_600, billable_seconds=0, rate=None, payable=owed)
    rebilled = [make_charge("p2", 3_600, billable_seconds=0, rate=None, payable=owed)]
    rebilled.append(make_charge("c2", 3_600))
    bench.feed(
        [
            accepted("r1", 1),
            charge_set("r1", [1], [payable]),
            accepted("r2", 2),
            charge_set("r2", [2], rebilled, seconds=3_600),
        ]
    )
    bill = document(
        "doc-1",
        [line(1, ["p1", "p2"], "1", unit_price="140.00", billed_seconds=0)],
        kind=DocumentKind.VENDOR_BILL,
        customer=None,
        vendor=LedgerReference(name="Bravo"),
    )
    bench.feed(changed(bill))
    time, worth = shares(bench)
    assert time == {"only_paid": 3_600, "unbilled": 3_600}
    assert worth == {"worked": Decimal("150.00"), "unbilled": Decimal("150.00")}
    assert bench.findings() == {}


# --- caps -------------------------------------------------------------------------------------


def test_work_over_a_full_cap_is_capped_and_no_leakage(bench: Any) -> None:
    cap = CapPolicy(amount=Decimal("300.00"), already_billed=Decimal("150.00"))
    acme = ClientMapping(client="Acme", customer=LedgerReference(name="Acme"), cap=cap)
    bench.feed([configured(clients=(acme,)), *charged("r1", 1), *charged("r2", 2, 1_800)])
    bench.feed(changed(document("doc-1", [line(1, ["r1"], "1.00")])))
    assert shares(bench)[0] == {"billed": 3_600, "capped": 1_800}
    with whole_book(bench.store) as connection:
        report = unbilled_report(connection, BOOK, today=date(2026, 12, 31), leakage_after_days=30)
    (row,) = report["rows"]
    assert (row["why"], row["amount"], report["leakage"]) == ("capped", "75.00", [])


def test_caps_by_project_and_term_and_kind() -> None:
    cap = CapPolicy(amount=Decimal(100), term="month")
    rule = ProjectMapping(project="P1", cap=cap)
    configuration = configured(projects=(rule,)).event.data.configuration
    owners = cap_owners(configuration)
    assert cap_owners(None) == []
    billed = [
        {
            "client": "Acme",
            "project": "P1",
            "is_expense": False,
            "service_date": date(2026, 3, 9),
            "amount": Decimal(100),
        }
    ]

    def waiting(charge_id: str, **changes: Any) -> dict[str, Any]:
        base = {"client": "Acme", "project": "P1", "is_expense": False}
        return {"charge_id": charge_id, "work_date": date(2026, 3, 30), **base, **changes}

    charges = [
        waiting("same month"),
        waiting("next month", work_date=date(2026, 4, 1)),
        waiting("other project", project="P2"),
        waiting("expense", is_expense=True),
    ]
    assert held_back(owners, billed, charges) == {"same month"}


# --- residues ---------------------------------------------------------------------------------


def test_residues_are_summed_by_step_and_place(bench: Any) -> None:
    bench.feed([*charged("r1", 1, 5_000), *charged("r2", 2, 100, rate="10.00")])
    lines = [
        line(
            1,
            ["r1"],
            "1.40",
            worked_seconds=5_000,
            roundings=(step("increment", "5000", "5040", policy="client:Acme v2"),),
        ),
        line(
            2,
            ["r2"],
            "0.10",
            unit_price="10.00",
            amount="1.00",
            worked_seconds=100,
            roundings=(
                step("minimum", "100", "360"),
                step("money", "0.996", "1.00"),
            ),
        ),
    ]
    bench.feed(changed(document("doc-1", lines)))
    with whole_book(bench.store) as connection:
        report = residue_report(connection, BOOK)
        assert residue_report(connection, BOOK, "2026-02")["totals"] == []
    assert {(row["step"], row["unit"]): row["residue"] for row in report["totals"]} == {
        ("increment", "seconds"): "-40",
        ("minimum", "seconds"): "-260",
        ("money", "USD"): "-0.004",
    }
    (named,) = [row for row in report["time"] if row["policy"]]
    assert (named["policy"], named["client"], named["project"]) == ("client:Acme v2", "Acme", "P1")
    assert report["balance"][0]["rounding_seconds"] == -300
    assert bench.findings() == {}


def test_a_line_whose_roundings_do_not_lead_to_its_time(bench: Any) -> None:
    bench.feed(charged("r1", 1, 5_000))
    wrong = line(
        1, ["r1"], "1.50", worked_seconds=5_000, roundings=(step("increment", "5000", "5040"),)
    )
    bench.feed(changed(document("doc-1", [wrong])))
    assert bench.findings() == {"doc-1": "residue_unexplained"}
