"""Connections shared by replicas: secrets, token renewal, the call budget, lanes."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import text

from hourbridge.common.book import LedgerBinding
from hourbridge.common.errors import (
    ConfigurationInvalid,
    LedgerAuthorizationExpired,
    LedgerThrottled,
    LedgerUnavailable,
)
from hourbridge.connectors.connections import ConnectionStore, lane_name
from hourbridge.connectors.connections.buckets import Bucket, Buckets
from hourbridge.connectors.opening import open_ledger
from hourbridge.connectors.quickbooks_online.tokens import TokenEndpoint

pytestmark = pytest.mark.database


@pytest.fixture
def endpoint(sandbox):
    return TokenEndpoint(sandbox.token_url, "sandbox-client", "sandbox-secret")


def replace_connection(new, **changes):
    return type(new)(**{**new.__dict__, **changes})


def test_no_secret_is_stored_readably(connections, connections_store, endpoint):
    token = connections.tokens("main", endpoint.refresh).access_token()
    with connections_store.transaction() as connection:
        row = connection.execute(text("SELECT CAST(connection AS text) FROM connection")).scalar()
        audit = connection.execute(text("SELECT string_agg(CAST(a AS text), '') FROM audit a"))
        visible = row + audit.scalar()
    for secret in (token, "sandbox-secret", "RT1-"):
        assert secret not in visible
        assert secret.encode().hex() not in visible


def test_a_new_first_key_still_opens_old_secrets(connections_store, new_connection):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    ConnectionStore(connections_store, [old]).save(new_connection, actor="test")
    rotated = ConnectionStore(connections_store, [SecretStr(new), SecretStr(old)])
    assert rotated.get("main").client_secret.get_secret_value() == "sandbox-secret"
    with pytest.raises(ConfigurationInvalid):
        ConnectionStore(connections_store, [new]).get("main")


@pytest.mark.parametrize("keys", [[], ["not a key"]])
def test_bad_keys_are_told(connections_store, keys):
    with pytest.raises(ConfigurationInvalid):
        ConnectionStore(connections_store, keys)


def test_a_race_for_a_new_token_makes_one_refresh(connections, books, endpoint, sandbox):
    books.settings(refresh_rotation="always", refresh_grace_seconds=0)
    first = connections.tokens("main", endpoint.refresh)
    refused = first.access_token()
    sources = [connections.tokens("main", endpoint.refresh) for _ in range(2)]
    barrier, tokens = threading.Barrier(2), []

    def renew(source):
        barrier.wait()
        tokens.append(source.renew(refused))

    threads = [threading.Thread(target=renew, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 2
    assert tokens[0] == tokens[1] != refused
    assert sandbox.world.tokens.refreshes_of("4620816365000000001") == 2


def test_the_newest_refresh_token_is_kept(connections, books, endpoint):
    books.settings(refresh_rotation="always", refresh_grace_seconds=0)
    token = connections.tokens("main", endpoint.refresh).access_token()
    for _ in range(3):
        token = connections.tokens("main", endpoint.refresh).renew(token)
    (state,) = connections.states()
    assert (state.state, state.refreshes) == ("connected", 4)


def test_a_lost_refresh_answer_is_survived_within_the_grace(connections, books, endpoint):
    books.settings(refresh_rotation="always")
    books.fault("lose_response", on="tokens")
    source = connections.tokens("main", endpoint.refresh)
    with pytest.raises(LedgerUnavailable):
        source.access_token()
    assert source.access_token()


def test_an_expired_access_token_is_renewed_in_the_course_of_a_call(ledger, books, connections):
    ledger.check()
    books.tokens().expire_access("4620816365000000001")
    assert list(ledger.check()) == []
    assert connections.states()[0].refreshes == 2


def test_a_withdrawn_grant_breaks_the_connection_until_reconnected(
    connections, books, new_connection
):
    binding = LedgerBinding(connection="main", company_id=new_connection.company_id)
    ledger = open_ledger(binding, connections)
    books.tokens().disconnect(new_connection.company_id)
    with pytest.raises(LedgerAuthorizationExpired):
        ledger.closed_through()
    calls = len(books.calls())
    with pytest.raises(LedgerAuthorizationExpired):
        ledger.closed_through()
    assert len(books.calls()) == calls  # a dead grant is not asked about again
    assert connections.states()[0].state == "broken"
    token = SecretStr(books.tokens().connect(new_connection.company_id))
    connections.save(replace_connection(new_connection, refresh_token=token), actor="test")
    assert ledger.closed_through() is None
    assert connections.states()[0].state == "connected"
    ledger.close()


def test_an_unreachable_token_endpoint_breaks_nothing(connections, books, endpoint):
    books.fault("server_error", on="tokens")
    with pytest.raises(LedgerUnavailable):
        connections.tokens("main", endpoint.refresh).access_token()
    assert connections.states()[0].state == "connected"


def test_tokens_of_another_company_never_overwrite(connections, new_connection):
    with pytest.raises(ConfigurationInvalid):
        connections.save(replace_connection(new_connection, company_id="1"), actor="test")
    with pytest.raises(ConfigurationInvalid):
        connections.save(replace_connection(new_connection, name="second"), actor="test")


def test_a_book_bound_to_another_company_is_not_opened(connections):
    with pytest.raises(ConfigurationInvalid):
        open_ledger(LedgerBinding(connection="main", company_id="1"), connections)
    with pytest.raises(ConfigurationInvalid):
        open_ledger(LedgerBinding(connection="none", company_id="1"), connections)


def test_a_removed_connection_is_gone(connections, endpoint):
    source, budget = connections.tokens("main", endpoint.refresh), connections.budget("main")
    connections.remove("main", actor="test")
    assert connections.states() == []
    with pytest.raises(ConfigurationInvalid):
        source.access_token()
    with pytest.raises(ConfigurationInvalid):
        budget.take()


class RecordingClock:
    """Notes what it was asked to sleep instead of sleeping."""

    def __init__(self):
        self.slept = []

    def now(self):
        return datetime.now(UTC)

    def monotonic_seconds(self):
        return 0.0

    def sleep(self, seconds):
        self.slept.append(seconds)


def test_replicas_draw_from_one_budget(connections_store, new_connection):
    clock = RecordingClock()
    keys = [Fernet.generate_key().decode()]
    slow = replace_connection(new_connection, calls_per_minute=60, calls_per_second=1)
    replicas = [ConnectionStore(connections_store, keys, clock) for _ in range(2)]
    replicas[0].save(slow, actor="test")
    with connections_store.transaction() as connection:  # as if no time passed between the calls
        connection.execute(text("UPDATE call_budget SET drawn_at = now() + interval '1 hour'"))
    for _ in range(2):
        for replica in replicas:
            replica.budget("main").take()
    assert clock.slept == [1, 2, 3, 4]
    replicas[0].budget("main").take()
    with pytest.raises(LedgerThrottled) as caught:
        replicas[1].budget("main").take()
    assert caught.value.retry_after_seconds == 6


def test_a_pause_holds_for_all(connections):
    connections.budget("main").pause(60)
    connections.budget("main").pause(1)  # does not shorten the longer one
    with pytest.raises(LedgerThrottled) as caught:
        connections.budget("main").take()
    assert 30 < caught.value.retry_after_seconds <= 60


@pytest.mark.parametrize(("per_minute", "per_second"), [(450, 8), (60, 30), (7, 1)])
def test_no_window_exceeds_the_limits_by_more_than_a_tenth(per_minute, per_second):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    buckets = Buckets(Bucket(0, per_minute, 60), Bucket(0, per_second, 1), start)
    now, made = start + timedelta(hours=1), []
    for _ in range(1000):
        buckets = buckets.draw(now)
        now += timedelta(seconds=buckets.wait_seconds)
        made.append(now)
    for seconds, limit in ((60, per_minute), (1, per_second)):
        allowed = limit + max(1, limit // 10)
        for first, later in zip(made, made[allowed:], strict=False):
            assert later - first >= timedelta(seconds=seconds) - timedelta(milliseconds=1)


def test_one_worker_holds_a_lane(connections):
    name = lane_name("quickbooks_online", "1")
    lease = connections.lanes("a").acquire(name, ttl_seconds=60)
    assert connections.lanes("b").acquire(name, ttl_seconds=60) is None
    connections.lanes("a").release(lease)
    taken = connections.lanes("b").acquire(name, ttl_seconds=60)
    assert taken.fencing > lease.fencing
    assert not connections.lanes("a").renew(lease, ttl_seconds=60)


def test_the_observer_sees_every_exchange_and_no_token(connections, books, document, create):
    seen = []
    ledger = open_ledger(document().ledger, connections, observer=seen.append)
    books.tokens().expire_access("4620816365000000001")
    ledger.write(create(document()))
    books.fault("lose_response")
    with pytest.raises(Exception, match="ledger_outcome_unknown"):
        ledger.write(create(document(number="HB-2", document_id="2"), "key-2"))
    ledger.close()
    posts = [one for one in seen if one.operation_key]
    assert [(one.operation_key, one.status) for one in posts] == [("key-1", 200), ("key-2", None)]
    assert '"DocNumber":"HB-1"' in posts[0].request_body
    assert posts[0].trace_id
    assert posts[1].failure
    assert "AB0-" not in repr(seen)
