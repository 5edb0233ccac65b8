"""What goes wrong while reading: the source's errors, and nothing lost by them."""

import pytest

from hourbridge.common.errors import (
    ConfigurationInvalid,
    SourceAnswerUnreadable,
    SourceAuthorizationExpired,
    SourceRefused,
    SourceThrottled,
    SourceUnavailable,
)
from hourbridge.connectors.quickbooks_online.inbound.asking import Asking
from hourbridge.connectors.source import Span
from hourbridge.sandbox.quickbooks_online import change_capture

pytestmark = pytest.mark.database


@pytest.mark.parametrize(
    ("fault", "values", "error"),
    [
        ("html_page", {"status": 502}, SourceUnavailable),
        ("html_page", {"status": 504}, SourceUnavailable),
        ("server_error", {"status": 500}, SourceUnavailable),
        ("lose_response", {}, SourceUnavailable),
        ("lose_request", {}, SourceUnavailable),
        ("truncated", {}, SourceUnavailable),
        ("throttle", {"retry_after_seconds": 7}, SourceThrottled),
    ],
)
def test_trouble_on_the_way_costs_a_turn_and_nothing_else(reader, books, fault, values, error):
    reader.read("customer")
    books.person("add", "customer", changes={"DisplayName": "Kept"})
    cursor = reader.cursors["customer"]
    books.fault(fault, on="reads", **values)
    with pytest.raises(error) as caught:
        reader.source.read("customer", cursor)
    if isinstance(caught.value, SourceThrottled):
        assert caught.value.retry_after_seconds == 7
        return  # the whole company pauses, as its budget knows
    assert "Kept" in {one.record.name for one in reader.read("customer")}


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("4001", SourceRefused),
        ("500", SourceRefused),
        ("150", SourceUnavailable),
        ("6190", SourceUnavailable),
        ("10000", SourceUnavailable),
        ("3100", SourceAuthorizationExpired),
    ],
)
def test_faults_of_the_catalogue(reader, sandbox, code, error):
    reader.read("vendor")
    with sandbox.world.lock:
        sandbox.world.refusals.add({"code": code, "on": "reads", "resource": "cdc"})
    with pytest.raises(error):
        reader.source.read("vendor", reader.cursors["vendor"])


def test_a_success_that_carries_a_fault_is_a_refusal(reader, sandbox):
    with sandbox.world.lock:
        sandbox.world.refusals.add({"code": "6000", "on": "reads", "status": 200})
    with pytest.raises(SourceRefused):
        reader.source.read("vendor", None)


def test_a_withdrawn_grant_is_told_as_such(reader, books):
    reader.read("vendor")
    books.tokens().disconnect("4620816365000000001")
    with pytest.raises(SourceAuthorizationExpired):
        reader.source.read("vendor", reader.cursors["vendor"])
    assert len(reader.source.check()) == 1


def test_check_finds_nothing_wrong(reader):
    assert reader.source.check() == ()


@pytest.mark.parametrize(
    "answer",
    [
        {"time": "2026-01-01T00:00:00Z"},
        {"QueryResponse": []},
        {"QueryResponse": {"Customer": {}}, "time": "2026-01-01T00:00:00Z"},
        {"QueryResponse": {"Customer": [1]}, "time": "2026-01-01T00:00:00Z"},
        {"QueryResponse": {}, "time": "yesterday"},
    ],
)
def test_answers_of_another_shape_are_kept(answer):
    class Transport:
        company_id = "1"

        def call(self, _request):
            return answer

    with pytest.raises(SourceAnswerUnreadable) as caught:
        Asking(Transport()).page("Customer", [], start=1, rows_max=10)
    assert caught.value.raw


def test_a_row_that_makes_no_sense_is_stated_with_reasons(reader, books, sandbox):
    with sandbox.world.lock:
        vendor = sandbox.world.companies["4620816365000000001"].tables["Vendor"]["1"]
        vendor["MetaData"] = {"LastUpdatedTime": "soon"}
        vendor["CurrencyRef"] = {"value": "???"}
    statements = {one.location: one for one in reader.read("vendor")}
    broken = statements["Vendor 1"]
    assert broken.record is None and broken.reasons
    assert broken.notes["external_id"] == "vendor:1"
    assert statements["Vendor 2"].record is not None


def test_a_row_too_many_on_a_page_is_no_end(open_reader, books, monkeypatch):
    """One report has 101 rows for a limit of 100."""
    reader = open_reader(page_rows=10)
    real = Asking.page

    def generous(self, entity, conditions, *, start, rows_max, order="Id"):
        return real(self, entity, conditions, start=start, rows_max=rows_max + 1, order=order)

    monkeypatch.setattr(Asking, "page", generous)
    found = {one.record.external_id for one in reader.read("account")}
    assert found == {f"account:{row['Id']}" for row in books.stored("Account")}


def test_a_count_that_disagrees_withholds_deletions(open_reader, books, monkeypatch):
    reader = open_reader(page_rows=1000)
    real = Asking.count
    monkeypatch.setattr(Asking, "count", lambda self, *asked: real(self, *asked) + 3)
    reader.read("account")
    assert not reader.pages[-1].reading.is_snapshot
    assert "rows of Account were read" in reader.pages[-1].notes[0]


def test_unknown_feeds_and_foreign_positions(reader):
    from datetime import date

    with pytest.raises(ConfigurationInvalid):
        reader.source.read("warehouse", None)
    with pytest.raises(ConfigurationInvalid):
        reader.source.read("customer", "not ours")
    with pytest.raises(ConfigurationInvalid):
        reader.source.read("customer", None, Span(date(2026, 1, 1), date(2026, 1, 2)))


def test_everything_cut_away_is_still_noticed(reader, books, monkeypatch):
    reader.read("vendor")
    books.advance(1000)
    monkeypatch.setattr(change_capture.changes, "__kwdefaults__", {"objects_max": 0})
    books.person("add", "vendor", changes={"DisplayName": "Hidden"})
    assert "Hidden" in {one.record.name for one in reader.read("vendor")}
