"""The admin HTTP about lists: roles, what is shown, decided, exported and audited."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

from hourbridge.common.book import LedgerBinding
from hourbridge.common.runtime.admin import parse_tokens
from hourbridge.common.runtime.http import build_application
from hourbridge.connectors.ledger import LedgerEntity
from hourbridge.mapper.lists.auditing import Auditor
from hourbridge.mapper.lists.routes import ListsApi
from services.mapper.tests.lists.lists_bench import (
    CLIENTS_OUT,
    OUT,
    ListsBench,
    book,
    client,
    customer,
    hour,
    ledger_entry,
    project,
)
from tests.support.mapping import BOOK

pytestmark = pytest.mark.database
LISTS = f"/v1/books/{BOOK}/lists"


class Http:
    def __init__(self, lists: ListsBench, auditor: Auditor | None = None) -> None:
        api = ListsApi(lists.shown, lists.actions, auditor or lists.auditor)
        tokens = parse_tokens({"v": "vic:viewer", "o": "oli:operator"})
        app = build_application(api.routes(), liveness=list, readiness=list, actors=tokens)
        self._client = TestClient(app)

    def get(self, path: str, code: int = 200) -> Any:
        answer = self._client.get(path, headers={"Authorization": "Bearer v"})
        assert answer.status_code == code, answer.text
        return answer

    def post(self, path: str, body: Any, token: str = "o", code: int = 200) -> Any:
        kind = "content" if isinstance(body, bytes) else "json"
        headers = {"Authorization": f"Bearer {token}"}
        answer = self._client.post(path, headers=headers, **{kind: body})
        assert answer.status_code == code, answer.text
        return answer.json()


@pytest.fixture
def http(lists: ListsBench) -> Http:
    lists.apply({"rules": [{**CLIENTS_OUT, "approval": "required"}]})
    lists.learn(client("c1", "Acme"), client("c2", "=Birch"), project("p1", "Site", "c1"))
    lists.learn(customer("17", "Acme"), customer("18", "Birch Holding"))
    lists.plan()
    return Http(lists)


def test_status_counts_list_by_list(http: Http) -> None:
    answer = http.get(LISTS).json()
    rows = {(row["side"], row["list"]): (row["entries"], row["linked"]) for row in answer["lists"]}
    assert rows == {
        ("firm", "client"): (2, 1),
        ("firm", "project"): (1, 0),
        ("ledger", "customer"): (2, 1),
    }
    assert answer["planned"]["is_due"] is False


def test_entries_are_filtered_and_show_their_links(http: Http) -> None:
    answer = http.get(f"{LISTS}/entries?list=client&linked=yes").json()
    [row] = answer["entries"]
    assert (row["id"], row["linked_to"], row["how"]) == ("c1", ["customer 17"], ["name"])


def test_decisions_are_approved_by_operators_only(http: Http, lists: ListsBench) -> None:
    [row] = http.get(f"{LISTS}/decisions?kind=change").json()["decisions"]
    path = f"{LISTS}/decisions/{row['id']}"
    http.post(f"{path}/approve", {}, token="v", code=403)
    answer = http.post(f"{path}/approve", {"note": "fine"})
    assert answer["state"] == "requested"
    assert http.get(path).json()["decided_by"] == "oli"
    http.post(f"{path}/approve", {}, code=422)
    http.get(f"{LISTS}/decisions/none", code=404)


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"list": "clientele"}, "none of the lists"),
        ({"ledger_list": "vendor"}, "is linked to customer, not to vendor"),
        ({"id": "c9"}, "firm has no client 'c9'"),
        ({"ledger_id": "99"}, "the ledger has no customer '99'"),
        ({"id": ""}, "id:"),
    ],
)
def test_wrong_links_are_refused_with_reasons(
    http: Http, change: dict[str, str], detail: str
) -> None:
    good = {"source": "firm", "list": "client", "id": "c2", "ledger_id": "18"}
    code = 404 if "has no" in detail else 422
    assert detail in http.post(f"{LISTS}/link", {**good, **change}, code=code)["what"]


def test_link_and_unlink(http: Http) -> None:
    good = {"source": "firm", "list": "client", "id": "c2", "ledger_id": "18"}
    assert "'Birch Holding'" in http.post(f"{LISTS}/link", good)["linked"]
    assert http.post(f"{LISTS}/unlink", good) == {"unlinked": "18"}


def test_a_plan_of_another_policy_changes_nothing(http: Http) -> None:
    other = book({"rules": [{**CLIENTS_OUT, "block": ["*"]}]})
    answer = http.post(f"{LISTS}/plan", yaml.safe_dump(other).encode(), token="v")
    assert answer["changes"] == []
    assert len(http.get(f"{LISTS}/plan").json()["changes"]) == 1
    wrong = yaml.safe_dump({**other, "book": "another"}).encode()
    http.post(f"{LISTS}/plan", wrong, token="v", code=422)


def test_the_export_holds_everything_and_no_formula(http: Http) -> None:
    rows = list(csv.DictReader(io.StringIO(http.get(f"{LISTS}/export").text)))
    assert len(rows) == 5
    assert {row["name"] for row in rows if row["id"] == "c2"} == {"'=Birch"}
    assert len(http.get(f"{LISTS}/export?format=json").json()["entries"]) == 5


def test_blocking(http: Http, lists: ListsBench) -> None:
    request = {"side": "firm", "list": "client", "id": "c2", "mark": "blocked"}
    http.post(f"{LISTS}/mark", request)
    lists.plan()
    assert http.get(f"{LISTS}/decisions?kind=change").json()["decisions"] == []


def test_the_audit_reads_both_sides_as_stored(http: Http, lists: ListsBench) -> None:
    lists.bench.feed(lists.bench.accept(hour(client_id="c2"), source="firm"))
    answer = http.get(f"/v1/books/{BOOK}/audit").json()
    found = {(row["code"], row["severity"]) for row in answer["findings"]}
    assert ("work_waits", "error") in found
    assert ("not_linked", "warning") in found
    assert answer["ok"] is False
    assert answer["counts"]["error"] >= 1


class LiveLedger:
    """A ledger that is asked for its lists just now."""

    def __init__(self) -> None:
        self.closed = False

    def entities(self, kind: str) -> list[LedgerEntity]:
        return [LedgerEntity("item", "5", "Design")] if kind == "item" else []

    def closed_through(self) -> None:
        return None

    def check(self) -> list[str]:
        return ["the connection may only read"]

    def close(self) -> None:
        self.closed = True


def test_the_live_audit_asks_the_ledger_itself(lists: ListsBench) -> None:
    lists.apply(tasks=[{"task": "Design", "item": {"id": "5"}}])
    lists.learn(ledger_entry("item", "5", "Design", type="Service"))
    ledger = LiveLedger()

    def open_it(_binding: LedgerBinding) -> Any:
        return ledger

    http = Http(lists, Auditor(lists.store, lists.bench.configurations, open_it))
    answer = http.get(f"/v1/books/{BOOK}/audit?live=true").json()
    codes = [row["code"] for row in answer["findings"]]
    assert codes[:2] == ["item_without_income", "ledger_setup"]
    assert ledger.closed


def test_a_ledger_that_was_never_read_is_said_to_be_so(lists: ListsBench) -> None:
    lists.apply(OUT)
    http = Http(lists)
    for path in (f"/v1/books/{BOOK}/audit", f"/v1/books/{BOOK}/audit?live=true"):
        assert "ledger_not_read" in [row["code"] for row in http.get(path).json()["findings"]]
