"""The connector report: columns by name, numbers never guessed, closed when a column is gone."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from hourbridge.common.errors import ConfigurationInvalid, SourceRefused
from hourbridge.connectors.bigtime.settings import CONNECTOR_REPORT, read_settings
from hourbridge.connectors.source import Span

COLUMNS = [name for name in CONNECTOR_REPORT.values() if name != "tmposted"]


def _define(firm, columns=COLUMNS, *, localised=False) -> str:
    report = {"name": "Connector", "columns": columns, "localised": localised}
    return str(firm.act("define_report", **report)["Id"])


def _settings(report_id, **more):
    return {"time_from": "report", "report": {"id": report_id, **more}}


def _comparable(record):
    """Return what a report and a sheet must agree on; levels and stamps are on sheets alone."""
    skipped = {"approval", "derivation", "cost_rate", "bill_rate", "zone", "staff_name"}
    return record.model_dump(exclude=skipped)


def test_a_report_says_what_the_sheets_say_in_far_fewer_calls(firm, open_firm):
    for number, day in enumerate(("2026-10-05", "2026-10-06", "2026-10-15")):
        firm.enter(day, "1.23", staff=1 + number % 2, approved=True, Notes="a\nb", TaskSID=1)
    firm.enter("2026-10-06", "2", NoCharge=True)
    by_sheet = open_firm().by_id("time")
    report = open_firm(**_settings(_define(firm)))
    by_report = report.by_id("time")
    assert by_report.keys() == by_sheet.keys()
    for entry_id, record in by_report.items():
        assert _comparable(record) == _comparable(by_sheet[entry_id])
        assert record.approval.state == by_sheet[entry_id].approval.state
    assert {r.bill_rate.amount for r in by_report.values() if r.bill_rate} == {150, 120}


def test_columns_are_told_by_name_whatever_their_order(firm, open_firm):
    firm.enter("2026-10-06", "1.5", approved=True)
    report_id = _define(firm)
    opened = open_firm(**_settings(report_id))
    (before,) = opened.records("time")
    _define(firm, list(reversed(COLUMNS)))
    (after,) = opened.records("time")
    assert after == before


def test_a_missing_column_closes_the_feed(firm, open_firm):
    firm.enter("2026-10-06", "1.5", approved=True)
    report_id = _define(firm)
    opened = open_firm(**_settings(report_id))
    opened.pages("time")
    assert opened.source.check() == ()
    _define(firm, [name for name in COLUMNS if name != "tmhrsbill"])
    with pytest.raises(SourceRefused, match="tmhrsbill") as refused:
        opened.page("time")
    assert refused.value.reason_code == "report_column_missing"
    assert any("tmhrsbill" in problem for problem in opened.source.check())


def test_localised_numbers_are_refused_until_the_mark_is_said(firm, open_firm):
    firm.enter("2026-10-06", "1.25", approved=True)
    report_id = _define(firm, localised=True)
    (refused,) = open_firm(**_settings(report_id)).statements("time")
    assert refused.record is None
    assert "number_localised" in {reason.code for reason in refused.reasons}
    (entry,) = open_firm(**_settings(report_id, decimal_mark=",")).records("time")
    assert (entry.input.seconds, entry.bill_amount) == (4500, Decimal("187.50"))


def test_the_report_tells_currency_and_what_was_posted_before(firm, open_firm):
    firm.enter("2026-10-06", "1", approved=True)
    report_id = _define(firm, [*COLUMNS, "tmposted"])
    (entry,) = open_firm(**_settings(report_id), base_currency="CHF").records("time")
    assert (entry.currency, entry.post_status, entry.exported) == ("USD", "none", False)


def test_history_and_rekeying_work_over_reports_too(firm, open_firm, held):
    sid = firm.enter("2026-10-06", "1", Notes="x")
    opened = open_firm(**_settings(_define(firm), days_per_call=7))
    held.take(opened.statements("time"))
    firm.submit(sid)
    held.take(opened.statements("time"))
    assert len(held.records) == 1
    span = Span(date(2026, 9, 1), date(2026, 10, 31))
    pages = opened.pages("time", span)
    assert len(pages) == 9
    assert sum(len(page.statements) for page in pages) == 1


def test_settings_that_cannot_work_are_named():
    with pytest.raises(ConfigurationInvalid, match="none is named"):
        read_settings({"time_from": "report"})
    with pytest.raises(ConfigurationInvalid, match="Hours_IN"):
        read_settings({"report": {"id": "1", "columns": {"SID": "tmsid"}}})
    with pytest.raises(ConfigurationInvalid, match="window_days.*wether"):
        read_settings({"window_days": 0, "wether": 1})
