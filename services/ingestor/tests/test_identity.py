"""Identity, order and content: pure rules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.common.messages.records import RecordType, TimeEntry
from hourbridge.ingestor.identity import (
    OrderKind,
    content_hash_of,
    date_of,
    microseconds_of,
    order_key_of,
    record_id_of,
)

BASE: dict[str, Any] = {
    "external_id": "e-1",
    "staff_id": "ada",
    "work_date": "2026-03-02",
    "input": {"seconds": 5400, "decimal_text": "1.5"},
    "bill_rate": {"amount": "1.5", "currency": "EUR"},
    "tags": ["b", "a"],
    "custom_fields": [{"id": "2", "value": "x"}, {"id": "1", "value": "y"}],
}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def entry(**changes: Any) -> TimeEntry:
    return TimeEntry.model_validate(BASE | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"bill_rate": {"amount": "1.50", "currency": "EUR"}},
        {"input": {"seconds": 5400, "decimal_text": "1,50"}},
        {"tags": ["a", "b"]},
        {"custom_fields": [{"id": "1", "value": "y"}, {"id": "2", "value": "x"}]},
        {"observed_at": "2026-03-09T00:00:00Z"},
        {"source_updated_at": "2026-03-09T00:00:00Z", "external_version": "7"},
        {"display": {"locale": "de-AT", "hours_text": "1,5"}},
        {"external_id": "e-1b", "previous_external_ids": ["e-1"]},
        {"original_start_text": "8:00 AM"},
        {"invoiced": False, "approval": {"state": "unknown"}},
    ],
)
def test_the_same_fact_written_another_way_has_the_same_content(changes: dict[str, Any]) -> None:
    assert content_hash_of(entry(**changes)) == content_hash_of(entry())


@pytest.mark.parametrize(
    "changes",
    [
        {"bill_rate": {"amount": "1.51", "currency": "EUR"}},
        {"bill_rate": {"amount": "1.5", "currency": "USD"}},
        {"input": {"seconds": 5401}},
        {"staff_id": "bob"},
        {"work_date": "2026-03-03"},
        {"notes": "more"},
        {"approval": {"state": "approved"}},
        {"deleted": {"how": "feed"}},
        {"deleted": {"how": "feed", "confirmed": False}},
    ],
)
def test_another_fact_has_other_content(changes: dict[str, Any]) -> None:
    assert content_hash_of(entry(**changes)) != content_hash_of(entry())


def test_all_deletions_of_a_record_are_the_same_fact() -> None:
    feed = entry(deleted={"how": "feed"})
    snapshot = entry(deleted={"how": "snapshot", "at": "2026-03-09T00:00:00Z"}, notes="gone")
    assert content_hash_of(feed) == content_hash_of(snapshot)


@given(st.permutations(list(BASE)))
def test_the_order_of_fields_does_not_matter(names: list[str]) -> None:
    shuffled = TimeEntry.model_validate({name: BASE[name] for name in names})
    assert content_hash_of(shuffled) == content_hash_of(entry())


def test_order_is_the_version_then_the_update_time_then_the_reading() -> None:
    updated = "2026-03-02T00:00:00Z"
    by_version = order_key_of(entry(external_version="12", source_updated_at=updated), NOON)
    by_time = order_key_of(entry(source_updated_at=updated), NOON)
    by_etag = order_key_of(entry(external_version='W/"12"', source_updated_at=updated), NOON)
    by_reading = order_key_of(entry(), NOON)
    assert (by_version.kind, by_version.value) == (OrderKind.VERSION, 12)
    assert by_time.kind is OrderKind.TIME
    assert by_time.value == microseconds_of(datetime(2026, 3, 2, tzinfo=UTC))
    assert by_etag == by_time
    assert by_reading.value == microseconds_of(NOON)


def test_a_version_that_no_column_holds_is_no_version() -> None:
    assert order_key_of(entry(external_version="9" * 30), NOON).kind is OrderKind.TIME


def test_microseconds_are_exact_and_never_negative() -> None:
    assert microseconds_of(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC)) == 1_000_005
    assert microseconds_of(datetime(1899, 1, 1, tzinfo=UTC)) == 0


def test_ids_depend_on_book_source_type_and_external_id() -> None:
    ids = {
        record_id_of(book, source, record_type, external_id)
        for book in ("b1", "b2")
        for source in ("s1", "s2")
        for record_type in (RecordType.TIME_ENTRY, RecordType.EXPENSE)
        for external_id in ("1", "2")
    }
    assert len(ids) == 16


def test_windows_select_by_the_local_work_date() -> None:
    found = date_of(entry())
    assert found is not None
    assert found.isoformat() == "2026-03-02"
