"""Rows as firms may send them: any case, any type, any rubbish; and what records promise."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hourbridge.common.messages.records import ApprovalState, BillableState, TimeEntry
from hourbridge.connectors.bigtime.expenses import expense_fields
from hourbridge.connectors.bigtime.invoices import invoice_fields
from hourbridge.connectors.bigtime.master_data import client_fields
from hourbridge.connectors.bigtime.rows import Row, raw_of, split_rows
from hourbridge.connectors.bigtime.settings import BigTimeSettings
from hourbridge.connectors.bigtime.stating import state
from hourbridge.connectors.bigtime.time_entries import time_fields
from hourbridge.ingestor.identity import content_hash_of

READ_AT = datetime(2026, 10, 20, tzinfo=UTC)
SETTINGS = BigTimeSettings(base_currency="USD")
ENTRY: dict[str, Any] = {
    "SID": 90412,
    "Dt": "2026-10-06",
    "StaffSID": 77,
    "FName": "Ada",
    "SName": "Berg",
    "ClientID": 31,
    "ProjectSID": 412,
    "BudgCatID": 12,
    "TaskSID": 5501,
    "Hours_IN": Decimal("1.23"),
    "HoursBillable": Decimal("1.25"),
    "BillRate": Decimal("150.00"),
    "ChargeBillable": Decimal("187.50"),
    "CostRate": Decimal("60.00"),
    "NoCharge": False,
    "Notes": "line one\nline two",
    "IsApproved": True,
    "ApprovalStatusNm": "Approved",
    "InvoiceSID": 0,
    "DtModified": 1791300000000,
}


class Around:
    """A firm without zones, whose N/C flags are all the entries' own."""

    def zone_code(self, staff_id: str) -> str | None:
        return None

    def flag_origin(self, project_id: str | None, task: str | None) -> Any:
        return "entry"


def _statement(values: dict[str, Any], *, hours_later: int = 0) -> Any:
    row = Row(values, b"{}")
    fields = time_fields(row, SETTINGS, Around())
    read_at = READ_AT + timedelta(hours=hours_later)
    return state(TimeEntry, row, fields, location="t", read_at=read_at)


def _record(**changes: Any) -> TimeEntry:
    statement = _statement({**ENTRY, **changes})
    assert statement.reasons == ()
    record: TimeEntry = statement.record
    return record


def test_names_in_any_case_and_numbers_as_text_are_the_same_record():
    shouted = {name.upper(): str(v) if v not in (None, "") else v for name, v in ENTRY.items()}
    assert _statement(shouted).record == _statement(ENTRY).record


@given(st.permutations(list(ENTRY)), st.sampled_from(["1.50", "1.5", "1.500"]))
@settings(max_examples=40)
def test_the_hash_ignores_field_order_and_trailing_zeros(order, hours):
    plain = {**ENTRY, "Hours_IN": Decimal("1.5")}
    shuffled = {name: plain[name] for name in order} | {"Hours_IN": Decimal(hours)}
    one, other = _statement(plain).record, _statement(shuffled, hours_later=1).record
    assert content_hash_of(one) == content_hash_of(other)


def test_the_hash_sees_rates_and_approval_but_not_ids_or_stamps():
    base = content_hash_of(_record())
    assert content_hash_of(_record(BillRate=Decimal(151))) != base
    assert content_hash_of(_record(CostRate=Decimal(61))) != base
    assert content_hash_of(_record(ApprovalStatusNm="Rejected")) != base
    assert content_hash_of(_record(SID=90413, DtModified=1)) == base


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Partially Approved", ApprovalState.PARTIALLY_APPROVED),
        ("SUBMITTED", ApprovalState.SUBMITTED),
        ("Not Submitted", ApprovalState.DRAFT),
        ("Escalated to board", ApprovalState.UNKNOWN),
    ],
)
def test_approvals_go_by_their_name_and_an_unknown_one_stays_unknown(text, expected):
    record = _record(ApprovalStatusNm=text, ApprovalStatus=7)
    assert record.approval.state is expected
    assert record.approval.source_status_text == text


def test_without_a_name_the_flag_and_the_id_decide():
    assert _record(ApprovalStatusNm=None).approval.state is ApprovalState.APPROVED
    open_one = _record(ApprovalStatusNm=None, IsApproved=False, SID=-4)
    assert open_one.approval.state is ApprovalState.DRAFT


def test_a_basic_view_leaves_open_what_it_does_not_say():
    bare = {name: ENTRY[name] for name in ("SID", "Dt", "StaffSID", "ProjectSID", "Hours_IN")}
    record = _statement(bare).record
    assert record.billable_state is BillableState.UNKNOWN
    assert (record.billable, record.bill_rate) == (None, None)


def test_no_charge_counts_before_billable_hours_that_are_stated_too():
    record = _record(NoCharge=True)
    assert (record.billable.seconds, record.billable.decimal_text) == (0, "1.25")
    assert any("N/C counts" in note for note in record.derivation)


