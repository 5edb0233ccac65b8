"""Positions, keys, conflicts and records over the admin API."""

from __future__ import annotations

from typing import Any

import pytest

from hourbridge.ingestor.acceptor import Acceptor, Statement
from services.ingestor.tests.test_acceptor import AS_OF

pytestmark = pytest.mark.database
ADMIN = {"authorization": "Bearer admin-token"}
OPERATOR = {"authorization": "Bearer operator-token"}
VIEWER = {"authorization": "Bearer viewer-token"}


def state(api: Any, clock: Any, *records: Any) -> Any:
    with api.store.transaction() as connection:
        return Acceptor(clock).accept(
            connection,
            [Statement("acme", "toggl", record, "payload:p", AS_OF) for record in records],
        )


@pytest.fixture
def conflict(api: Any, clock: Any, make_entry: Any) -> str:
    """The id of an open conflict: version 3 stated with 1 and then with 2 hours."""
    state(api, clock, make_entry("1", external_version="3"))
    state(api, clock, make_entry("1", external_version="3", input={"seconds": 7200}))
    parked = api.http.get("/v1/parked", params={"book": "acme"}, headers=VIEWER).json()["parked"]
    assert len(parked) == 1
    assert parked[0]["stored"]["input"]["seconds"] == 3600
    assert parked[0]["stated"]["input"]["seconds"] == 7200
    return str(parked[0]["id"])


def release(api: Any, conflict: str, body: Any, headers: Any = OPERATOR) -> Any:
    return api.http.post(f"/v1/parked/{conflict}/release", json=body, headers=headers)


def test_a_book_s_position_is_its_last_sequence_number(
    api: Any, clock: Any, make_entry: Any
) -> None:
    assert api.http.get("/v1/books/acme/position", headers=VIEWER).json()["sequence"] == 0
    state(api, clock, make_entry("1"), make_entry("2"))
    assert api.http.get("/v1/books/acme/position", headers=VIEWER).json()["sequence"] == 2


def test_the_parked_content_takes_effect_when_chosen(
    api: Any, clock: Any, make_entry: Any, conflict: str
) -> None:
    answer = release(api, conflict, {"choice": "new", "note": "the client confirmed 2 h"})
    assert answer.json()["sequence"] == 2
    told = api.received()
    assert [event["data"]["state"]["input"]["seconds"] for event in told] == [7200]
    assert told[0]["data"]["revision"] == 4
    later = state(api, clock, make_entry("1", external_version="4", notes="next"))
    assert later.revisions[0].revision == 5
    assert api.rows("SELECT actor, action FROM audit ORDER BY id DESC LIMIT 1") == [
        ("olga", "conflict.taken")
    ]


def test_what_stands_is_kept_unless_chosen_otherwise(api: Any, conflict: str) -> None:
    assert release(api, conflict, {}).json()["choice"] == "kept"
    assert api.received() == []
    assert api.http.get("/v1/parked", headers=VIEWER).json()["parked"] == []


def test_a_decided_conflict_is_not_opened_by_another_delivery(
    api: Any, clock: Any, make_entry: Any, conflict: str
) -> None:
    release(api, conflict, {"choice": "kept"})
    state(api, clock, make_entry("1", external_version="3", input={"seconds": 7200}))
    assert api.http.get("/v1/parked", headers=VIEWER).json()["parked"] == []


@pytest.mark.parametrize(("body", "status"), [({"choice": "both"}, 422), ({"choice": 7}, 422)])
def test_a_choice_must_be_one_of_two(api: Any, conflict: str, body: Any, status: int) -> None:
    assert release(api, conflict, body).status_code == status


def test_a_decision_is_made_once_and_by_an_operator(api: Any, conflict: str) -> None:
    assert release(api, conflict, {}, VIEWER).status_code == 403
    assert release(api, conflict, {}).status_code == 200
    assert release(api, conflict, {}).status_code == 404


def test_a_record_shows_its_names_and_former_revisions(
    api: Any, clock: Any, make_entry: Any
) -> None:
    state(api, clock, make_entry("old", external_version="1", notes="first"))
    state(
        api,
        clock,
        make_entry("new", previous_external_ids=["old"], external_version="2", notes="second"),
    )
    path = "/v1/books/acme/sources/toggl/records/time_entry"
    by_old = api.http.get(f"{path}/old", headers=VIEWER).json()
    by_new = api.http.get(f"{path}/new", headers=VIEWER).json()
    assert by_old == by_new
    assert by_old["aliases"] == ["new", "old"]
    assert [each["state"]["notes"] for each in by_old["former_revisions"]] == ["first"]
    assert api.http.get(f"{path}/none", headers=VIEWER).status_code == 404


def test_keys_need_an_administrator_and_names_that_are_names(api: Any) -> None:
    assert api.http.post("/v1/books/acme/sources/x/keys", headers=OPERATOR).status_code == 403
    assert api.http.post("/v1/books/ACME/sources/x/keys", headers=ADMIN).status_code == 422


def test_only_hashes_of_keys_are_stored(api: Any) -> None:
    stored = api.rows("SELECT * FROM intake_key")
    assert api.key.split("_", 2)[2] not in str(stored)


def test_records_are_found_by_a_source_s_own_id(api: Any, clock: Any, make_entry: Any) -> None:
    state(api, clock, make_entry("77"), make_entry("78"))
    path = "/v1/books/acme/records"
    (found,) = api.http.get(path, params={"external_id": "77"}, headers=VIEWER).json()["records"]
    assert (found["source"], found["external_id"]) == ("toggl", "77")
    for query in ({"external_id": "79"}, {"external_id": "77", "source": "other"}):
        assert api.http.get(path, params=query, headers=VIEWER).json() == {"records": []}
    assert api.http.get(path, headers=VIEWER).status_code == 422


def test_a_record_is_found_by_an_id_that_it_had_before(
    api: Any, clock: Any, make_entry: Any
) -> None:
    state(api, clock, make_entry("77", external_version="1"))
    renamed = make_entry("99", external_version="2", previous_external_ids=["77"])
    state(api, clock, renamed)
    path = "/v1/books/acme/records"
    found = [
        api.http.get(path, params={"external_id": id}, headers=VIEWER).json()["records"]
        for id in ("77", "99")
    ]
    assert found[0] == found[1]
    assert len(found[0]) == 1
