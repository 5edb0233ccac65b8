"""The life of a grant: consent, terms, warnings, disconnecting, connecting anew."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.testclient import TestClient

from hourbridge.common.book import LedgerBinding
from hourbridge.common.clock import SystemClock
from hourbridge.common.errors import (
    ConfigurationInvalid,
    HourbridgeError,
    LedgerAuthorizationExpired,
)
from hourbridge.common.runtime.admin import error_response, parse_tokens
from hourbridge.connectors.connections import ConnectionStore, metrics
from hourbridge.connectors.connections.routes import connection_routes
from hourbridge.connectors.connections.states import state_of
from hourbridge.connectors.opening import open_ledger
from hourbridge.sandbox.quickbooks_online import CompanySeed, seed_company

pytestmark = pytest.mark.database

REALM = "4620816365000000001"
OTHER = "4620816365000000002"
CALLBACK = "http://localhost:8765/callback"


@pytest.fixture
def api(connections: ConnectionStore) -> TestClient:
    app = Starlette(
        routes=connection_routes(connections),
        exception_handlers={HourbridgeError: error_response},
    )
    app.state.actors = parse_tokens({"t": "ann:administrator", "v": "vic:viewer"})
    return TestClient(app, headers={"Authorization": "Bearer t"})


def ask(api: TestClient, sandbox: Any, **changes: Any) -> dict[str, Any]:
    body = {
        "name": "main",
        "redirect_uri": CALLBACK,
        "authorize_url": f"{sandbox.base_url}/connect/oauth2",
        "revoke_url": f"{sandbox.base_url}/v2/oauth2/tokens/revoke",
        **changes,
    }
    answer = api.post("/v1/connections/consents", json=body)
    assert answer.status_code == 200, answer.text
    asked: dict[str, Any] = answer.json()
    return asked


def consent(asked: dict[str, Any], realm: str = REALM) -> dict[str, str]:
    """Go where a person is sent; return what the page sends back."""
    page = httpx.get(f"{asked['url']}&realm={realm}")
    assert page.status_code == 302
    place = urlsplit(page.headers["location"])
    assert f"{place.scheme}://{place.netloc}{place.path}" == CALLBACK
    given = {name: values[0] for name, values in parse_qs(place.query).items()}
    return {"state": given["state"], "code": given["code"], "realm_id": given["realmId"]}


def state(connections: ConnectionStore) -> Any:
    (found,) = connections.states()
    return found


def test_a_company_is_connected_by_consent(
    api: TestClient, sandbox: Any, connections: ConnectionStore, books: Any
) -> None:
    books.tokens().disconnect(REALM)
    asked = ask(api, sandbox)
    query = parse_qs(urlsplit(asked["url"]).query)
    assert query["scope"] == ["com.intuit.quickbooks.accounting"]
    assert query["response_type"] == ["code"]
    given = consent(asked)
    answer = api.post("/v1/connections/consents/given", json=given)
    assert answer.json() == {"connected": "main", "company_id": REALM}
    found = state(connections)
    assert found.state == "connected"
    assert found.refresh_hard_expires_at - found.refreshed_at == timedelta(seconds=157_680_000)
    assert found.days_left == 100
    ledger = open_ledger(LedgerBinding(connection="main", company_id=REALM), connections)
    assert ledger.check() == []
    ledger.close()
    assert api.post("/v1/connections/consents/given", json=given).status_code == 422, "works once"


def test_a_new_company_is_connected_without_any_token_at_hand(
    api: TestClient, sandbox: Any, connections: ConnectionStore, books: Any
) -> None:
    seed_company(sandbox.world, CompanySeed(OTHER))
    body = {
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "api_base_url": sandbox.base_url,
        "token_url": sandbox.token_url,
        "app_id": "app-1",
    }
    asked = ask(api, sandbox, name="second", **body)
    api.post("/v1/connections/consents/given", json=consent(asked, OTHER))
    listed = api.get("/v1/connections").json()["connections"]
    second = next(row for row in listed if row["name"] == "second")
    assert (second["state"], second["company_id"]) == ("connected", OTHER)
    assert "mode=reconnect" in second["reconnect_url"]
    assert OTHER in second["reconnect_url"]
    assert "sandbox-secret" not in str(listed)


def test_a_consent_of_another_company_overwrites_nothing(
    api: TestClient, sandbox: Any, connections: ConnectionStore, books: Any
) -> None:
    seed_company(sandbox.world, CompanySeed(OTHER))
    before = state(connections)
    answer = api.post("/v1/connections/consents/given", json=consent(ask(api, sandbox), OTHER))
    assert answer.status_code == 422
    assert REALM in answer.json()["what"] and OTHER in answer.json()["what"]
    assert state(connections) == before


def test_a_company_has_one_connection(api: TestClient, sandbox: Any) -> None:
    secrets = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}
    urls = {"api_base_url": sandbox.base_url, "token_url": sandbox.token_url}
    asked = ask(api, sandbox, name="twin", **secrets, **urls)
    answer = api.post("/v1/connections/consents/given", json=consent(asked))
    assert (answer.status_code, answer.json()["error"]) == (422, "configuration_invalid")


def test_tokens_for_another_host_are_refused_before_they_are_kept(
    api: TestClient, sandbox: Any, connections: ConnectionStore, books: Any
) -> None:
    """Development keys on the production host: 403, code 3100."""
    given = consent(ask(api, sandbox))
    before = state(connections)
    sandbox.world.refusals.add({"code": "3100", "on": "all", "next": -1})
    answer = api.post("/v1/connections/consents/given", json=given)
    assert answer.status_code == 422
    assert "sandbox host only" in answer.json()["advice"]
    assert state(connections) == before


def test_a_call_on_the_wrong_host_breaks_the_connection(
    sandbox: Any, connections: ConnectionStore, books: Any
) -> None:
    ledger = open_ledger(LedgerBinding(connection="main", company_id=REALM), connections)
    sandbox.world.refusals.add({"code": "3100", "on": "all", "next": -1})
    with pytest.raises(LedgerAuthorizationExpired, match="ApplicationAuthorizationFailed"):
        ledger.closed_through()
    calls = len(books.calls())
    with pytest.raises(LedgerAuthorizationExpired):
        ledger.closed_through()
    assert len(books.calls()) == calls, "permanent: not asked again"
    assert state(connections).state == "broken"
    ledger.close()


def test_a_forged_or_late_state_is_refused(
    api: TestClient, sandbox: Any, connections: ConnectionStore, connections_store: Any
) -> None:
    given = consent(ask(api, sandbox))
    forged = api.post("/v1/connections/consents/given", json={**given, "state": "forged"})
    assert forged.status_code == 422
    with connections_store.transaction() as connection:
        connection.exec_driver_sql("UPDATE authorization_request SET expires_at = now()")
    assert api.post("/v1/connections/consents/given", json=given).status_code == 422


def test_who_may_connect(api: TestClient) -> None:
    viewer = {"Authorization": "Bearer v"}
    body = {"name": "main", "redirect_uri": CALLBACK}
    assert api.post("/v1/connections/consents", json=body, headers=viewer).status_code == 403
    assert api.post("/v1/connections/main/disconnect", headers=viewer).status_code == 403
    assert api.get("/v1/connections", headers=viewer).status_code == 200
    assert api.post("/v1/connections/consents", json={**body, "name": "new"}).status_code == 422


def test_disconnecting_gives_the_grant_back(
    api: TestClient, sandbox: Any, connections: ConnectionStore, books: Any
) -> None:
    binding = LedgerBinding(connection="main", company_id=REALM)
    ledger = open_ledger(binding, connections)
    ledger.check()
    api.post("/v1/connections/consents/given", json=consent(ask(api, sandbox)))
    assert api.post("/v1/connections/main/disconnect").json() == {"disconnected": "main"}
    assert state(connections).state == "disconnected"
    assert "disconnected by ann" in ledger.check()[0]
    api.post("/v1/connections/consents/given", json=consent(ask(api, sandbox)))
    assert ledger.check() == [], "goes on by itself"
    ledger.close()


def test_the_hard_end_moves_with_no_refresh(
    connections: ConnectionStore, api: TestClient, sandbox: Any, books: Any
) -> None:
    books.settings(refresh_rotation="always")
    api.post("/v1/connections/consents/given", json=consent(ask(api, sandbox)))
    first = state(connections)
    books.tokens().expire_access(REALM)
    books.advance(86_400)
    ledger = open_ledger(LedgerBinding(connection="main", company_id=REALM), connections)
    ledger.check()
    ledger.close()
    later = state(connections)
    assert later.refreshes == first.refreshes + 1
    assert later.refresh_issued_at > first.refresh_issued_at, "the value was rotated"
    moved = first.refresh_hard_expires_at - later.refresh_hard_expires_at
    assert abs(moved - timedelta(days=1)) < timedelta(minutes=1), "as the service tells it"


@pytest.mark.parametrize(
    ("days", "warned", "shown"),
    [(61, None, "connected"), (60, 60, "expiring"), (30, 30, "expiring"), (6, 7, "expiring")],
)
@pytest.mark.parametrize("term", ["refresh_expires_at", "refresh_hard_expires_at"])
def test_ends_are_announced(days: int, warned: int | None, shown: str, term: str) -> None:
    now = SystemClock().now()
    row = {
        "name": "main",
        "kind": "quickbooks_online",
        "company_id": REALM,
        "state": "connected",
        "state_reason": None,
        "refreshes": 1,
        "changed_at": now,
        "refresh_expires_at": now + timedelta(days=100),
        "refresh_hard_expires_at": now + timedelta(days=1500),
        term: now + timedelta(days=days),
    }
    found = state_of(row, now)
    assert (found.state, found.warned_days, found.days_left) == (shown, warned, days)
    metrics.show([found])
    name = "rolling" if term == "refresh_expires_at" else "absolute"
    end = metrics.TOKEN_EXPIRES.labels(name)._value.get()
    assert end == pytest.approx((now + timedelta(days=days)).timestamp())
    assert metrics.CONNECTIONS.labels(shown)._value.get() == 1
    metrics.show([])
    assert metrics.CONNECTIONS.labels(shown)._value.get() == 0


def test_what_was_connected_by_token_still_is(
    connections: ConnectionStore, new_connection: Any
) -> None:
    with pytest.raises(ConfigurationInvalid):
        connections.consents().take("nothing")
    connections.save(new_connection, actor="test")
    assert state(connections).authorized_at is not None
    assert isinstance(new_connection.client_secret, SecretStr)
