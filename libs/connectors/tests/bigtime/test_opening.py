"""From a stored connection to source, writer and marker; and reading the same twice."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from pydantic import SecretStr

from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.connectors.connections.source_store import SourceConnection
from hourbridge.connectors.list_opening import MARKERS, WRITERS
from hourbridge.connectors.source_access import SourceOpening
from hourbridge.connectors.source_opening import SOURCES
from hourbridge.ingestor.identity import content_hash_of
from tests.support.bigtime_source import NOW, Budget, StoppedClock


def _connection(firm: Any, secrets: dict[str, str], **settings: Any) -> SourceConnection:
    return SourceConnection(
        name="firm",
        system="bigtime",
        account=firm.realm,
        api_base_url=firm.api_url,
        settings={"base_currency": "USD", **settings},
        secrets={name: SecretStr(value) for name, value in secrets.items()},
        changed_at=NOW,
    )


def _opening() -> SourceOpening:
    nothing: Any = None
    return SourceOpening(
        clock=StoppedClock(),
        timeout_seconds=5,
        budget=Budget(),
        sources=nothing,
        ledgers=None,
        observer=lambda _exchange: None,
    )


@pytest.mark.parametrize(
    "secrets", [{"api_key": "acme-key"}, {"user_id": "ada@acme.test", "password": "ada"}]
)
def test_the_registries_open_what_they_promise(firm, secrets):
    connection = _connection(firm, secrets)
    with contextlib.closing(SOURCES["bigtime"](connection, _opening())) as source:
        assert source.capabilities.system == "bigtime"
        assert source.check() == ()
    with contextlib.closing(WRITERS["bigtime"](connection, _opening())) as writer:
        assert writer.writable_lists == source.capabilities.writable_lists
        assert writer.read_entry("client", "1") is not None
    MARKERS["bigtime"](connection, _opening()).close()


def test_opening_makes_no_call_and_needs_a_secret(firm):
    SOURCES["bigtime"](_connection(firm, {"api_key": "k"}), _opening()).close()
    assert firm.calls() == []
    with pytest.raises(ConfigurationInvalid, match="neither api_key nor user_id"):
        SOURCES["bigtime"](_connection(firm, {"password": "x"}), _opening())
    with pytest.raises(ConfigurationInvalid, match="window_days"):
        SOURCES["bigtime"](_connection(firm, {"api_key": "k"}, window_days="x"), _opening())


def test_reading_the_same_books_twice_says_the_same(firm, opened, held):
    for number in range(6):
        firm.enter(f"2026-10-0{1 + number}", "1.25", staff=1 + number % 2, submitted=number % 3 > 0)
    trip = {"StaffSID": 1, "ProjectSID": 1, "CatSID": 1, "Dt": "2026-10-06", "CostIN": "20"}
    firm.act("enter_expense", **trip)
    firm.act("submit_expenses", staff=1, name="Trips")
    for feed in ("time", "expenses", "labor_codes", "tasks", "expense_codes"):
        first, again = opened.by_id(feed), opened.by_id(feed)
        assert first.keys() == again.keys() != set()
        for external_id, record in first.items():
            assert content_hash_of(record) == content_hash_of(again[external_id])
    held.take(opened.statements("time"))
    held.take(opened.statements("time"))
    assert len(held.records) == 6
