"""explain: the way from the source's entry to the cent on the document."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cli.tests.conftest import Shell
from hourbridge.cli.explaining.way import clock, correction_way, money_adds_up, time_adds_up, way

CHARGE: dict[str, Any] = {
    "charge_id": "c1",
    "kind": "time",
    "work_date": "2026-05-04",
    "worked_seconds": 5_000,
    "billable_seconds": 5_000,
    "currency": "USD",
    "rounding": {"scope": "entry", "mode": "half_up", "increment_seconds": 600},
}
LINE: dict[str, Any] = {
    "charge_ids": ["c1", "c2"],
    "quantity": "2.5",
    "unit_price": "110.00",
    "amount": "275.00",
    "billed_seconds": 9_000,
    "roundings": [
        {
            "step": "increment", "of": "charge c1", "mode": "half_up", "unit": "600 s",
            "before": "5000", "after": "4800", "policy": "client:Acme v3",
        },
        {
            "step": "increment", "of": "charge c2", "mode": "half_up", "unit": "600 s",
            "before": "4000", "after": "4200",
        },
        {
            "step": "money", "of": "line", "mode": "half_up", "unit": "0.01 USD",
            "before": "275.004", "after": "275.00",
        },
    ],
}  # fmt: skip


def steps(charge: dict[str, Any] = CHARGE, line: dict[str, Any] = LINE) -> dict[str, Any]:
    return {step["step"]: step for step in way(charge, line)}


def test_a_way_holds_its_own_roundings_and_those_of_the_line() -> None:
    found = steps()
    assert list(found) == [
        "worked", "increment", "added up", "billed", "price", "money", "line amount",
    ]  # fmt: skip
    assert found["increment"] == {
        "step": "increment",
        "rule": "client:Acme v3: half_up to 600 s",
        "from": "1:23:20 h",
        "gives": "1:20 h",
        "residue": "200 s",
    }
    assert found["price"]["from"] == "2.5 x 110.00"
    assert (found["price"]["gives"], found["money"]["residue"]) == ("275.00", "0.004")


def test_the_time_of_a_line_adds_up_or_is_said_not_to() -> None:
    other = {**CHARGE, "charge_id": "c2", "billable_seconds": 4_000}
    assert time_adds_up([CHARGE, other], LINE)
    assert not time_adds_up([CHARGE], LINE)
    assert time_adds_up([], {**LINE, "credits_line_id": "l0"})
    assert time_adds_up([], {**LINE, "supplements_line_id": "l0"})
    assert time_adds_up([CHARGE, other], {**LINE, "billed_seconds": 8_100, "capped_seconds": 900})


def test_the_money_of_a_line_adds_up_or_is_said_not_to() -> None:
    exact = {**LINE, "roundings": LINE["roundings"][:2]}
    assert money_adds_up(exact)
    assert money_adds_up(LINE)
    assert not money_adds_up({**LINE, "amount": "275.01", "unit_price": "110.004"})
    assert money_adds_up({**exact, "quantity": "0.8333333333", "amount": "91.67"})
    assert not money_adds_up({**exact, "quantity": "0.8333333333", "amount": "91.68"})
    assert not money_adds_up({**exact, "amount": "275.01"})
    assert money_adds_up({**exact, "amount": "265.00", "discount": "10.00"})
    correction = {**exact, "credits_line_id": "l0", "amount": "275.01"}
    assert money_adds_up(correction)
    assert not money_adds_up({**correction, "amount": "275.02"})


def test_a_correction_says_what_it_changes() -> None:
    original = {**LINE, "position": 3}
    credit = {"credits_line_id": "l0", "billed_seconds": 1_800, "amount": "55.00"}
    steps = {step["step"]: step for step in correction_way(credit, original, "HB-7")}
    assert (steps["billed before"]["rule"], steps["billed before"]["gives"]) == (
        "line 3 of HB-7",
        "275.00",
    )
    assert (steps["time"]["from"], steps["time"]["gives"]) == ("2:30 h", "2:00 h")
    assert steps["credited here"]["gives"] == "55.00"
    more = {"supplements_line_id": "l0", "amount": "55.00"}
    assert [step["step"] for step in correction_way(more, original, "HB-7")] == [
        "billed before",
        "added here",
    ]


def test_nothing_to_round_is_said() -> None:
    found = steps({**CHARGE, "charge_id": "c9"}, {**LINE, "charge_ids": ["c9"]})
    assert found["increment"]["residue"] == "0 s"


def test_what_the_client_does_not_pay_has_its_reason() -> None:
    down = {"seconds": 1_400, "reason": "goodwill"}
    found = steps({**CHARGE, "billable_seconds": 3_600, "write_down": down})
    assert (found["write-down"]["rule"], found["write-down"]["residue"]) == ("goodwill", "1400 s")
    assert "write-up" in steps({**CHARGE, "billable_seconds": 6_000})


def test_discounts_adjustments_caps_tax_and_rates_are_steps() -> None:
    line = {
        **LINE,
        "discount": "5.00",
        "adjustment": {"amount": "-1.00", "reason": "rounded down", "by": "rita"},
        "capped_amount": "40.00",
        "capped_seconds": 1_800,
        "tax_code": "CO",
        "tax_amount": "22.19",
        "base_amount": "301.00",
        "exchange": {"rate_id": "r-1"},
    }
    found = steps(line=line)
    assert found["less discount"]["gives"] == "-5.00"
    assert found["adjusted"]["rule"] == "rounded down, by rita"
    assert found["held back"]["residue"] == "40.00 (0:30 h)"
    assert (found["plus tax"]["rule"], found["plus tax"]["gives"]) == ("CO", "22.19")
    assert found["in the book's currency"]["rule"] == "rate r-1"


def test_a_share_of_time_and_a_cap_come_before_the_price() -> None:
    part = {"step": "billable_part", "of": "charge c1", "mode": "half_up", "unit": "50 %"}
    cap = {"step": "cap", "of": "line", "mode": "cap", "unit": "900 USD"}
    line = {
        **LINE,
        "roundings": [
            {**part, "before": "5000", "after": "2500"},
            {**LINE["roundings"][2], "before": "300.004", "after": "300.00"},
            {**cap, "before": "300.00", "after": "275.00"},
        ],
    }
    found = steps(line=line)
    order = ["worked", "billable_part", "added up", "money", "cap", "billed"]
    assert list(found)[:6] == order
    assert found["billable_part"]["residue"] == "2500 s"
    assert found["cap"]["residue"] == "25.00"


def test_an_expense_begins_with_what_is_rebilled() -> None:
    expense = {**CHARGE, "kind": "expense", "amount": "45.00"}
    line = {"quantity": "1", "unit_price": "45.00", "amount": "45.00", "charge_ids": ["c1"]}
    assert list(steps(expense, line)) == ["cost rebilled", "price", "line amount"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00 h"), (3_661, "1:01:01 h"), (-5_400, "-1:30 h")]
)
def test_durations_are_written_as_clocks(seconds: int, text: str) -> None:
    assert clock(seconds) == text


# --- the command ------------------------------------------------------------------------------


def acme(billed: Shell) -> str:
    (number,) = (row["number"] for row in billed.documents() if row["client"] == "Acme")
    return str(number)


def test_an_entry_is_told_from_its_source_to_the_ledger(billed: Shell) -> None:
    story = billed.json("explain", "102", "-b", billed.book)
    assert story["kind"] == "record"
    assert story["record"]["state"]["notes"] == "Search"
    assert story["mapping"]["mapping_version"] == 1
    (charge,) = story["charges"]
    (line,) = charge["lines"]
    assert [s["residue"] for s in line["way"] if s["step"] == "increment"] == ["-180 s"]
    assert line["line"]["amount"] == "570.00"
    (document,) = story["documents"]
    assert Decimal(document["document"]["posted"]["total"]) == Decimal("570.00")
    assert [each["state"] for each in document["operations"]] == ["done"]
    assert "ledger.exchange" in {row["action"] for row in document["audit"]}


def test_a_line_is_told_back_to_every_entry(billed: Shell) -> None:
    story = billed.json("explain", f"{acme(billed)}:1", "-b", billed.book)
    assert (story["kind"], story["adds_up"]) == ("line", True)
    entries = sorted(entry["record"]["external_id"] for entry in story["entries"])
    assert entries == ["101", "102"]


def test_people_read_tables(billed: Shell) -> None:
    shown = billed.run("explain", "102", "-b", billed.book)
    for words in ("clients[0] 'Acme'", "rule client=Acme", "half_up to 360 s", "-180 s", "570.00"):
        assert words in shown
    shown = billed.run("explain", acme(billed), "-b", billed.book)
    assert "Roundings of line 1" in shown
    assert "Written to the ledger" in shown
    assert "Line 1 of invoice" in billed.run("explain", f"{acme(billed)}:1", "-b", billed.book)


def test_every_id_leads_to_the_same_record(billed: Shell) -> None:
    story = billed.json("explain", "102", "-b", billed.book)
    record_id, charge_id = story["record"]["record_id"], story["charges"][0]["charge_id"]
    for reference in (record_id, charge_id, "timesheets/102"):
        again = billed.json("explain", reference, "-b", billed.book)
        assert again["record"]["record_id"] == record_id
    document = story["documents"][0]["document"]["document_id"]
    assert billed.json("explain", f"{document}:1", "-b", billed.book)["kind"] == "line"


def test_what_was_never_billed_says_why(billed: Shell) -> None:
    shown = billed.run("explain", "104", "-b", billed.book)
    assert "non_billable" in shown
    assert "No charge" in shown
    assert "no item for task 'Audit'" in billed.run("explain", "105", "-b", billed.book)


@pytest.mark.parametrize("reference", ["XX-99", "nobody", "00000000-0000-0000-0000-000000000000"])
def test_what_nobody_knows_is_refused(billed: Shell, reference: str) -> None:
    assert "nothing of this book" in billed.run("explain", reference, "-b", billed.book, code=1)


def test_a_line_that_is_not_there_is_refused(billed: Shell) -> None:
    shown = billed.run("explain", f"{acme(billed)}:9", "-b", billed.book, code=1)
    assert "the document has 1 lines" in shown
