"""The admin HTTP: roles, documents, parked records."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from starlette.applications import Starlette
from starlette.testclient import TestClient

from hourbridge.common.runtime.admin import parse_tokens
from hourbridge.common.runtime.http import build_application
from hourbridge.mapper.payroll import Payroll
from hourbridge.mapper.renormalising import Renormaliser
from hourbridge.mapper.routes import BODY_BYTES_MAX, MapperApi
from hourbridge.mapper.time_routes import TimeApi
from tests.support.mapping import BOOK, MapperBench, document, time_entry

pytestmark = pytest.mark.database

TOKENS = {
    "v": "vic:viewer",
    "o": "oli:operator",
    "m": "mia:viewer",
    "a": "ann:administrator",
}


def application(bench: MapperBench) -> Starlette:
    api = MapperApi(
        bench.store,
        bench.configurations,
        bench.planner,
        bench.applier,
        bench.parked,
        mapping_actors=("mia",),
    )
    return build_application(
        api.routes(), liveness=list, readiness=list, actors=parse_tokens(TOKENS)
    )


class Client:
    def __init__(self, bench: MapperBench, app: Starlette | None = None) -> None:
        self._client = TestClient(app or application(bench))

    def post(self, path: str, body: Any = b"", token: str = "a") -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        return self._client.post(path, content=body, headers=headers)

    def get(self, path: str, token: str = "v") -> Any:
        return self._client.get(path, headers={"Authorization": f"Bearer {token}"})


@pytest.fixture
def http(bench: MapperBench) -> Client:
    return Client(bench)


def yaml_text(**changes: Any) -> bytes:
    return yaml.safe_dump(document(**changes)).encode()


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/v1/mappings/check", "x", 401),
        ("/v1/mappings/check", "v", 200),
        ("/v1/mappings/plan", "v", 200),
        ("/v1/mappings/apply", "v", 403),
        ("/v1/mappings/apply", "o", 403),
        ("/v1/mappings/apply", "m", 200),
        ("/v1/mappings/apply", "a", 200),
        ("/v1/parked/x/release", "v", 403),
        ("/v1/parked/x/release", "o", 404),
    ],
)
def test_roles(http: Client, path: str, token: str, status: int) -> None:
    body = b"" if path.endswith("release") else yaml_text()
    assert http.post(path, body, token).status_code == status


def test_check_plan_apply(http: Client) -> None:
    checked = http.post("/v1/mappings/check", yaml_text()).json()
    assert checked["ok"]
    assert [warning["code"] for warning in checked["warnings"]] == ["ledger_not_checked"]
    planned = http.post("/v1/mappings/plan", yaml_text()).json()
    assert planned["active_version"] == 0
    applied = http.post("/v1/mappings/apply?note=first&expected_version=0", yaml_text()).json()
    assert (applied["version"], applied["changed"]) == (1, True)
    again = http.post("/v1/mappings/apply", yaml_text()).json()
    assert (again["version"], again["changed"]) == (1, False)
    stale = http.post("/v1/mappings/apply?expected_version=0", yaml_text())
    assert stale.status_code == 422
    assert stale.json()["error"] == "version_conflict"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"book: [", "not readable as YAML"),
        (b"book: b", "currency: Field required"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_unreadable_documents(http: Client, body: bytes, words: str) -> None:
    answer = http.post("/v1/mappings/check", body)
    assert answer.status_code == 422
    assert words in answer.json()["what"]


def test_a_document_that_is_too_large(http: Client) -> None:
    answer = http.post("/v1/mappings/check", b"x" * (BODY_BYTES_MAX + 1))
    assert answer.json()["error"] == "payload_too_large"


def test_bad_parameters(http: Client) -> None:
    answer = http.post("/v1/mappings/apply?expected_version=-1", yaml_text())
    assert answer.json()["error"] == "request_invalid"


def test_configurations_can_be_read(http: Client) -> None:
    assert http.get(f"/v1/books/{BOOK}/configuration").status_code == 404
    http.post("/v1/mappings/apply?note=one", yaml_text())
    http.post("/v1/mappings/apply", yaml_text(tasks=[{"task": "T", "item": {"id": "1"}}]))
    active = http.get(f"/v1/books/{BOOK}/configuration").json()
    assert (active["version"], active["active_version"]) == (2, 2)
    assert active["document"]["tasks"] == [{"task": "T", "item": {"id": "1"}}]
    first = http.get(f"/v1/books/{BOOK}/configuration?version=1").json()
    assert (first["note"], first["applied_by"], first["active_version"]) == ("one", "ann", 2)
    history = http.get(f"/v1/books/{BOOK}/configurations").json()["versions"]
    assert [version["version"] for version in history] == [2, 1]
    remaps = http.get(f"/v1/books/{BOOK}/remaps").json()["remaps"]
    assert [(task["version"], task["state"]) for task in remaps] == [
        (2, "open"),
        (1, "superseded"),
    ]


def test_parked_records_are_listed_and_released(http: Client, bench: MapperBench) -> None:
    bench.feed(bench.accept(time_entry()))
    [item] = http.get(f"/v1/parked?book={BOOK}&limit=5").json()["parked"]
    assert item["waits_for"] == [f"configuration:{BOOK}"]
    http.post("/v1/mappings/apply", yaml_text())
    answer = http.post(f"/v1/parked/{item['id']}/release", b'{"note": "now"}', "o").json()
    assert answer["released"]
    assert http.get("/v1/parked").json()["parked"] == []


def test_a_release_with_an_unreadable_note(http: Client) -> None:
    assert http.post("/v1/parked/x/release", b"{", "o").json()["error"] == "request_invalid"


@pytest.mark.parametrize(
    ("body", "released"),
    [(b'{"fold": "earlier"}', True), (b'{"end_fold": "later"}', True), (b"{}", False)],
)
def test_a_release_may_say_which_of_two_times_is_meant(
    http: Client, bench: MapperBench, body: bytes, released: bool
) -> None:
    http.post("/v1/mappings/apply", yaml_text())
    entry = time_entry(
        work_date="2026-11-01",
        original_start_text="2026-11-01T01:30",
        zone={"iana": "America/New_York"},
    )
    [change] = bench.feed(bench.accept(entry))
    path = f"/v1/parked/{change.record_id}/release"
    assert http.post(path, b'{"fold": "sooner"}', "o").json()["error"] == "request_invalid"
    assert http.post(path, body, "o").json()["released"] is released


def time_http(bench: MapperBench) -> Client:
    parts: Any = {"outbox": bench.outbox, "clock": bench.clock}
    api = TimeApi(
        Payroll(bench.store, bench.configurations),
        Renormaliser(bench.store, bench.configurations, **parts),
    )
    application = build_application(
        api.routes(), liveness=list, readiness=list, actors=parse_tokens(TOKENS)
    )
    return Client(bench, application)


def test_payroll_is_a_table(bench: MapperBench) -> None:
    bench.apply()
    bench.feed(bench.accept(time_entry()))
    http = time_http(bench)
    path = f"/v1/books/{BOOK}/payroll"
    answer = http.get(f"{path}?from=2026-03-01&to=2026-03-31")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.splitlines()[1].startswith("Ann,Ann,2026-03-02,stated,")
    for query in ("", "?from=2026-03-01&to=soon", "?from=2026-03-02&to=2026-03-01"):
        assert http.get(path + query).json()["error"] == "request_invalid"
    wrong = f"{path}?from=2026-03-01&to=2026-03-31&per=week"
    assert http.get(wrong).json()["error"] == "request_invalid"
    nobody = "/v1/books/nobody/payroll?from=2026-03-01&to=2026-03-31"
    assert http.get(nobody).status_code == 404


def test_what_newer_rules_change_is_shown_to_viewers_and_taken_over_by_operators(
    bench: MapperBench,
) -> None:
    bench.apply()
    http = time_http(bench)
    path = f"/v1/books/{BOOK}/time/renormalisation"
    assert http.get(path).json()["proposals"] == []
    assert http.post(path, b'{"records": []}', "v").status_code == 403
    assert http.post(path, b'{"records": ["x"]}', "o").json()["changed"] == 0
    for body in (b"", b"[]", b'{"records": "x"}', b'{"records": [1]}'):
        assert http.post(path, body, "o").json()["error"] == "request_invalid"
