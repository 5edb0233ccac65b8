"""Everything twice, thrice and shuffled: not one document more, nothing changed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hourbridge.cli.demo.sample import CORRECTED_AT, EXPORTED_AT, build_sample, write_rows
from tests.scenarios.office import BOOK, REALM, SOURCE, Office, entry
from tests.scenarios.upstream import Upstream
from tests.support.installation import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(600)]


@pytest.fixture
def upstream(broker_url: str) -> Iterator[Upstream]:
    connection = Upstream(broker_url)
    yield connection
    connection.close()


def world(office: Office) -> Any:
    """Return all that a bookkeeper could compare."""
    documents = office.documents(BOOK)
    shown = sorted((d["document_id"], d["version"], d["status"], d["total"]) for d in documents)
    totals = office.client.get("reconciler", f"/v1/books/{BOOK}/reports/totals")
    levels = {
        name: totals[name] for name in ("records", "outcomes", "charges", "documents", "ledger")
    }
    return shown, office.creates(REALM), levels


def test_every_message_thrice_and_shuffled_changes_nothing(
    office: Office, upstream: Upstream
) -> None:
    queue = upstream.listen("hourbridge.events", "hourbridge.bulk")
    office.report(*(entry(f"e{n}", "0.75", day=f"2026-01-{1 + n % 28:02}") for n in range(60)))
    office.bill()
    office.report(
        entry("e1", "0.25", external_version="2"),
        entry("e2", "1.75", external_version="2"),
        entry("e3", "0.75", external_version="2", deleted={"how": "feed"}),
    )
    office.settle()
    wait_until(office.credit_memos, "the credit memo")
    office.bill()
    assert office.reconcile() == []
    before = world(office)
    messages = upstream.captured(queue)
    assert {message.routing_key for message in messages} >= {
        "time_entry.accepted.v1",
        "charge_set.changed.v1",
        "document.changed.v1",
    }
    upstream.deliver_again(messages, times=3, seed=11)
    wait_for_empty_queues(office)
    office.bill()
    assert office.reconcile() == []
    assert world(office) == before


def test_statements_thrice_and_shuffled_end_as_if_told_once(
    office: Office, upstream: Upstream
) -> None:
    statements = []
    for number in range(40):
        for version in range(1, 4):
            hours = f"{1 + (number * version) % 5}.50"
            statements.append(entry(f"e{number}", hours, external_version=str(version)))
    wanted = sum(1 + (number * 3) % 5 for number in range(40)) + 20
    shuffled = statements * 3
    random.Random(4).shuffle(shuffled)
    upstream.report(shuffled, book=BOOK, source=SOURCE)
    wait_for_empty_queues(office)
    office.bill()
    assert sum(office.invoices()) == 150 * wanted
    assert office.credit_memos() == []
    assert office.reconcile() == []


def test_an_older_file_after_a_newer_one_changes_nothing(office: Office, tmp_path: Path) -> None:
    sample = build_sample()
    newer, older = tmp_path / "newer.csv", tmp_path / "older.csv"
    row = sample.export[0]
    write_rows([type(row)(**{**vars(row), "client": "Acme", "project": "", "task": ""})], older)
    changed = {**vars(row), "client": "Acme", "project": "", "task": "", "updated_at": ""}
    write_rows([type(row)(**{**changed, "notes": "newer", "updated_at": CORRECTED_AT})], newer)
    source = {"book": BOOK, "source": SOURCE}
    office.import_file(newer, "generic_csv", as_of=CORRECTED_AT, **source)
    office.bill()
    before = world(office)
    summary = office.import_file(older, "generic_csv", as_of=EXPORTED_AT, **source)
    assert summary["outcomes"]["older"] == 1
    office.bill()
    assert world(office) == before


def wait_for_empty_queues(office: Office) -> None:
    bus = office.platform.bus
    assert bus is not None
    lanes = [f"{name}.{lane}.v1" for name in office.platform.runners for lane in ("work", "bulk")]
    wait_until(lambda: not any(bus.depth(lane) for lane in lanes), "queues to run empty")
    office.settle()