def test_ids_beyond_64_bits_and_long_texts_pass():
    record = _record(SID=2**80, ProjectSID=str(2**70), TaskSID=Decimal(10**29), Notes="🚀" * 500)
    assert record.task_id == f"task:{10**29}"
    assert (record.external_id, record.project_id) == (str(2**80), str(2**70))
    assert record.notes == "🚀" * 500


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Hours_IN": "1,25"}, "number_invalid"),
        ({"Hours_IN": Decimal("1E+999999")}, "number_invalid"),
        ({"Hours_IN": None}, "missing"),
        ({"Hours_IN": Decimal("-1")}, "negative_hours"),
        ({"Dt": "06.10.2026"}, "date_invalid"),
        ({"Dt": "2026-02-30"}, "date_invalid"),
        ({"SID": 0}, "missing"),
        ({"NoCharge": "perhaps"}, "flag_invalid"),
        ({"Notes": "a\x00b"}, "text_unstorable"),
        ({"Notes": "\ud800"}, "text_unstorable"),
        ({"SID": "9" * 300}, "string_too_long"),
    ],
)
def test_what_can_not_be_read_says_why_and_is_kept(changes, code):
    statement = _statement({**ENTRY, **changes})
    assert statement.record is None
    assert code in {reason.code for reason in statement.reasons}
    named = str({**ENTRY, **changes}["SID"])
    assert statement.notes.get("external_id") == (None if named == "0" else named)


def test_odd_seconds_are_rounded_half_up_and_said_so():
    record = _record(Hours_IN=Decimal("0.3333"), HoursBillable=Decimal("0.3333"))
    assert record.input.seconds == 1200
    assert any("no whole number of seconds" in note for note in record.derivation)


def test_a_line_of_an_invoice_that_can_not_be_read_refuses_the_invoice():
    row = Row(
        {
            "Sid": 5,
            "InvoiceDt": "2026-10-01",
            "TotalAmt": 10,
            "Lines": [{"LineNbr": 1, "Amt": "1,00"}, {"IsDeleted": True, "Amt": "?"}],
        }
    )
    invoice_fields(row, SETTINGS)
    assert [(reason.field, reason.code) for reason in row.reasons] == [
        ("lines.0.Amt", "number_invalid")
    ]


def test_an_amount_owed_for_what_the_company_paid_is_refused():
    row = Row({"SID": 1, "Dt": "2026-10-01", "CostIN": 10, "CostPayable": 10, "CCardSid": 2})
    expense_fields(row, SETTINGS, Around())
    assert [reason.code for reason in row.reasons] == ["paid_twice"]


def test_contacts_and_bill_addresses_of_a_client():
    row = Row(
        {
            "SystemId": "31",
            "Nm": "Edison",
            "BillAddress": "PO Box 1\nRear",
            "BillCity": "Rahway",
            "ContactList": [{"FullNm": "T. Edison", "Tag": "BILLING", "EMail": "t@e.test"}],
        }
    )
    fields = client_fields(row, SETTINGS)
    assert fields["addresses"] == [
        {"kind": "bill", "lines": ("PO Box 1", "Rear", "Rahway"), "country": None}
    ]
    assert fields["contacts"][0]["role"] == "billing"


_SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def _trees(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def grow(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        names = st.text(max_size=5)
        return st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)

    return st.recursive(leaves, grow, max_leaves=6)


_JSON = _trees(_SCALARS | _NUMBERS)
_READ = _trees(_SCALARS | st.decimals())
"""What the connector's own reader makes of JSON: fractions are Decimal."""


@given(st.lists(st.dictionaries(st.text(max_size=5), _JSON, max_size=3), max_size=3))
@settings(max_examples=50, deadline=None)
def test_splitting_keeps_the_bytes_of_every_row(rows):
    body = json.dumps(rows, indent=1).encode()
    found = split_rows(body)
    assert [json.loads(row.raw) for row in found] == rows
    assert all(row.raw in body for row in found)


@given(
    st.lists(st.dictionaries(st.text(max_size=5), _JSON, max_size=3), min_size=1, max_size=3),
    st.data(),
)
@settings(max_examples=50, deadline=None)
def test_a_cut_off_array_is_never_taken_for_a_shorter_one(rows, data):
    body = json.dumps(rows).encode()
    cut = body[: data.draw(st.integers(0, len(body) - 1))]
    with pytest.raises(ValueError):
        split_rows(cut)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[1] x", b"[{} {}]", b'[{"a": NaN}]'])
def test_what_is_no_array_is_refused(body):
    with pytest.raises(ValueError):
        split_rows(body)


def test_rows_that_are_no_objects_stay_visible():
    (row,) = split_rows(b'["text"]')
    assert row.raw == b'"text"'
    assert [reason.code for reason in row.reasons] == ["not_an_object"]


@given(st.dictionaries(st.sampled_from([*ENTRY, "Extra"]), _READ, max_size=12))
@settings(max_examples=100, deadline=None)
def test_any_row_gives_a_record_or_reasons_and_nothing_else(values):
    for known in ({}, ENTRY):
        statement = _statement({**known, **values})
        assert (statement.record is None) == bool(statement.reasons)


@given(st.dictionaries(st.text(max_size=5), _READ, max_size=5))
@settings(max_examples=50, deadline=None)
def test_a_reports_row_is_kept_as_json(values):
    assert json.loads(raw_of(values)) is not None
