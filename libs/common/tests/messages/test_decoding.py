"""Whatever arrives is a typed event or MessageInvalid with the fields named; nothing else."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hourbridge.common.errors import MessageInvalid
from hourbridge.common.messages.examples import Style, example
from hourbridge.common.messages.registry import REGISTRY, Registered

EXAMPLES = {
    (registered.type, style): example(registered, style)
    for registered in REGISTRY
    for style in Style
}
registered_types = st.sampled_from(list(REGISTRY))
styles = st.sampled_from(list(Style))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def decode(registered: Registered, body: Any) -> Any:
    return REGISTRY.decode(registered.type, json.dumps(body).encode())


def attempt(registered: Registered, body: Any) -> tuple[Any, list[dict[str, str]]]:
    try:
        return decode(registered, body), []
    except MessageInvalid as refused:
        return None, refused.reasons


def objects_in(value: Any, path: tuple[Any, ...] = ()) -> Any:
    """Yield the path of every JSON object inside ``value``."""
    if isinstance(value, dict):
        yield path
        for name, part in value.items():
            yield from objects_in(part, (*path, name))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from objects_in(part, (*path, index))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


FREE_FORM = {"attributes", "external_parent_ids", "outcomes", "ocr"}
"""Objects whose keys are data, not fields."""


@given(registered_types, styles, st.data(), st.text(min_size=1).map("x-".__add__), json_values)
def test_unknown_fields_are_ignored_at_every_depth(
    registered: Registered, style: Style, data: st.DataObject, name: str, value: Any
) -> None:
    body = deepcopy(EXAMPLES[registered.type, style])
    paths = [path for path in objects_in(body) if not FREE_FORM.intersection(path)]
    at(body, data.draw(st.sampled_from(paths)))[name] = value
    assert decode(registered, body) == decode(registered, EXAMPLES[registered.type, style])


@given(registered_types, styles, st.data())
def test_a_missing_required_field_is_named(
    registered: Registered, style: Style, data: st.DataObject
) -> None:
    body = deepcopy(EXAMPLES[registered.type, style])
    required = registered.payload.model_json_schema(mode="validation")["required"]
    name = data.draw(st.sampled_from(required))
    del body["data"][name]
    with pytest.raises(MessageInvalid) as refused:
        decode(registered, body)
    assert f"data.{name}" in [reason["field"] for reason in refused.value.reasons]


@given(registered_types, styles, st.data(), json_values)
def test_any_value_in_any_place_is_accepted_or_refused_never_a_defect(
    registered: Registered, style: Style, data: st.DataObject, value: Any
) -> None:
    body = deepcopy(EXAMPLES[registered.type, style])
    target = at(body, data.draw(st.sampled_from(list(objects_in(body)))))
    if target:
        target[data.draw(st.sampled_from(sorted(target)))] = value
    event, reasons = attempt(registered, body)
    if event is None:
        assert reasons
        assert all(set(reason) == {"field", "code", "detail"} for reason in reasons)
    else:
        assert REGISTRY.decode(registered.type, event.to_json()) == event


@given(
    registered_types, st.binary(max_size=200) | json_values.map(lambda v: json.dumps(v).encode())
)
def test_bytes_that_are_no_event_are_refused(registered: Registered, body: bytes) -> None:
    with pytest.raises(MessageInvalid):
        REGISTRY.decode(registered.type, body)


def time_entry(**changes: Any) -> dict[str, Any]:
    body = deepcopy(EXAMPLES["hourbridge.time_entry.reported.v1", Style.FULL])
    body["data"].update(changes)
    return body


TIME_ENTRY = REGISTRY.get("hourbridge.time_entry.reported.v1")


def refusals(body: dict[str, Any]) -> list[str]:
    with pytest.raises(MessageInvalid) as refused:
        decode(TIME_ENTRY, body)
    return [reason["field"] for reason in refused.value.reasons]


@pytest.mark.parametrize(
    "amount",
    [
        225,
        225.0,
        0.1,
        True,
        "225,00",
        "1e3",
        "1E+999999",
        "1_000",
        " 1 ",
        "NaN",
        "Infinity",
        "",
        "٥",
    ],
)
def test_money_is_plain_decimal_text_or_refused(amount: Any) -> None:
    assert refusals(time_entry(bill_amount=amount)) == ["data.bill_amount"]


@pytest.mark.parametrize("code", ["usd", "XAU", "XTS", "ABC", "US", "", 840])
def test_currencies_are_iso_4217_with_minor_units(code: Any) -> None:
    assert refusals(time_entry(currency=code)) == ["data.currency"]


@pytest.mark.parametrize(
    "instant",
    [
        "2026-03-31T09:00:00",
        "2026-03-31",
        1774947600,
        1774947600.5,
        "1774947600",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-02-30T00:00:00Z",
        "yesterday",
    ],
)
def test_instants_name_their_offset_or_are_refused(instant: Any) -> None:
    assert refusals(time_entry(source_updated_at=instant)) == ["data.source_updated_at"]


@pytest.mark.parametrize("day", [20543, "20543", "2026-03-31T00:00:00", "2026-3-31", "", True])
def test_work_dates_are_dates_alone(day: Any) -> None:
    assert refusals(time_entry(work_date=day)) == ["data.work_date"]


@given(st.datetimes(timezones=st.timezones()))
def test_an_instant_is_the_same_after_a_round_trip(instant: datetime) -> None:
    event = decode(TIME_ENTRY, time_entry(source_updated_at=_text_or_skip(instant)))
    again = REGISTRY.decode(TIME_ENTRY.type, event.to_json())
    assert again.data.source_updated_at == instant.astimezone(UTC)
    assert event.to_json().count(b'"source_updated_at":"') == 1


def _text_or_skip(instant: datetime) -> str:
    """Return RFC 3339 text; offsets with seconds (before 1972) don't exist in it."""
    offset = instant.utcoffset()
    assume(offset is not None and offset.total_seconds() % 60 == 0 and 2 < instant.year < 9998)
    return instant.isoformat()


@pytest.mark.parametrize("name", ["id", "correlationid", "causationid"])
def test_what_travels_as_an_amqp_property_fits_one(name: str) -> None:
    body = time_entry()
    body[name] = "é" * 128
    assert refusals(body) == [name]
    body[name] = "é" * 127
    assert getattr(decode(TIME_ENTRY, body), name) == "é" * 127


def test_a_type_that_contradicts_its_property_is_refused() -> None:
    with pytest.raises(MessageInvalid) as refused:
        REGISTRY.decode("hourbridge.expense.reported.v1", json.dumps(time_entry()).encode())
    assert refused.value.reasons
