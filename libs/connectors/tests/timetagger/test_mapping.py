"""From rows to entries: conventions, and rows that nobody could use."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.common.errors import (
    ConfigurationInvalid,
    SourceAnswerUnreadable,
    SourceError,
    SourceRefused,
    SourceThrottled,
    SourceUnavailable,
)
from hourbridge.common.messages.records import TimeEntry
from hourbridge.connectors.json_calls import JsonCalls
from hourbridge.connectors.json_rows import RawRow, rows_of
from hourbridge.connectors.source import Statement
from hourbridge.connectors.timetagger.mapping import entry_of
from hourbridge.connectors.timetagger.settings import TimeTaggerSettings, timetagger_settings
from hourbridge.connectors.timetagger.tags import meaning_of, tags_of
from tests.support.trackers import FreeBudget

SETTINGS = TimeTaggerSettings(staff_id="ada", zone="America/New_York")
ROW = {"key": "k1", "mt": 1772445600, "t1": 1772445600, "t2": 1772449200, "ds": "", "st": 1.5}


def of(**changes: Any) -> Statement:
    row = {**ROW, **changes}
    body = json.dumps({"records": [row]}).encode()
    return entry_of(rows_of(body, "records")[0], SETTINGS, "row 1")


def codes(stated: Statement) -> list[tuple[str, str]]:
    return [(reason.field, reason.code) for reason in stated.reasons]


def test_tags_are_found_as_timetagger_finds_them() -> None:
    said = "#Acme/Web fixed #Ünïcode, see issue #7 #acme/web C# # end#glued#tags"
    assert tags_of(said) == ("acme/web", "ünïcode", "7", "glued", "tags")


def test_conventions_and_meanings_said_outright() -> None:
    settings = timetagger_settings(
        {
            "staff_id": "ada",
            "zone": "UTC",
            "tags": {"#roof": {"client": "globex", "project": "Roof"}},
            "project_prefix": "p-",
            "default_state": "billable",
        }
    )
    said = meaning_of("#roof", settings)
    assert (said.client, said.project, said.state) == ("globex", "Roof", "billable")
    assert meaning_of("#client-acme #p-web", settings).project == "web"
    assert meaning_of("#client- #p-", settings).client is None
    assert meaning_of("#a/b/c/d", settings).client is None
    clash = meaning_of("#roof #client-acme", settings)
    assert clash.clashes == (("client", "#roof and #client-acme name different clients"),)


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "UTC"},
        {"staff_id": "ada", "zone": "Mars/Olympus"},
        {"staff_id": "ada", "zone": "UTC", "colour": "red"},
        {"staff_id": "ada", "zone": "UTC", "tags": {"x": "acme"}},
    ],
)
def test_wrong_settings_name_the_field(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationInvalid, match="TimeTagger setting"):
        timetagger_settings(wrong)


def test_the_work_date_is_local_and_work_may_cross_midnight() -> None:
    late = of(t1=1772420400, t2=1772431200)  # 22:00 to 01:00 in New York, the next day in UTC
    assert isinstance(late.record, TimeEntry)
    assert str(late.record.work_date) == "2026-03-01"
    assert late.record.crosses_midnight


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"t2": 1772445599}, [("t2", "end_before_start")]),
        ({"t2": 1772445600 + 367 * 86400}, [("t2", "over_a_year")]),
        ({"t1": None}, [("t1", "missing")]),
        ({"t1": "nine"}, [("t1", "whole_number_expected")]),
        ({"t1": 10**40}, [("t1", "instant_invalid")]),
        ({"key": None}, [("key", "missing")]),
        ({"key": ""}, [("key", "missing")]),
        ({"key": "k" * 256}, [("key", "id_invalid")]),
        ({"st": None}, [("st", "order_missing")]),
        ({"st": 10**30}, [("st", "order_missing")]),
        ({"ds": "a\x00b"}, [("(row)", "text_invalid")]),
        ({"ds": "\ud800"}, [("(row)", "text_invalid")]),
        ({"ds": 7}, [("ds", "text_expected")]),
        ({"ds": "#a/b #c/d"}, [("ds (client)", "tags_clash"), ("ds (project)", "tags_clash")]),
        ({"ds": "#billable #internal"}, [("ds (billable_state)", "tags_clash")]),
    ],
)
def test_rows_that_can_t_be_used_say_why(changes: dict[str, Any], found: list[Any]) -> None:
    stated = of(**changes)
    assert stated.record is None
    assert codes(stated) == found
    assert json.loads(stated.raw)["mt"] == ROW["mt"], "kept as it came"


def test_a_deletion_needs_nothing_but_the_key() -> None:
    stated = of(ds="HIDDEN was nonsense #a/b #c/d", t1="?", t2=None, mt="?")
    assert isinstance(stated.record, TimeEntry)
    assert stated.record.deleted is not None
    assert stated.order_key == 1_500_000


def test_long_texts_and_emoji_travel() -> None:
    stated = of(ds="😀" * 500, key="9" * 200)
    assert isinstance(stated.record, TimeEntry)
    assert stated.record.notes == "😀" * 500


@given(
    st.dictionaries(
        st.sampled_from(["key", "mt", "t1", "t2", "ds", "st"]),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.text()
            | st.decimals(allow_nan=False, allow_infinity=False),
            lambda inner: (
                st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2)
            ),
            max_leaves=4,
        ),
    )
    | st.lists(st.integers())
    | st.text()
)
def test_whatever_a_row_holds_it_is_a_statement(value: Any) -> None:
    stated = entry_of(RawRow(value, b"x"), SETTINGS, "row 1")
    assert (stated.record is None) == bool(stated.reasons)
    assert stated.raw == b"x"


def calls(answer: Callable[[httpx.Request], httpx.Response]) -> tuple[JsonCalls, FreeBudget]:
    budget = FreeBudget()
    client = httpx.Client(base_url="http://tracker", transport=httpx.MockTransport(answer))
    return JsonCalls(client, budget), budget


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(429, headers={"retry-after": "7"}), SourceThrottled),
        (httpx.Response(503, text="<html>maintenance</html>"), SourceUnavailable),
        (httpx.Response(302, headers={"location": "/login"}), SourceUnavailable),
        (httpx.Response(418, text="no coffee"), SourceRefused),
    ],
)
def test_answers_that_are_none_become_errors(
    answer: httpx.Response, error: type[SourceError]
) -> None:
    asked, budget = calls(lambda _request: answer)
    with pytest.raises(error):
        asked.get("updates")
    assert budget.pauses == ([7] if error is SourceThrottled else [])


def test_a_broken_connection_is_an_unavailable_source() -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("too slow")

    with pytest.raises(SourceUnavailable, match="too slow"):
        calls(fail)[0].get("updates")


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b'{"records": [1, 2',
        b'{"records": null}',
        b"[",
        b"",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"records": [1e99999999999999999999]}',
        b"[" * 100_000,
        b'{"records": ' + b"9" * 5000 + b"}",
    ],
)
def test_bodies_that_hold_no_rows_are_kept_with_the_error(body: bytes) -> None:
    with pytest.raises(SourceAnswerUnreadable) as caught:
        rows_of(body, "records")
    assert caught.value.raw == body


def test_rows_keep_their_own_bytes() -> None:
    body = (
        b'\xef\xbb\xbf {"x" : {"y": [1]}, "records" : [ {"a":1.50} , null,"\\ud83d\\ude00", [ ] ] }'
    )
    found = rows_of(body, "records")
    assert [row.raw for row in found] == [b'{"a":1.50}', b"null", b'"\\ud83d\\ude00"', b"[ ]"]
