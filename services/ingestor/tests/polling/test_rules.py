"""Selective sync at the door: what is blocked is counted and kept, and comes in when freed."""

from __future__ import annotations

from typing import Any

from tests.support.polling import Polling


def rule(polling: Polling, rule: str, scope: str, *ids: str) -> dict[str, Any]:
    answer: dict[str, Any] = polling.post("rules", {"scope": scope, "ids": ids, "rule": rule})
    return answer


def put_clients(polling: Polling, *ids: str) -> None:
    for name in ids:
        polling.source.put("clients", name)


def read_again(polling: Polling) -> dict[str, Any]:
    polling.clock.step(hours=9)
    polling.run()
    found: list[dict[str, Any]] = polling.get("readings?feed=clients")["readings"]
    return found[0]


def test_a_blocked_client_stays_out_of_every_sync(polling: Polling) -> None:
    put_clients(polling, "16", "17", "18")
    polling.attach("clients")
    rule(polling, "block", "client", "17")
    polling.run()
    assert set(polling.records("client")) == {"16", "18"}

    polling.source.put("clients", "17", name="Renamed meanwhile")
    reading = read_again(polling)

    assert set(polling.records("client")) == {"16", "18"}
    assert reading["counts"] == {"client": {"unchanged": 2, "skipped": 1}}
    (kept,) = polling.get("rules/kept-out")["kept_out"]
    assert (kept["external_id"], kept["name"]) == ("17", "Renamed meanwhile")
    (listed,) = polling.get("rules")["rules"]
    assert (listed["rule"], listed["kept_out"], listed["made_by"]) == ("block", 1, "alice")


def test_a_freed_client_comes_in_as_it_was_stated_last(polling: Polling) -> None:
    put_clients(polling, "16", "17")
    polling.attach("clients")
    rule(polling, "block", "client", "17")
    polling.run()
    polling.source.put("clients", "17", name="Renamed meanwhile")
    read_again(polling)
    polling.received()

    assert rule(polling, "clear", "client", "17")["let_in"] == 1

    (event,) = polling.received()
    assert event["data"]["state"]["name"] == "Renamed meanwhile"
    assert polling.get("rules/kept-out")["kept_out"] == []
    reading = read_again(polling)
    assert reading["counts"] == {"client": {"unchanged": 2}}


def test_blocking_what_is_known_keeps_it_as_it_is(polling: Polling) -> None:
    put_clients(polling, "16", "17")
    polling.attach("clients")
    polling.run()
    rule(polling, "block", "client", "17")
    polling.source.put("clients", "17", name="Renamed")
    read_again(polling)

    states = polling.rows("SELECT state, deleted FROM record WHERE external_id = '17'")
    assert (states[0].state["name"], states[0].deleted) == ("clients 17", False)
    assert ("gone", "clients") not in polling.source.calls


def test_allowing_single_things_closes_the_list_for_others(polling: Polling) -> None:
    put_clients(polling, "16", "17", "18")
    polling.attach("clients")
    rule(polling, "allow", "client", "16")
    polling.run()
    assert set(polling.records("client")) == {"16"}

    rule(polling, "allow", "client", "18")
    assert set(polling.records("client")) == {"16", "18"}
    rule(polling, "clear", "client", "16", "18")
    assert set(polling.records("client")) == {"16", "17", "18"}


def test_a_whole_list_is_turned_off_by_its_name(polling: Polling) -> None:
    polling.source.put("customer", "customer:58")
    polling.source.put("customer", "customer:59")
    polling.attach("customer")
    rule(polling, "block", "customer", "*")
    rule(polling, "allow", "customer", "59")
    polling.run()
    assert set(polling.records("list_entry")) == {"customer:59"}

    rule(polling, "clear", "customer", "*")
    assert set(polling.records("list_entry")) == {"customer:59"}
    rule(polling, "clear", "customer", "59")
    assert set(polling.records("list_entry")) == {"customer:58", "customer:59"}


def test_skipped_things_are_told_among_the_outcomes(polling: Polling) -> None:
    put_clients(polling, "16", "17")
    polling.attach("clients")
    rule(polling, "block", "client", "17")
    polling.run()
    (told,) = polling.totals()
    assert told["totals"][0]["rows"] == 2
    assert told["outcomes"] == {"accepted": 1, "skipped": 1}
