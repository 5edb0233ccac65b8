"""Receipts are kept before their expense is accepted; one that can't be had holds nothing up."""

from __future__ import annotations

from typing import Any

import pytest

from hourbridge.common.errors import SourceAuthorizationExpired
from hourbridge.common.ids import content_hash
from hourbridge.common.messages.records import Attachment
from hourbridge.common.store import objects
from tests.support.polling import Polling

PDF = b"%PDF-1.4 a taxi"
UPDATED = 1_775_000_000_000_000


def state(polling: Polling, external_id: str = "x1") -> dict[str, Any]:
    sql = "SELECT state FROM record WHERE external_id = :id AND merged_into IS NULL"
    found: dict[str, Any] = polling.rows(sql, id=external_id)[0].state
    return found


def put_expense(polling: Polling, *receipts: str, **fields: Any) -> None:
    named = [{"id": receipt, "filename": f"{receipt}.pdf"} for receipt in receipts]
    polling.source.put("expenses", "x1", receipts=named, order_key=UPDATED, **fields)


def test_a_receipt_is_fetched_once_and_kept_with_its_record(polling: Polling) -> None:
    polling.source.files["r1"] = PDF
    put_expense(polling, "r1")
    polling.attach("expenses")
    polling.run()

    (receipt,) = state(polling)["receipts"]
    assert receipt["raw_ref"] == f"sha256:{content_hash(PDF)}"
    assert (receipt["content_type"], receipt["size_bytes"]) == ("application/pdf", len(PDF))
    with polling.store.transaction() as connection:
        assert objects.get(connection, receipt["raw_ref"]) == PDF
    (event,) = polling.received()
    assert event["data"]["state"]["receipts"][0]["raw_ref"] == receipt["raw_ref"]

    put_expense(polling, "r1", notes="to the station", external_version=None)
    polling.post("poll", {"whole": True})
    polling.run()
    assert polling.source.calls.count(("file", "r1")) == 1


def test_a_missing_receipt_holds_nothing_up_and_comes_with_a_later_reading(
    polling: Polling,
) -> None:
    put_expense(polling, "r1")
    polling.attach("expenses")
    polling.run()
    assert (
        "raw_ref" not in state(polling)["receipts"][0]
        or not state(polling)["receipts"][0]["raw_ref"]
    )
    assert len(polling.received()) == 1

    polling.clock.step(hours=5)
    polling.run()
    polling.source.files["r1"] = PDF
    polling.clock.step(hours=5)
    polling.run()

    assert state(polling)["receipts"][0]["raw_ref"] == f"sha256:{content_hash(PDF)}"
    (event,) = polling.received()
    assert event["data"]["state"]["receipts"][0]["raw_ref"]
    assert polling.source.calls.count(("file", "r1")) == 3

    polling.post("poll", {"whole": True})
    polling.run()
    assert polling.rows("SELECT 1 FROM conflict") == []
    assert polling.received() == []


def test_one_missing_receipt_does_not_hold_up_another(polling: Polling) -> None:
    polling.source.files["r2"] = PDF
    put_expense(polling, "r1", "r2")
    polling.attach("expenses")
    polling.run()
    first, second = state(polling)["receipts"]
    assert not first.get("raw_ref")
    assert second["raw_ref"]


def test_a_file_that_was_replaced_is_fetched_again(polling: Polling) -> None:
    polling.source.files["r1"] = PDF
    put_expense(polling, "r1")
    polling.attach("expenses")
    polling.run()
    new = PDF + b" and back"
    polling.source.files["r1"] = new
    receipt = {"id": "r1", "sha256": content_hash(new)}
    polling.source.put("expenses", "x1", receipts=[receipt], order_key=UPDATED + 1)
    polling.clock.step(hours=9)
    polling.run()
    assert state(polling)["receipts"][0]["raw_ref"] == f"sha256:{content_hash(new)}"


def test_a_refused_key_while_fetching_stops_the_connection(
    polling: Polling, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(attachment: Attachment) -> bytes:
        raise SourceAuthorizationExpired("the key was revoked")

    put_expense(polling, "r1")
    polling.attach("expenses")
    monkeypatch.setattr(polling.source, "file", refuse)
    polling.run()
    assert polling.records("expense") == {}
    assert polling.connections.states()[0].state == "broken"
