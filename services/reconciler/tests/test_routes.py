"""The admin API: roles, bodies with money as text, and errors that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from hourbridge.common.bus.embedded import EmbeddedBus
from hourbridge.common.runtime.admin import parse_tokens
from hourbridge.common.runtime.http import build_application
from hourbridge.common.store.leases import Leases
from hourbridge.reconciler.settings import ReconcilerSettings
from hourbridge.reconciler.wiring import build
from tests.support.reconciling import BOOK, changed, charged, document, line

pytestmark = pytest.mark.database

URL = f"/v1/books/{BOOK}"


@pytest.fixture
def client(bench: Any) -> Iterator[TestClient]:
    definition = build(
        ReconcilerSettings(recheck_seconds=0),
        store=bench.store,
        bus=EmbeddedBus(),
        clock=bench.clock,
        ledgers=bench.ledger.open,
    )
    actors = parse_tokens({"see": "vera:viewer", "do": "olga:operator"})
    application = build_application(definition.routes, liveness=list, readiness=list, actors=actors)
    with TestClient(application, headers={"Authorization": "Bearer do"}) as opened:
        yield opened
    definition.bus.close()


@pytest.fixture
def deleted(bench: Any) -> None:
    bench.feed(charged("r1", 1), charged("r2", 2, 1800))
    posted = bench.ledger.post(document("doc-1", [line(1, ["r1"], "1")]))
    bench.feed(changed(posted))
    bench.ledger.delete(posted)


@pytest.mark.usefixtures("deleted")
def test_reconcile_answers_with_a_summary_and_what_is_open(client: TestClient) -> None:
    answer = client.post(f"{URL}/reconcile").json()
    assert (answer["opened"], answer["open"]) == (1, {"target_deleted": 1})
    assert answer["totals_hash"].startswith("sha256:")
    (discrepancy,) = answer["discrepancies"]
    assert discrepancy["difference_amount"] == "-150.00"
    assert discrepancy["document_id"] == "doc-1"

    listed = client.get(f"{URL}/discrepancies", params={"state": "open"}).json()
    assert listed["discrepancies"] == answer["discrepancies"]
    resolved = client.get(f"{URL}/discrepancies", params={"state": "resolved"}).json()
    assert resolved["discrepancies"] == []


@pytest.mark.usefixtures("deleted")
def test_accepting_needs_a_note_and_an_operator(client: TestClient) -> None:
    (discrepancy,) = client.post(f"{URL}/reconcile").json()["discrepancies"]
    accept = f"{URL}/discrepancies/{discrepancy['id']}/accept"
    assert client.post(accept, json={}).status_code == 422
    viewer = {"Authorization": "Bearer see"}
    assert client.post(accept, json={"note": "ok"}, headers=viewer).status_code == 403
    assert client.post(accept, json={"note": "written off"}).status_code == 200
    assert client.get(f"{URL}/discrepancies").json()["discrepancies"] == []
    unknown = f"{URL}/discrepancies/nothing/accept"
    assert client.post(unknown, json={"note": "ok"}).status_code == 404


@pytest.mark.usefixtures("deleted")
def test_reports(client: TestClient) -> None:
    status = client.get(f"{URL}/reports/status").json()
    assert (status["records"], status["charges"], status["settled_through"]) == (2, 2, 2)
    assert (status["unbilled_hours"], status["open_discrepancies"]) == ("0.50", 0)
    unbilled = client.get(f"{URL}/reports/unbilled", params={"older_than_days": "0"}).json()
    assert unbilled["leakage"][0]["amount"] == "75.00"
    times = client.get(f"{URL}/reports/time-to-invoice").json()
    assert [(row["workflow"], row["p50_seconds"]) for row in times["workflows"]] == [
        ("standard", "90000.000")
    ]
    totals = client.get(f"{URL}/reports/totals").json()
    assert totals["documents"][0]["amount"] == "150.00"
    assert client.get(f"{URL}/reports/totals", params={"run": "last"}).status_code == 404
    client.post(f"{URL}/reconcile")
    fixed = client.get(f"{URL}/reports/totals", params={"run": "last"}).json()
    assert fixed["totals_hash"] == client.get(f"{URL}/reports/totals").json()["totals_hash"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("discrepancies?state=maybe", 422),
        ("discrepancies?limit=many", 422),
        ("reports/unbilled?older_than_days=-1", 422),
    ],
)
def test_wrong_parameters_are_named(client: TestClient, path: str, status: int) -> None:
    assert client.get(f"{URL}/{path}").status_code == status


def test_nothing_without_a_token(client: TestClient) -> None:
    for path in ("discrepancies", "reports/status", "reports/totals", "reports/unbilled"):
        answer = client.get(f"{URL}/{path}", headers={"Authorization": ""})
        assert answer.status_code == 401


def test_one_run_per_book_at_a_time(client: TestClient, bench: Any) -> None:
    other = Leases(bench.store, "another replica")
    assert other.acquire(f"reconcile:{BOOK}", ttl_seconds=60) is not None
    answer = client.post(f"{URL}/reconcile")
    assert (answer.status_code, answer.json()["error"]) == (503, "reconciliation_running")
