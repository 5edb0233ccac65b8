"""The admin HTTP: roles, answers, and refusals that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from starlette.testclient import TestClient

from hourbridge.common.runtime.admin import parse_tokens
from hourbridge.common.runtime.http import build_application
from hourbridge.poster.routes import PosterApi
from tests.support.charges import hours, make_charge
from tests.support.faulty_ledger import rejected
from tests.support.posting import BOOK, Poster

TOKENS = {"t-view": "vera:viewer", "t-op": "otto:operator"}
OPERATOR = {"Authorization": "Bearer t-op"}
VIEWER = {"Authorization": "Bearer t-view"}


@pytest.fixture
def client(poster: Poster) -> Iterator[TestClient]:
    parts = poster.parts
    api = PosterApi(
        store=poster.store,
        documents=parts.documents,
        runs=parts.runs,
        decisions=parts.decisions,
        payables=parts.payable_decisions,
        status=parts.status,
        clock=poster.clock,
        wait_seconds_max=1,
    )
    application = build_application(
        api.routes(), liveness=list, readiness=list, actors=parse_tokens(TOKENS)
    )
    with TestClient(application, headers=OPERATOR) as client:
        yield client


def bill(client: TestClient, **body: object) -> dict:  # type: ignore[type-arg]
    answer = client.post(f"/v1/books/{BOOK}/bill", json={"through": "2026-03-31", **body})
    assert answer.status_code in (200, 202), answer.text
    shown: dict = answer.json()  # type: ignore[type-arg]
    return shown


def test_billing_from_the_request_to_the_document(poster: Poster, client: TestClient) -> None:
    poster.charge(make_charge("a", hours("2")))
    assert bill(client, dry_run=True)["documents"] == 1
    run = bill(client, sequence=1, wait_seconds=1)
    assert run["state"] == "waiting"
    poster.parts.runs.perform_open()
    shown = client.get(f"/v1/billing-runs/{run['run_id']}").json()
    assert (shown["state"], shown["documents"]) == ("completed", 1)
    poster.post()
    (row,) = client.get(f"/v1/books/{BOOK}/documents", params={"status": "posted"}).json()[
        "documents"
    ]
    assert (row["number"], row["total"], row["lines"]) == ("HB-1", "300.00", 1)
    document = client.get(f"/v1/documents/{row['document_id']}").json()
    assert document["lines"][0]["charge_ids"] == ["a"]
    status = client.get(f"/v1/books/{BOOK}/status", headers=VIEWER).json()
    assert (status["watermark"], status["charges"], status["documents"]) == (
        1,
        {"billed": 1},
        {"posted": 1},
    )


def test_parked_documents_are_listed_and_released(poster: Poster, client: TestClient) -> None:
    poster.ledger.closed = date(2026, 1, 31)
    poster.charge(make_charge("a", work_date=date(2026, 1, 15)))
    poster.bill()
    poster.post()
    (row,) = client.get("/v1/parked", params={"book": BOOK}).json()["parked"]
    assert (row["kind"], row["subject"], row["code"]) == ("document", "HB-1", "period_closed")
    assert row["waits_for"] == "approval:2026-02-01"
    (operation,) = client.get("/v1/operations").json()["operations"]
    assert (operation["state"], operation["number"]) == ("parked", "HB-1")
    released = client.post(
        f"/v1/parked/{row['id']}/release", json={"note": "ok", "date": "2026-02-10"}
    ).json()
    assert (released["status"], released["document_date"]) == ("posting", "2026-02-10")
    poster.post()
    assert client.get("/v1/parked").json() == {"parked": []}


def test_restore_and_withdraw(poster: Poster, client: TestClient) -> None:
    poster.charge(make_charge("a"), make_charge("b", client="Bolt"))
    poster.bill()
    poster.ledger.faults = [None, rejected("610")]
    poster.post()
    posted, parked = poster.documents()
    path = f"/v1/documents/{posted.document_id}/restore"
    assert client.post(path, json={"note": "edited by mistake"}).json()["generation"] == 2
    assert client.post(f"/v1/documents/{parked.document_id}/withdraw").json()["status"] == (
        "withdrawn"
    )
    refused = client.post(f"/v1/documents/{parked.document_id}/release")
    assert (refused.status_code, refused.json()["error"]) == (422, "not_possible")


def test_lanes_and_gauges(poster: Poster, client: TestClient) -> None:
    poster.charge(make_charge("a"))
    poster.bill()
    poster.parts.status.refresh_metrics()
    text = client.get("/metrics").text
    assert 'hourbridge_poster_operations{state="pending"} 1.0' in text
    assert client.get("/v1/lanes").json() == {"lanes": []}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", f"/v1/books/{BOOK}/bill", 403),
        ("POST", "/v1/documents/x/release", 403),
        ("POST", "/v1/documents/x/restore", 403),
        ("POST", "/v1/parked/x/release", 403),
        ("GET", "/v1/documents/x", 404),
        ("GET", "/v1/billing-runs/x", 404),
        ("GET", "/v1/parked?limit=0", 422),
        ("GET", "/v1/operations?limit=x", 422),
    ],
)
def test_refusals(client: TestClient, method: str, path: str, status: int) -> None:
    assert client.request(method, path, headers=VIEWER).status_code == status
    assert client.request(method, path, headers={"Authorization": ""}).status_code == 401


@pytest.mark.parametrize(
    "body", ["{}", '{"through": "soon"}', '{"through": "2026-03-31", "sequense": 3}', "[", ""]
)
def test_bodies_that_cannot_be_used_say_why(client: TestClient, body: str) -> None:
    answer = client.post(f"/v1/books/{BOOK}/bill", content=body)
    assert (answer.status_code, answer.json()["error"]) == (422, "request_invalid")
    assert answer.json()["what"]
