"""Reports: positional rows whose columns may move, vanish or speak another locale (checklist 8)."""

from __future__ import annotations

from decimal import Decimal

import pytest

SPAN = {"DT_BEGIN": "2026-10-01", "DT_END": "2026-10-31"}
COLUMNS = ["tmsid", "tmstaffnm", "tmdt", "tmhrsin", "tmchgbillbase"]


@pytest.fixture
def report(firm):
    firm.enter("2026-10-06", "10", approved=True)
    return firm.act("define_report", name="Connector", columns=COLUMNS)["Id"]


def as_rows(answer):
    names = [field["FieldNm"] for field in answer["FieldList"]]
    return [dict(zip(names, row, strict=True)) for row in answer["Data"]]


def test_rows_are_positional(report, client):
    answer = client.post(f"report/data/{report}", SPAN)
    assert answer["FieldList"] == [{"FieldNm": name} for name in COLUMNS]
    assert answer["Data"][0][1:] == ["Berg, Ada", "2026-10-06", 10, 1500]
    assert client.get(f"report/data/{report}") == answer
    assert client.post(f"report/data/{report}", {**SPAN, "DT_BEGIN": "2026-10-07"})["Data"] == []


def test_somebody_moves_a_column(firm, report, client):
    before = client.post(f"report/data/{report}", SPAN)
    changed = firm.act("define_report", name="Connector", columns=COLUMNS[::-1])
    assert changed["Id"] == report
    after = client.post(f"report/data/{report}", SPAN)
    assert after["Data"] != before["Data"]
    assert as_rows(after) == as_rows(before)


def test_somebody_drops_a_column(firm, report, client):
    firm.act("define_report", name="Connector", columns=COLUMNS[:-1])
    assert "tmchgbillbase" not in as_rows(client.post(f"report/data/{report}", SPAN))[0]
    assert len(client.get(f"report/detail/{report}")["FieldList"]) == 4


def test_numbers_in_another_locale(firm, report, client):
    firm.act("define_report", name="Connector", columns=COLUMNS, localised=True)
    (row,) = as_rows(client.post(f"report/data/{report}", SPAN))
    assert (row["tmhrsin"], row["tmchgbillbase"]) == ("10,00", "1.500,00")


def test_columns_that_no_object_has(firm, report, client):
    firm.act("define_report", name="Connector", columns=["tmsid", "tmcurrency", "tmposted"])
    assert as_rows(client.post(f"report/data/{report}", SPAN))[0]["tmposted"] is False
    client.post("Async/PostTimesheet", {"StaffSid": 1})
    (row,) = as_rows(client.post(f"report/data/{report}", SPAN))
    assert (row["tmcurrency"], row["tmposted"]) == ("USD", True)


def test_it_agrees_with_the_object_endpoints(firm, report, client):
    firm.act("settings", billable_rounding_minutes=15)
    for day, hours in (("2026-10-07", "1.23"), ("2026-10-08", "0.4")):
        firm.enter(day, hours, submitted=True)
    columns = ["tmsid", "tmhrsin", "tmhrsbill", "tmchgbillbase"]
    firm.act("define_report", name="Connector", columns=columns)
    names = ("SID", "Hours_IN", "HoursBillable", "ChargeBillable")
    sheet = [[row[name] for name in names] for row in client.sheet()]
    assert client.post(f"report/data/{report}", SPAN)["Data"] == sheet
    assert sheet[1][1:] == [Decimal("1.23"), Decimal("1.25"), Decimal("187.50")]


def test_unknown_report_and_missing_days(report, client):
    assert client.status("POST", "report/data/1", SPAN) == 404
    assert client.status("POST", f"report/data/{report}", {}) == 400
