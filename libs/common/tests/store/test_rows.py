"""Many rows in one statement, and many statements in one round trip."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from hourbridge.common.store.engine import Store
from hourbridge.common.store.provision import provision
from hourbridge.common.store.rows import statement, with_json, write_all

pytestmark = pytest.mark.database

_ADD = statement(
    "INSERT INTO item SELECT id, state, :note FROM jsonb_to_recordset(CAST(:rows AS jsonb)) "
    "AS r(id int, state jsonb)"
)
_MARK = statement(
    "UPDATE item SET note = item.note || r.mark "
    "FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id int, mark text) WHERE item.id = r.id"
)
_ALL = text("SELECT id, state ->> 'text', note FROM item ORDER BY id")


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    provision(database_url)
    store = Store(database_url, "ingestor", pool_size=1)
    with store.transaction() as connection:
        connection.execute(text("CREATE TABLE item (id int, state jsonb, note text)"))
        yield connection
    store.close()


def test_statements_run_in_order_each_with_its_own_rows(connection: Connection) -> None:
    added = with_json([({"id": 1}, '{"text":"a\\"; :rows %"}'), ({"id": 2}, "{}")], "state")
    write_all(connection, [(_ADD, added), (_MARK, [{"id": 2, "mark": "!"}])], note="n")
    assert connection.execute(_ALL).all() == [(1, 'a"; :rows %', "n"), (2, None, "n!")]


def test_statements_without_rows_are_left_out(connection: Connection) -> None:
    write_all(connection, [(_ADD, with_json([], "state")), (_MARK, [])], note="n")
    assert connection.execute(_ALL).all() == []
