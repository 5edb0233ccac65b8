"""The batch acceptor on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from hourbridge.common.messages.records import TimeEntry
from hourbridge.common.store.engine import Store
from hourbridge.ingestor import records
from hourbridge.ingestor.acceptance import Outcome
from hourbridge.ingestor.acceptor import Acceptance, Acceptor, Statement
from hourbridge.ingestor.identity import record_id_of

pytestmark = pytest.mark.database
AS_OF = datetime(2026, 3, 1, tzinfo=UTC)


def state(record: TimeEntry, *, book: str = "b", hour: int = 0) -> Statement:
    return Statement(book, "s", record, "payload:p", AS_OF + timedelta(hours=hour))


def accept(store: Store, clock: Any, *statements: Statement) -> Acceptance:
    with store.transaction() as connection:
        return Acceptor(clock).accept(connection, statements)


def outcomes(acceptance: Acceptance) -> list[Outcome]:
    return [verdict.outcome for verdict in acceptance.verdicts]


def rows(store: Store, sql: str, **parameters: Any) -> list[Any]:
    with store.transaction() as connection:
        return list(connection.execute(text(sql), parameters))


def test_new_changed_unchanged_older_and_conflict(
    store: Store, clock: Any, make_entry: Any
) -> None:
    first = accept(store, clock, state(make_entry(external_version="2")))
    changed = accept(store, clock, state(make_entry(external_version="4", notes="new")))
    rest = accept(
        store,
        clock,
        state(make_entry(external_version="5", notes="new")),
        state(make_entry(external_version="3", notes="late")),
        state(make_entry(external_version="4", notes="new")),
    )
    clash = accept(store, clock, state(make_entry(external_version="5", notes="other")))
    assert outcomes(first) == outcomes(changed) == [Outcome.ACCEPTED]
    assert outcomes(rest) == [Outcome.UNCHANGED, Outcome.OLDER, Outcome.OLDER]
    assert outcomes(clash) == [Outcome.CONFLICT]
    assert [r.revision for r in first.revisions + changed.revisions] == [2, 4]
    assert rows(store, "SELECT stored_state->>'notes', stated_state->>'notes' FROM conflict") == [
        ("new", "other")
    ]


def test_a_newer_version_makes_a_conflict_irrelevant(
    store: Store, clock: Any, make_entry: Any
) -> None:
    for version, notes in (("1", "a"), ("1", "b"), ("2", "c")):
        accept(store, clock, state(make_entry(external_version=version, notes=notes)))
    assert rows(store, "SELECT decision FROM conflict") == [("superseded",)]


def test_a_batch_numbers_records_gaplessly_in_order_of_arrival(
    store: Store, clock: Any, make_entry: Any
) -> None:
    batch = [state(make_entry(f"e-{n % 7}", notes=str(n)), hour=n) for n in range(30)]
    acceptance = accept(store, clock, *batch)
    assert [revision.sequence for revision in acceptance.revisions] == list(range(1, 8))
    assert [revision.state.notes for revision in acceptance.revisions] == [  # type: ignore[attr-defined]
        str(n) for n in range(23, 30)
    ]
    with store.transaction() as connection:
        assert records.position(connection, "b") == 7


def test_books_are_numbered_apart(store: Store, clock: Any, make_entry: Any) -> None:
    acceptance = accept(
        store,
        clock,
        state(make_entry("1"), book="b1"),
        state(make_entry("1"), book="b2"),
        state(make_entry("2"), book="b1"),
    )
    found = [(revision.book, revision.sequence) for revision in acceptance.revisions]
    assert found == [("b1", 1), ("b2", 1), ("b1", 2)]


def test_twice_is_once(store: Store, clock: Any, make_entry: Any) -> None:
    batch = [state(make_entry(f"e-{n}"), hour=n) for n in range(5)]
    accept(store, clock, *batch)
    before = rows(store, "SELECT * FROM record ORDER BY record_id")
    clock.step(hours=1)
    again = accept(store, clock, *batch)
    assert set(outcomes(again)) == {Outcome.UNCHANGED}
    assert again.revisions == []
    assert rows(store, "SELECT * FROM record ORDER BY record_id") == before


def test_a_preview_says_the_same_and_writes_nothing(
    store: Store, clock: Any, make_entry: Any
) -> None:
    accept(store, clock, state(make_entry("1")))
    batch = [state(make_entry("1", notes="x"), hour=1), state(make_entry("2"))]
    with store.transaction() as connection:
        preview = Acceptor(clock).preview(connection, batch)
    assert len(rows(store, "SELECT 1 FROM record")) == 1
    assert outcomes(preview) == outcomes(accept(store, clock, *batch))


def test_versions_and_times_of_one_source_are_never_compared(
    store: Store, clock: Any, make_entry: Any
) -> None:
    accept(store, clock, state(make_entry("1", external_version="1")))
    by_time = accept(store, clock, state(make_entry("2", source_updated_at="2026-01-01T00:00:00Z")))
    assert outcomes(by_time) == [Outcome.REJECTED]
    assert by_time.verdicts[0].reasons[0].code == "version_missing"


VERSIONS = st.lists(
    st.tuples(st.sampled_from("pq"), st.integers(1, 4), st.sampled_from("xyz")),
    min_size=1,
    max_size=8,
    unique_by=lambda item: (item[0], item[1]),
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(VERSIONS, st.data())
def test_shuffled_repeated_and_differently_batched_deliveries_converge(
    shared_store: Store, clock: Any, make_entry: Any, versions: list[Any], data: st.DataObject
) -> None:
    def run(order: Sequence[tuple[str, int, str]], size: int) -> list[Any]:
        book = f"b{uuid4().hex[:12]}"
        for begin in range(0, len(order), size):
            batch = [
                state(make_entry(name, external_version=str(version), notes=notes), book=book)
                for name, version, notes in order[begin : begin + size]
            ]
            accept(shared_store, clock, *batch)
        accepted = "SELECT count(*) FROM superseded_revision s JOIN record r USING (record_id)"
        numbers = rows(
            shared_store,
            f"SELECT (SELECT last FROM book_sequence WHERE book = :book), "
            f"(SELECT count(*) FROM record WHERE book = :book) + ({accepted} WHERE r.book = :book)",
            book=book,
        )
        assert numbers[0][0] == numbers[0][1], "a number was given without an accepted revision"
        return rows(
            shared_store,
            "SELECT external_id, seen_revision, content_hash, state->>'notes' FROM record "
            "WHERE book = :book ORDER BY external_id",
            book=book,
        )

    expected = run(versions, len(versions))
    shuffled = data.draw(st.permutations(versions * 2))
    assert run(shuffled, data.draw(st.integers(1, 5))) == expected


def test_concurrent_acceptors_leave_no_gap_and_lose_nothing(
    store: Store, clock: Any, make_entry: Any
) -> None:
    def work(worker: int) -> list[int]:
        numbers: list[int] = []
        for round_number in range(6):
            batch = [
                state(
                    make_entry(f"e-{(worker * 5 + n) % 23}", notes=f"{worker}-{round_number}"),
                    hour=worker * 100 + round_number,
                )
                for n in range(10)
            ]
            numbers += [revision.sequence for revision in accept(store, clock, *batch).revisions]
        return numbers

    with ThreadPoolExecutor(6) as pool:
        numbers = [number for found in pool.map(work, range(6)) for number in found]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    stored = rows(store, "SELECT last FROM book_sequence WHERE book = 'b'")
    assert stored == [(len(numbers),)]
    held = rows(
        store,
        "SELECT sequence FROM record UNION ALL SELECT sequence FROM superseded_revision ORDER BY 1",
    )
    assert [row[0] for row in held] == sorted(numbers)


# --- ids that change ------------------------------------------------------------------------


CHAIN = (("a", ()), ("b", ("a",)), ("c", ("b",)))


@pytest.mark.parametrize(
    "order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_chain_of_ids_is_one_record_in_any_order(
    store: Store, clock: Any, make_entry: Any, order: tuple[int, ...], at_once: bool
) -> None:
    chain = [
        state(
            make_entry(
                name, previous_external_ids=previous, external_version=str(n + 1), notes=name
            )
        )
        for n, (name, previous) in enumerate(CHAIN)
    ]
    arriving = [chain[index] for index in order]
    for batch in [arriving] if at_once else [[each] for each in arriving]:
        accept(store, clock, *batch)
    live = rows(
        store,
        "SELECT record_id::text, state->>'notes' FROM record "
        "WHERE NOT deleted AND merged_into IS NULL",
    )
    assert [row[1] for row in live] == ["c"]
    for name in "abc":
        late = accept(store, clock, state(make_entry(name, external_version="1", notes="a")))
        assert late.verdicts[0].record_id == live[0][0]
        assert outcomes(late) == [Outcome.OLDER]


def test_two_records_that_turn_out_to_be_one_are_merged_and_one_is_withdrawn(
    store: Store, clock: Any, make_entry: Any
) -> None:
    accept(store, clock, state(make_entry("old", external_version="1", notes="old")))
    accept(store, clock, state(make_entry("new", external_version="2", notes="new")))
    link = make_entry("new", previous_external_ids=["old"], external_version="3", notes="link")
    merged = accept(store, clock, state(link))
    survivor = record_id_of("b", "s", link.record_type, "old")
    loser = record_id_of("b", "s", link.record_type, "new")
    told = {revision.record_id: revision for revision in merged.revisions}
    assert told[survivor].state.deleted is None
    assert told[loser].state.deleted is not None
    assert sorted(r.sequence for r in merged.revisions) == [3, 4]
    again = accept(store, clock, state(link))
    assert again.revisions == []


def test_a_merged_record_s_newer_content_wins(store: Store, clock: Any, make_entry: Any) -> None:
    accept(store, clock, state(make_entry("old", external_version="1", notes="old")))
    accept(store, clock, state(make_entry("new", external_version="9", notes="newest")))
    link = make_entry("new", previous_external_ids=["old"], external_version="3", notes="link")
    acceptance = accept(store, clock, state(link))
    assert outcomes(acceptance) == [Outcome.OLDER]
    live = rows(store, "SELECT state->>'notes' FROM record WHERE merged_into IS NULL")
    assert live == [("newest",)]
