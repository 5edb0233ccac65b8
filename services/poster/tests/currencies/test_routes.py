"""Currencies over HTTP: roles, answers, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from hourbridge.common.runtime.admin import parse_tokens
from hourbridge.common.runtime.http import build_application
from hourbridge.poster.currencies.waiting import look_again
from tests.support.currencies import stated_payment
from tests.support.posting import BOOK, Poster, in_place_for

pytestmark = [pytest.mark.database]

TOKENS = {"t-view": "vera:viewer", "t-op": "otto:operator"}
VIEWER = {"Authorization": "Bearer t-view"}
TABLE = b"Date,USD,JPY\n2026-05-15,1.0873,169.95\n2026-05-14,1.0862,N/A\n"
ITEM = {
    "reference": "OLD-1",
    "party": "Acme",
    "currency": "EUR",
    "amount": "50.00",
    "base_amount": "60.00",
    "day": "2026-01-31",
}


@pytest.fixture
def client(poster: Poster) -> Iterator[TestClient]:
    poster.configure(2, clients=(in_place_for("Acme"),))
    poster.clock.instant = datetime(2026, 6, 2, 12, tzinfo=UTC)
    application = build_application(
        poster.parts.currencies.routes(),
        liveness=list,
        readiness=list,
        actors=parse_tokens(TOKENS),
    )
    with TestClient(application, headers={"Authorization": "Bearer t-op"}) as client:
        yield client


def imported(client: TestClient, **query: str) -> Any:
    return client.post("/v1/rates/import", content=TABLE, params=query)


def test_rates_are_imported_once_and_listed(poster: Poster, client: TestClient) -> None:
    first, again = imported(client).json(), imported(client).json()
    assert (first["new"], first["known"], again["new"], again["known"]) == (3, 0, 0, 3)
    rows = client.get("/v1/rates", params={"currency": "USD", "from": "2026-05-15"}).json()["rates"]
    assert [(row["rate_id"], row["value"]) for row in rows] == [
        ("ecb:EUR-USD:2026-05-15:1", "1.0873")
    ]
    assert poster.rows("SELECT 1 FROM rates_arrived") != []


def test_other_sources_and_later_publications(client: TestClient) -> None:
    query = {"source": "house", "published_at": "2026-05-16T09:00:00+02:00", "since": "2026-05-15"}
    assert imported(client, **query).json()["new"] == 2
    rows = client.get("/v1/rates", params={"source": "house", "to": "2026-05-15"}).json()["rates"]
    assert {row["published_at"] for row in rows} == {"2026-05-16T07:00:00Z"}


@pytest.mark.parametrize(
    ("method", "path", "given", "says"),
    [
        ("POST", "/v1/rates/import", {"content": b"<html>"}, "rates_invalid"),
        ("POST", "/v1/rates/import?since=May", {"content": TABLE}, "since is a date"),
        ("POST", "/v1/rates/import?published_at=today", {"content": TABLE}, "instant"),
        ("POST", "/v1/rates/import?published_at=2026-05-16", {"content": TABLE}, "no offset"),
        ("GET", "/v1/rates?limit=0", {}, "limit"),
        ("POST", f"/v1/books/{BOOK}/revaluations", {"json": {"month": "May"}}, "2026-02"),
        ("POST", f"/v1/books/{BOOK}/revaluations", {"json": {"month": "2026-06"}}, "is over"),
        ("POST", f"/v1/books/{BOOK}/revaluations", {"json": {}}, "month"),
        ("POST", "/v1/books/nobody/revaluations", {"json": {"month": "2026-05"}}, "no config"),
        ("GET", "/v1/revaluation-runs/none", {}, "no such"),
        ("POST", f"/v1/books/{BOOK}/open-items", {"json": {**ITEM, "amount": "1.001"}}, "finer"),
        ("POST", f"/v1/books/{BOOK}/open-items", {"json": {**ITEM, "amount": 1.5}}, "amount"),
        ("POST", f"/v1/books/{BOOK}/open-items", {"json": {**ITEM, "party": "X"}}, "mapped"),
    ],
)
def test_refusals_say_what_is_wrong(
    client: TestClient, method: str, path: str, given: Any, says: str
) -> None:
    answer = client.request(method, path, **given)
    assert answer.status_code in (400, 404, 409, 422), answer.text
    assert says in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/v1/rates/import",
        f"/v1/books/{BOOK}/revaluations",
        f"/v1/books/{BOOK}/residues/clear",
        f"/v1/books/{BOOK}/open-items",
    ],
)
def test_viewers_change_nothing(client: TestClient, path: str) -> None:
    assert client.post(path, json={}, headers=VIEWER).status_code == 403


def test_a_revaluation_is_asked_for_and_shown(poster: Poster, client: TestClient) -> None:
    asked = client.post(f"/v1/books/{BOOK}/revaluations", json={"month": "2026-05"})
    assert asked.status_code == 202
    poster.parts.currencies.revaluer.perform_open()
    run = client.get(f"/v1/revaluation-runs/{asked.json()['run_id']}", headers=VIEWER).json()
    assert (run["state"], run["result"]) == ("completed", {"month": "2026-05", "ledgers": []})


def test_items_are_taken_over_and_their_residues_cleared(client: TestClient) -> None:
    path = f"/v1/books/{BOOK}"
    item = {**ITEM, "amount": "0.00", "base_amount": "0.50"}
    first, again = (client.post(f"{path}/open-items", json=item).json() for _ in range(2))
    assert (first["changed"], first["document"]["number"], again) == (
        True,
        "HBJ-1",
        {"changed": False},
    )
    (row,) = client.get(f"{path}/residues", headers=VIEWER).json()["residues"]
    assert (row["document"], row["base_amount"]) == ("HBJ-1", "0.50")
    (cleared,) = client.post(f"{path}/residues/clear").json()["residues"]
    assert cleared["entry"] == "HBJ-2"
    assert client.get(f"{path}/residues").json()["residues"] == []


def test_the_report_is_of_a_day(client: TestClient) -> None:
    client.post(f"/v1/books/{BOOK}/open-items", json=ITEM)
    path = f"/v1/books/{BOOK}/exchange"
    (row,) = client.get(path, headers=VIEWER).json()["open"]
    assert (row["amount"], row["carried"]) == ("50.00", "60.00")
    assert client.get(path, params={"day": "2026-01-30"}).json()["open"] == []


def test_a_parked_payment_can_be_looked_at_again(poster: Poster, client: TestClient) -> None:

    poster.feed(stated_payment(poster, "p1", amount="10.00"))
    poster.parts.currencies.payments.run_due()
    for expected in (True, False):
        with poster.store.transaction() as connection:
            assert look_again(connection, "p1", actor="ann", note="paid early") is expected
