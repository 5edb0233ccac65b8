"""Source connections: secrets sealed, one account one name, a budget that speaks source errors."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import text

from hourbridge.common.clock import SystemClock
from hourbridge.common.errors import ConfigurationInvalid, SourceThrottled
from hourbridge.common.store.engine import Store
from hourbridge.connectors.connections import ConnectionStore
from hourbridge.connectors.connections.source_store import NewSourceConnection, SourceStore
from hourbridge.connectors.source_opening import SOURCES, open_receiver, open_source

pytestmark = pytest.mark.database

FIRM = NewSourceConnection(
    name="acme-bigtime",
    system="bigtime",
    account="acme",
    api_base_url="https://bigtime.test/api/",
    secrets={"api_key": SecretStr("s3cret-key")},
    settings={"base_currency": "USD"},
)


@pytest.fixture
def sources(connections_store: Store) -> SourceStore:
    return SourceStore(connections_store, [Fernet.generate_key().decode()])


def test_secrets_are_kept_sealed_and_given_back(
    sources: SourceStore, connections_store: Store
) -> None:
    sources.save(FIRM, actor="alice")
    found = sources.get("acme-bigtime")
    assert found.secrets["api_key"].get_secret_value() == "s3cret-key"
    assert found.settings == {"base_currency": "USD"}
    with connections_store.transaction() as connection:
        row = connection.execute(text("SELECT CAST(s AS text) FROM source_connection s")).scalar()
        audit = connection.execute(text("SELECT string_agg(CAST(a AS text), '') FROM audit a"))
        visible = f"{row}{audit.scalar()}"
    assert "alice" in visible
    for secret in ("s3cret-key", b"s3cret-key".hex()):
        assert secret not in visible
    assert "s3cret-key" not in repr(found)


def test_an_account_has_one_name_and_a_name_one_account(sources: SourceStore) -> None:
    sources.save(FIRM, actor="alice")
    for other in (replace(FIRM, name="second"), replace(FIRM, account="other")):
        with pytest.raises(ConfigurationInvalid, match="stands for account acme"):
            sources.save(other, actor="alice")


def test_connecting_again_ends_a_broken_state_and_shows_as_a_change(sources: SourceStore) -> None:
    sources.save(FIRM, actor="alice")
    before = sources.get("acme-bigtime").changed_at
    sources.mark_broken("acme-bigtime", "the key was revoked")
    (state,) = sources.states()
    assert (state.state, state.state_reason) == ("broken", "the key was revoked")

    sources.save(replace(FIRM, secrets={"api_key": SecretStr("new")}), actor="alice")
    (state,) = sources.states()
    assert (state.state, state.state_reason) == ("connected", None)
    assert sources.get("acme-bigtime").changed_at > before
    assert sources.get("acme-bigtime").secrets["api_key"].get_secret_value() == "new"


def test_a_connected_ledger_can_be_read_without_a_second_connection(
    sources: SourceStore, connections: ConnectionStore
) -> None:
    found = sources.get("main")
    assert (found.system, found.is_ledger, found.secrets) == ("quickbooks_online", True, {})
    assert [state.name for state in sources.states() if state.is_ledger] == ["main"]


def test_the_budget_is_shared_by_replicas_and_throttles_as_a_source(
    sources: SourceStore, connections_store: Store
) -> None:
    sources.save(replace(FIRM, calls_per_minute=1), actor="alice")
    with connections_store.transaction() as connection:
        connection.execute(text("UPDATE call_budget SET minute_tokens = 1, second_tokens = 1"))
    waits: list[str] = []
    first = sources.budget("acme-bigtime", waits.append)
    first.take()
    with pytest.raises(SourceThrottled) as throttled:
        sources.budget("acme-bigtime", waits.append).take()
    assert 50 < throttled.value.retry_after_seconds <= 60
    assert waits == ["acme-bigtime"]


def test_a_pause_holds_for_every_replica(sources: SourceStore) -> None:
    sources.save(FIRM, actor="alice")
    sources.budget("acme-bigtime").pause(90)
    with pytest.raises(SourceThrottled) as throttled:
        sources.budget("acme-bigtime").take()
    assert 85 < throttled.value.retry_after_seconds <= 90


def test_budgets_of_a_source_and_a_ledger_of_one_name_are_apart_and_go_with_them(
    sources: SourceStore, connections: ConnectionStore, connections_store: Store
) -> None:
    sources.save(replace(FIRM, name="main"), actor="alice")

    def budgets() -> list[str]:
        with connections_store.transaction() as connection:
            found = connection.execute(text("SELECT connection FROM call_budget ORDER BY 1"))
            return list(found.scalars())

    assert budgets() == ["main", "source:main"]
    connections.remove("main", actor="alice")
    assert budgets() == ["source:main"]
    sources.remove("main", actor="alice")
    assert budgets() == []
    with pytest.raises(ConfigurationInvalid, match="no source connection named"):
        sources.get("main")


def test_an_unknown_system_is_named_with_those_there_are(sources: SourceStore) -> None:
    sources.save(replace(FIRM, system="abacus"), actor="alice")
    with pytest.raises(ConfigurationInvalid, match="'abacus'"):
        open_source("acme-bigtime", sources, clock=SystemClock())
    with pytest.raises(ConfigurationInvalid, match="pushes nothing"):
        open_receiver("acme-bigtime", sources)


def test_every_registered_system_is_known_by_the_name_it_states(sources: SourceStore) -> None:
    sources.save(FIRM, actor="alice")
    assert open_source("acme-bigtime", sources).capabilities.system in SOURCES
