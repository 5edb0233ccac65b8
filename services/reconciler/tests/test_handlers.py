"""What was seen is the same however it arrived: three times, shuffled, old after new."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sqlalchemy import text

from hourbridge.common.messages.events import DocumentStatus, MappingOutcome
from hourbridge.reconciler.seen_documents import drop_replaced_lines
from hourbridge.reconciler.sequence import Gap, Progress, Stream, gaps, merge_ranges, progress
from tests.support.charges import make_charge
from tests.support.reconciling import (
    BOOK,
    accepted,
    changed,
    charge_set,
    charged,
    document,
    line,
    totals,
)

pytestmark = pytest.mark.database

_STATES = {
    "record": "SELECT to_jsonb(r) - 'seen_at' AS row FROM seen_record r ORDER BY book, record_id",
    "set": "SELECT to_jsonb(s) - 'seen_at' AS row FROM seen_charge_set s ORDER BY book, record_id",
    "charge": "SELECT to_jsonb(c) AS row FROM current_charge c ORDER BY book, charge_id",
    "document": "SELECT to_jsonb(d) - 'seen_at' AS row FROM seen_document d ORDER BY document_id",
    "line": "SELECT to_jsonb(l) AS row FROM live_line l ORDER BY document_id, line_id",
    "reading": "SELECT to_jsonb(r) - 'seen_at' AS row FROM source_reading r ORDER BY reading_id",
    "sequence": "SELECT stream || range_agg(int8range(first, last, '[]'))::text AS row "
    "FROM sequence_range GROUP BY book, stream ORDER BY stream",
}


def states(bench: Any) -> dict[str, list[Any]]:
    with bench.store.transaction() as connection:
        return {
            name: list(connection.execute(text(sql)).scalars()) for name, sql in _STATES.items()
        }


def story() -> list[Any]:
    """Records revised, split, deleted and skipped; documents drafted, posted, withdrawn."""
    revised = [make_charge("r1", 1800), make_charge("r1-b", 900, client="Beta")]
    lines = [line(1, ["r1"], "1"), line(2, ["r2"], "2")]
    return [
        *charged("r1", 1),
        *charged("r2", 2, 7200),
        accepted("r3", 3),
        charge_set("r3", [3], outcome=MappingOutcome.PARKED, code="no_mapping", seconds=3600),
        charge_set("r3", [3], [make_charge("r3")], mapping_version=2),
        accepted("r1", 4, 2700, revision=2),
        charge_set("r1", [1, 4], revised, record_revision=2),
        accepted("r2", 5, 7200, revision=5, deleted=True),
        charge_set(
            "r2",
            [5],
            outcome=MappingOutcome.SKIPPED,
            code="deleted",
            record_revision=5,
            deleted=True,
        ),
        changed(document("doc-1", lines, status=DocumentStatus.DRAFT)),
        changed(document("doc-1", lines[:1], version=2)),
        changed(document("doc-1", lines, version=3)),
        changed(document("doc-2", lines[1:], version=2, status=DocumentStatus.WITHDRAWN)),
        totals("reading-1", 3, {"accepted": 3}),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_any_order_and_repetition_lead_to_the_same_state(bench: Any, seed: int) -> None:
    for event in story():
        bench.feed(event)
    in_order = states(bench)
    with bench.store.transaction() as connection:
        for table in ("seen_record", "seen_charge_set", "seen_charge", "seen_document"):
            connection.execute(text(f"DELETE FROM {table}"))
        for table in ("document_line", "sequence_range", "source_reading"):
            connection.execute(text(f"DELETE FROM {table}"))

    bench.feed_shuffled(story() * 3, seed=seed, batch=random.Random(seed).randint(1, 9))

    assert states(bench) == in_order


def test_one_batch_of_everything_keeps_the_newest(bench: Any) -> None:
    bench.feed(story())
    held = states(bench)
    assert [row["charge_id"] for row in held["charge"]] == ["r1", "r1-b", "r3"]
    assert [row["worked_seconds"] for row in held["record"]] == [2700, 7200, 3600]
    assert len(held["line"]) == 2


def test_merging_positions_keeps_what_counts(bench: Any) -> None:
    for event in story():
        bench.feed(event)
    before = states(bench)
    with bench.store.transaction() as connection:
        merge_ranges(connection)
        rows = connection.execute(text("SELECT count(*) FROM sequence_range")).scalar()
    assert rows == 2
    assert states(bench) == before


def test_lines_of_replaced_versions_are_cleaned_up(bench: Any) -> None:
    for event in story():
        bench.feed(event)
    before = states(bench)
    with bench.store.transaction() as connection:
        assert drop_replaced_lines(connection) == 1
    assert states(bench) == before


def test_positions_know_what_is_missing(bench: Any) -> None:
    for number in (1, 2, 3, 5, 9):
        bench.feed(accepted(f"r{number}", number))
    bench.feed(charge_set("r1", [1, 2]))
    with bench.store.transaction() as connection:
        known = progress(connection, BOOK)
        missing = gaps(connection, BOOK, Stream.ACCEPTED)
        uncovered = gaps(connection, BOOK, Stream.COVERED)
        merge_ranges(connection)
        assert gaps(connection, BOOK, Stream.ACCEPTED) == missing
    now = bench.clock.now()
    assert known == {
        Stream.ACCEPTED: Progress(3, 9, now),
        Stream.COVERED: Progress(2, 2, now),
    }
    assert missing == [Gap(4, 4, now), Gap(6, 8, now)]
    assert uncovered == [Gap(3, 3, None), Gap(5, 5, None), Gap(9, 9, None)]


def test_an_unknown_book_has_no_positions(bench: Any) -> None:
    with bench.store.transaction() as connection:
        assert progress(connection, "nobody") == {
            Stream.ACCEPTED: Progress(),
            Stream.COVERED: Progress(),
        }
        assert gaps(connection, "nobody", Stream.ACCEPTED) == []
        assert gaps(connection, "nobody", Stream.COVERED) == []
