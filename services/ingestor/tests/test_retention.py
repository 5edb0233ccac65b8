"""Payloads are partitioned by month and forgotten after the retention."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from hourbridge.ingestor import payloads, retention

pytestmark = pytest.mark.database


def keep(store: Any, clock: Any) -> None:
    with store.transaction() as connection:
        payloads.keep(connection, [payloads.receive("http", b"x", None, clock.now())])


def maintain(store: Any, clock: Any) -> list[str]:
    with store.transaction() as connection:
        retention.maintain(connection, clock.now(), retention_days=60)
        names = connection.execute(
            text("SELECT tableoid::regclass::text FROM received_payload ORDER BY received_at")
        )
        return list(names.scalars())


def test_months_get_partitions_and_old_ones_go(store: Any, clock: Any) -> None:
    keep(store, clock)
    assert maintain(store, clock) == ["received_payload_default"]
    clock.instant += timedelta(days=31)
    keep(store, clock)
    assert maintain(store, clock) == ["received_payload_default", "received_payload_202605"]
    clock.instant += timedelta(days=100)
    keep(store, clock)
    assert maintain(store, clock) == ["received_payload_default"]
    with store.transaction() as connection:
        assert connection.execute(text("SELECT count(*) FROM received_payload")).scalar() == 1


def test_large_bodies_go_to_the_object_store(store: Any, clock: Any) -> None:
    body = b"y" * (payloads.INLINE_BYTES_MAX + 1)
    payload = payloads.receive("http", body, "text/plain", clock.now())
    with store.transaction() as connection:
        payloads.keep(connection, [payload])
        inline = connection.execute(text("SELECT body FROM received_payload")).scalar()
        assert inline is None
        assert payloads.get(connection, f"{payload.reference}#3") == body
