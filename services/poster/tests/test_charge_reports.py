"""What people ask of charges: what to look at before billing, and what is billed already."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from hourbridge.common.runtime.admin import parse_tokens
from hourbridge.common.runtime.http import build_application
from hourbridge.poster.charge_report_routes import ROWS_MAX, ChargeReportApi
from tests.support.charges import hours, make_charge, make_expense
from tests.support.posting import BOOK, Poster

pytestmark = pytest.mark.database
WARNINGS, BILLED = f"/v1/books/{BOOK}/warnings", f"/v1/books/{BOOK}/billed-records"


@pytest.fixture
def http(poster: Poster) -> Iterator[TestClient]:
    application = build_application(
        ChargeReportApi(poster.store).routes(),
        liveness=list,
        readiness=list,
        actors=parse_tokens({"v": "vera:viewer"}),
    )
    with TestClient(application, headers={"Authorization": "Bearer v"}) as client:
        yield client


def warned(http: TestClient, **query: str) -> list[tuple[str, str]]:
    rows: list[dict[str, Any]] = http.get(WARNINGS, params=query).json()["warnings"]
    return [(row["warning"], row["charge_id"]) for row in rows]


def test_warnings_are_listed_until_the_work_is_billed(poster: Poster, http: TestClient) -> None:
    poster.charge(
        make_charge("a", hours("2"), warnings=("description_thin",)),
        make_charge("b", hours("1"), warnings=("wall_clock_duration", "description_thin")),
        make_expense("c", client="Birch", warnings=("receipt_missing",)),
        make_charge("d", hours("1")),
    )
    everything = [
        ("description_thin", "a"),
        ("description_thin", "b"),
        ("receipt_missing", "c"),
        ("wall_clock_duration", "b"),
    ]
    assert warned(http) == everything
    assert warned(http, client="Birch") == [("receipt_missing", "c")]
    assert warned(http, through="2026-03-01") == []
    poster.bill()
    assert warned(http) == []


def test_billed_records_are_named_with_their_documents(poster: Poster, http: TestClient) -> None:
    poster.charge(make_charge("a", hours("2")))
    asked = {"records": ["a", "unknown"]}
    assert http.post(BILLED, json=asked).json()["billed"] == []
    poster.bill()
    poster.charge(make_charge("b", hours("1")))
    record_ids = [row.record_id for row in poster.rows("SELECT DISTINCT record_id FROM charge")]
    [row] = http.post(BILLED, json={"records": record_ids}).json()["billed"]
    assert row["number"] == poster.document().number


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"records": "a"}', b'{"records": [1]}', b'{"record": []}']
)
def test_what_names_no_records_is_refused(http: TestClient, body: bytes) -> None:
    assert http.post(BILLED, content=body).json()["error"] == "request_invalid"


def test_too_many_and_no_dates_are_refused(http: TestClient) -> None:
    many = {"records": ["a"] * (ROWS_MAX + 1)}
    assert http.post(BILLED, json=many).json()["error"] == "request_invalid"
    assert http.get(WARNINGS, params={"through": "soon"}).json()["error"] == "request_invalid"
