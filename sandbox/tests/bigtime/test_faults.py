"""Faults on demand: latency, resets, partial bodies, HTML, lost responses (checklist 1 and 4)."""

from __future__ import annotations

import time

import httpx
import pytest

ENTRY = {"Dt": "2026-10-06", "StaffSID": 1, "ProjectSID": 1, "BudgCatID": 1, "Hours_IN": 1}


def test_html_page_with_status_500(firm, client):
    firm.disturb("html_page", next=1, on="reads")
    answer = client.send("GET", "client")
    assert answer.status_code == 500
    assert answer.text.startswith("<!DOCTYPE html>")
    assert client.status("GET", "client") == 200


def test_lost_response_leaves_the_entry_in_the_books(firm, client):
    firm.disturb("lose_response", next=1, on="writes")
    with pytest.raises(httpx.TransportError):
        client.post("time", ENTRY)
    assert len(client.sheet()) == 1


def test_lost_request_leaves_nothing(firm, client):
    firm.disturb("lose_request", next=1, on="writes")
    with pytest.raises(httpx.TransportError):
        client.post("time", ENTRY)
    assert client.sheet() == []


def test_partial_body_breaks_off_within_the_announced_length(firm, client):
    firm.disturb("partial_body", next=1, on="reads")
    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
        client.get("client")


def test_truncated_and_wrong_json(firm, client):
    firm.disturb("truncated", next=1, on="reads")
    answer = client.send("GET", "client")
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        answer.json()
    firm.disturb("wrong_json", next=1, on="reads")
    assert client.get("client") == {"Message": "Your data is being prepared.", "Data": None}


def test_session_expires_on_demand_and_stays_expired(firm, log_in):
    user = log_in()
    firm.disturb("expire_session", next=1, on="all")
    assert [user.status("GET", "client") for _ in range(2)] == [401, 401]
    assert log_in().status("GET", "client") == 200


def test_every_third_call_to_a_path(firm, client):
    firm.disturb("server_error", every=3, on="reads", path="time/sheet", status=503)
    query = {"StartDt": "2026-10-01", "EndDt": "2026-10-02"}
    statuses = [client.status("GET", "Time/Sheet/1", **query) for _ in range(6)]
    assert statuses == [200, 200, 503, 200, 200, 503]
    assert {client.status("GET", "client") for _ in range(4)} == {200}


def test_storm_of_429_with_a_pause(firm, client):
    firm.disturb("throttle", next=3, on="all", retry_after_seconds=7)
    answers = [client.send("GET", "client") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 429, 429, 200]
    assert answers[0].headers["retry-after"] == "7"


def test_latency(firm, client):
    firm.disturb("slow", next=1, on="reads", seconds="0.2")
    began = time.monotonic()
    client.get("client")
    assert time.monotonic() - began >= 0.2


def test_faults_by_the_control_interface(firm, client):
    base = firm.server.base_url
    set_to = {"lose_request": {"next": 1, "on": "reads"}}
    assert httpx.put(f"{base}/_sandbox/faults", json=set_to).status_code == 200
    with pytest.raises(httpx.TransportError):
        client.get("client")
    told = httpx.get(f"{base}/_sandbox/faults").json()
    assert told["happened"] == {"lose_request": 1}
    assert httpx.delete(f"{base}/_sandbox/faults").json()["set"] == {}
    assert httpx.put(f"{base}/_sandbox/faults", json={"flood": {}}).status_code == 400


def test_every_call_is_on_record(firm, client):
    firm.disturb("lose_response", next=1, on="writes")
    with pytest.raises(httpx.TransportError):
        client.post("time", ENTRY)
    client.get("client")
    lost, read = firm.calls()
    assert (lost["outcome"], lost["delivery"], lost["realm"]) == ("executed", "lost", "acme")
    assert (read["path"], read["status"]) == ("client", 200)
