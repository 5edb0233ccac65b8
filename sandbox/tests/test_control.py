"""The control interface: faults, somebody at work, the log, snapshots."""

import subprocess
import sys
from decimal import Decimal

import httpx
import pytest

from hourbridge.common.exact_json import loads
from hourbridge.sandbox.quickbooks_online import SandboxServer


def attempt(client, body, **parameters):
    try:
        answer = client.post("invoice", body, **parameters)
    except httpx.TransportError:
        return "dropped"
    return answer.status_code


@pytest.mark.parametrize(
    ("fault", "seen", "effects"),
    [
        ({"lose_response": {"next": 1}}, "dropped", 1),
        ({"lose_request": {"next": 1}}, "dropped", 0),
        ({"server_error": {"next": 1}}, 503, 0),
        ({"server_error": {"next": 1, "status": 500}}, 500, 0),
        ({"error_after_commit": {"next": 1}}, 504, 1),
        ({"throttle": {"next": 1}}, 429, 0),
        ({"html_page": {"next": 1}}, 502, 0),
        ({"truncated": {"next": 1}}, 200, 1),
        ({"slow": {"next": 1, "seconds": Decimal("0.01")}}, 200, 1),
    ],
)
def test_each_fault_and_what_it_leaves_behind(client, invoice, fault, seen, effects):
    client.control("PUT", "/faults", fault)
    assert attempt(client, invoice("A-1")) == seen
    made = client.control("GET", "/companies/123/creates").get("Invoice", {})
    assert len(made.get("A-1", [])) == effects
    assert attempt(client, invoice("A-2")) == 200  # only the next one was to fail


def test_a_truncated_answer_is_no_json(client, invoice):
    client.control("PUT", "/faults", {"truncated": {"next": 1}})
    with pytest.raises(ValueError):
        loads(client.post("invoice", invoice()).content)


def test_rates_strike_about_as_often_as_they_say(client, invoice):
    client.control("PUT", "/faults", {"lose_response": {"rate": Decimal("0.5")}})
    seen = [attempt(client, invoice(f"A-{n}")) for n in range(60)]
    assert 10 < seen.count("dropped") < 50
    happened = client.control("GET", "/faults")["happened"]["lose_response"]
    assert happened == seen.count("dropped")
    client.control("DELETE", "/faults")
    assert attempt(client, invoice("B-1")) == 200


def test_reads_fail_only_when_asked_to(client):
    client.control("PUT", "/faults", {"server_error": {"rate": 1}})
    assert client.get("preferences").status_code == 200
    client.control("PUT", "/faults", {"server_error": {"rate": 1, "on": "reads"}})
    assert client.get("preferences").status_code == 503


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/faults", {"nonsense": {}}, 400),
        ("PUT", "/faults", {"slow": {"nonsense": 1}}, 400),
        ("PUT", "/faults", {"slow": {"rate": 2}}, 400),
        ("PUT", "/settings", {"nonsense": 1}, 400),
        ("PUT", "/settings", {"requestid_memory_seconds": "long"}, 400),
        ("POST", "/companies", {"name": "no realm"}, 400),
        ("GET", "/companies/999", None, 404),
        ("POST", "/companies/123/people/invoice", {"action": "edit", "number": "none"}, 409),
        ("POST", "/snapshot", {}, 400),
    ],
)
def test_mistakes_are_told(client, method, path, body, status):
    answer = client.http.request(method, f"/_sandbox{path}", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_somebody_edits_pays_voids_and_deletes(client, invoice):
    people = "/companies/123/people/invoice"
    for number in ("A-1", "A-2", "A-3", "A-4"):
        client.post("invoice", invoice(number))
    line = {"action": "edit_line", "number": "A-1", "changes": {"UnitPrice": Decimal("145.50")}}
    assert client.control("POST", people, line)["TotalAmt"] == 291
    note = {"action": "edit", "number": "A-1", "changes": {"CustomerMemo": {"value": "m"}}}
    assert client.control("POST", people, note)["SyncToken"] == "2"
    client.control("POST", people, {"action": "pay", "number": "A-2", "amount": 100})
    client.control("POST", people, {"action": "void", "number": "A-3"})
    client.control("POST", people, {"action": "delete", "number": "A-4"})
    client.control("POST", people, {"action": "send", "number": "A-2"})
    found = {one["DocNumber"]: one for one in client.query("select * from Invoice")["Invoice"]}
    assert {number: one["Balance"] for number, one in found.items()} == {
        "A-1": 291,
        "A-2": 200,
        "A-3": 0,
    }
    assert found["A-2"]["EmailStatus"] == "EmailSent"


def test_the_log_tells_every_request_and_its_effect(client, invoice):
    client.post("invoice", invoice(), requestid="k")
    client.post("invoice", invoice(), requestid="k")
    client.post("invoice", invoice())
    start = client.control("GET", "/audit?limit=1")[0]["sequence"]
    log = client.control("GET", f"/audit?realm=123&after={start}")
    assert [(one["outcome"], one["request_id"], one["code"]) for one in log] == [
        ("executed", "k", None),
        ("replayed", "k", None),
        ("refused", None, "6140"),
    ]
    assert (log[0]["action"], log[0]["kind"], log[0]["number"]) == ("create", "Invoice", "A-1")
    assert client.control("GET", "/companies/123/creates") == {"Invoice": {"A-1": ["1"]}}


def test_the_books_can_be_taken_out_whole(client, invoice):
    client.post("invoice", invoice())
    books = client.control("GET", "/companies/123")
    assert [one["DocNumber"] for one in books["tables"]["Invoice"]] == ["A-1"]
    state = client.control("GET", "")
    assert state["companies"]["123"]["entities"]["Invoice"] == 1
    assert "client_secret" not in state["settings"]


def test_a_snapshot_keeps_books_and_tokens(client, invoice, server, tmp_path, connect):
    client.post("invoice", invoice())
    server.world.save(tmp_path / "books.json")
    again = SandboxServer(snapshot=tmp_path / "books.json")
    again.start()
    try:
        restored = connect(again)
        (kept,) = restored.query("select * from Invoice")["Invoice"]
        assert kept == client.query("select * from Invoice")["Invoice"][0]
        assert restored.post("invoice", invoice("A-1")).status_code == 400
        assert restored.post("invoice", invoice("A-2")).json()["Invoice"]["Id"] == "2"
        assert restored.get("customer/1").json()["Customer"]["Balance"] == 600
    finally:
        again.stop()


def test_it_runs_as_a_process_and_keeps_its_books_on_the_way_out(tmp_path):
    seed = tmp_path / "seed.json"
    seed.write_text('{"realm": "77", "customers": {"Acme": []}, "items": ["Work"]}')
    snapshot = tmp_path / "books.json"
    command = [sys.executable, "-m", "hourbridge.sandbox.quickbooks_online", "--port", "0"]
    options = ["--seed", str(seed), "--snapshot", str(snapshot), "--no-throttle"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(2)]
        address = lines[1].split()[-1]
        with httpx.Client(base_url=address) as http:
            state = http.get("/_sandbox").json()
        process.terminate()
        assert process.wait(20) == 0
    assert "RT1-77" in lines[0]
    assert state["companies"]["77"]["entities"]["Customer"] == 1
    assert loads(snapshot.read_bytes())["companies"][0]["realm"] == "77"
