"""Importing whole files into a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from hourbridge.common.errors import TransientFailure
from hourbridge.common.faults import arm
from hourbridge.common.messages.registry import REGISTRY, SOURCE_TOTALS_RECORDED
from hourbridge.common.store import objects
from hourbridge.common.store.outbox import Outbox
from hourbridge.ingestor.acceptor import Acceptor, Statement
from hourbridge.ingestor.imports import job as job_module
from hourbridge.ingestor.imports.importer import Importer
from services.ingestor.tests.imports.files import DIRTY_PSA, options, shared_data

pytestmark = pytest.mark.database
HEADER = "id,updated_at,staff,client,date,hours,billable,notes"
APRIL = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def importer(store: Any, bus: Any, clock: Any) -> Importer:
    return Importer(store, Outbox(store, bus), Acceptor(clock), clock)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_module, "BATCH_ROWS", 4)


def write(path: Path, *lines: str, header: str = HEADER, name: str = "f.csv") -> Path:
    target = path / name
    target.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return target


def lines(*ids: int, hours: str = "1", updated_at: str = "") -> list[str]:
    return [f"{n},{updated_at},a,c,2026-03-{n:02},{hours},yes,n{n}" for n in ids]


def rows(store: Any, sql: str) -> list[Any]:
    with store.transaction() as connection:
        return list(connection.execute(text(sql)))


def live(store: Any) -> list[Any]:
    return rows(
        store,
        "SELECT external_id, state->'input'->>'seconds' FROM record WHERE NOT deleted "
        "ORDER BY external_id::int",
    )


def run(importer: Importer, path: Path, profile: str = "generic_csv", **changes: Any) -> Any:
    return importer.import_file(
        path,
        options(profile, as_of=APRIL)
        if not changes
        else options(profile, **({"as_of": APRIL} | changes)),
        actor="olga",
    )


def events(bus: Any, queue: str) -> list[Any]:
    subscription = bus.subscribe(queue, prefetch=5000)
    deliveries = subscription.fetch(5000, 0)
    subscription.acknowledge(deliveries)
    subscription.close()
    return [REGISTRY.decode(delivery.type, delivery.body) for delivery in deliveries]


def test_rows_travel_through_the_bulk_lane_and_point_to_their_file(
    importer: Importer, store: Any, bus: Any, tmp_path: Path
) -> None:
    path = write(tmp_path, *lines(1, 2, 3), *lines(4, hours="-1"))
    summary = run(importer, path)
    assert summary["outcomes"] == {"accepted": 3, "rejected": 1}
    told = events(bus, "mapper.bulk.v1")
    assert [event.data.sequence for event in told] == [1, 2, 3]
    assert told[2].data.raw_ref == f"sha256:{summary['file_sha256']}#row=3"
    with store.transaction() as connection:
        assert objects.get(connection, told[2].data.raw_ref) == path.read_bytes()
    assert bus.depth("mapper.work.v1") == 0


def test_totals_follow_counted_before_parsing_and_outcomes_sum_to_the_rows(
    importer: Importer, bus: Any, tmp_path: Path
) -> None:
    path = write(tmp_path, *lines(1, 2), *lines(3, hours="-0.5"), *lines(1), *lines(4, hours="x"))
    summary = run(importer, path)
    totals = [e for e in events(bus, "reconciler.bulk.v1") if e.type == SOURCE_TOTALS_RECORDED]
    assert len(totals) == 1
    data = totals[0].data
    assert (data.totals[0].rows, data.totals[0].seconds) == (5, 9000)
    assert data.outcomes == {"accepted": 2, "rejected": 2, "unchanged": 1}
    assert sum(data.outcomes.values()) == data.totals[0].rows
    assert data.totals[0].group == summary["file_sha256"]


def test_the_same_file_twice_changes_nothing(
    importer: Importer, store: Any, bus: Any, clock: Any, tmp_path: Path
) -> None:
    path = write(tmp_path, *lines(*range(1, 10)))
    run(importer, path)
    before = rows(store, "SELECT * FROM record ORDER BY record_id")
    events(bus, "mapper.bulk.v1")
    clock.step(days=1)
    again = run(importer, path)
    later = run(importer, path, as_of=APRIL + timedelta(days=1))
    assert again["imported_before"]
    assert again["outcomes"] == later["outcomes"] == {"unchanged": 9}
    assert events(bus, "mapper.bulk.v1") == []
    hashes = "SELECT record_id, content_hash, sequence, revision FROM record ORDER BY record_id"
    assert [tuple(row[:1]) for row in rows(store, hashes)] == [tuple(row[:1]) for row in before]
    assert rows(store, "SELECT last FROM book_sequence") == [(9,)]


def test_an_older_file_after_a_newer_one_changes_nothing(
    importer: Importer, store: Any, tmp_path: Path
) -> None:
    newer = write(tmp_path, *lines(1, 2, hours="2"), name="new.csv")
    older = write(tmp_path, *lines(1, 2, hours="1"), name="old.csv")
    run(importer, newer)
    summary = run(importer, older, as_of=APRIL - timedelta(days=7))
    assert summary["outcomes"] == {"older": 2}
    assert live(store) == [("1", "7200"), ("2", "7200")]


def test_of_rows_with_one_id_the_newest_wins_wherever_they_stand(
    importer: Importer, store: Any, tmp_path: Path, small_batches: None
) -> None:
    path = write(
        tmp_path,
        *lines(1, updated_at="2026-03-02T00:00:00Z", hours="1"),
        *lines(*range(2, 9), updated_at="2026-03-01T00:00:00Z"),
        *lines(1, updated_at="2026-03-03T00:00:00Z", hours="3"),
        *lines(1, updated_at="2026-03-01T00:00:00Z", hours="2"),
        *lines(1, updated_at="2026-03-03T00:00:00Z", hours="4"),
    )
    summary = run(importer, path)
    assert summary["outcomes"] == {"accepted": 8, "older": 2, "conflict": 1}
    assert live(store)[0] == ("1", "10800")
    assert len(rows(store, "SELECT 1 FROM conflict WHERE decision = 'open'")) == 1


def test_a_dry_run_shows_the_same_outcomes_and_writes_nothing(
    importer: Importer, store: Any, bus: Any, tmp_path: Path
) -> None:
    run(importer, write(tmp_path, *lines(1, 2, 3), name="before.csv"))
    events(bus, "mapper.bulk.v1")
    before = rows(store, "SELECT * FROM record ORDER BY record_id")
    path = write(tmp_path, *lines(1), *lines(2, hours="2"), *lines(5), *lines(6, hours="-1"))
    tomorrow = APRIL + timedelta(days=1)
    how = {"as_of": tomorrow, "mode": "snapshot", "first": "2026-03-01", "last": "2026-03-31"}
    dry = run(importer, path, dry_run=True, **how)
    assert rows(store, "SELECT * FROM record ORDER BY record_id") == before
    assert len(rows(store, "SELECT 1 FROM import_run")) == 1
    assert events(bus, "mapper.bulk.v1") == []
    assert dry["rejected"][0]["row"] == 4
    real = run(importer, path, **how)
    assert dry["outcomes"] == real["outcomes"] == {"unchanged": 1, "accepted": 2, "rejected": 1}
    assert dry["deleted"] == real["deleted"] == 1


# --- snapshots ------------------------------------------------------------------------------


def snapshot(importer: Importer, path: Path, day: int, **changes: Any) -> Any:
    window = {"first": "2026-03-01", "last": "2026-03-31"} | changes
    as_of = APRIL + timedelta(days=day)
    return run(importer, path, mode="snapshot", as_of=as_of, **window)


def test_a_snapshot_deletes_what_it_lacks_in_its_window_only(
    importer: Importer, store: Any, bus: Any, tmp_path: Path
) -> None:
    outside = "99,,a,c,2026-02-27,1,yes,other month"
    run(importer, write(tmp_path, *lines(1, 2, 3), outside))
    events(bus, "mapper.bulk.v1")
    summary = snapshot(importer, write(tmp_path, *lines(1, 3), name="s.csv"), 1)
    assert summary["deleted"] == 1
    assert [row[0] for row in live(store)] == ["1", "3", "99"]
    told = events(bus, "mapper.bulk.v1")
    assert [(e.data.state.external_id, e.data.state.deleted.how) for e in told] == [
        ("2", "snapshot")
    ]
    again = snapshot(importer, write(tmp_path, *lines(1, 2, 3), name="t.csv"), 2)
    assert again["outcomes"] == {"unchanged": 2, "accepted": 1}
    assert [row[0] for row in live(store)] == ["1", "2", "3", "99"]


def test_an_older_snapshot_after_a_newer_one_changes_nothing(
    importer: Importer, store: Any, tmp_path: Path
) -> None:
    snapshot(importer, write(tmp_path, *lines(1, 2, 5), name="new.csv"), 5)
    before = live(store)
    older = snapshot(importer, write(tmp_path, *lines(1, 3), name="old.csv"), 2)
    assert older["outcomes"] == {"older": 2}
    assert older["deleted"] == 0
    assert live(store) == before


def test_a_snapshot_does_not_delete_what_was_stated_after_it_was_taken(
    importer: Importer, store: Any, clock: Any, tmp_path: Path, make_entry: Any
) -> None:
    late = make_entry("7", source_updated_at="2026-04-09T00:00:00Z")
    with store.transaction() as connection:
        Acceptor(clock).accept(connection, [Statement("acme", "files", late, "p", APRIL)])
    snapshot(importer, write(tmp_path, *lines(1)), 1)
    assert [row[0] for row in live(store)] == ["1", "7"]


def test_rows_that_were_refused_are_not_taken_for_deleted(
    importer: Importer, store: Any, tmp_path: Path
) -> None:
    run(importer, write(tmp_path, *lines(1, 2, 3)))
    damaged = write(tmp_path, *lines(1), *lines(2, hours="-1"), name="s.csv")
    summary = snapshot(importer, damaged, 1)
    assert summary["deleted"] == 1
    assert [row[0] for row in live(store)] == ["1", "2"]


def test_a_snapshot_with_unreadable_identities_deletes_nothing_and_says_so(
    importer: Importer, store: Any, tmp_path: Path
) -> None:
    run(importer, write(tmp_path, *lines(1, 2)))
    summary = snapshot(importer, write(tmp_path, *lines(1), "ragged,row", name="s.csv"), 1)
    assert summary["deleted"] == 0
    assert summary["deletions_withheld"].startswith("1 rejected rows have no readable id")
    assert [row[0] for row in live(store)] == ["1", "2"]


# --- kills ----------------------------------------------------------------------------------


@pytest.mark.parametrize("point", ["ingestor.import_before_commit", "ingestor.import_after_commit"])
def test_an_import_that_was_cut_off_goes_on_where_it_was(
    importer: Importer, store: Any, bus: Any, tmp_path: Path, small_batches: None, point: str
) -> None:
    path = write(tmp_path, *lines(*range(1, 16)), *lines(1, hours="-1"), *lines(20, hours="-1"))
    arm(f"{point}=raise@3")
    try:
        with pytest.raises(TransientFailure):
            run(importer, path)
    finally:
        arm("")
    partly = rows(store, "SELECT state, batches_done FROM import_run")
    assert partly == [("running", 2 if point.endswith("before_commit") else 3)]
    summary = run(importer, path)
    assert summary["outcomes"] == {"accepted": 15, "rejected": 2}
    assert len(rows(store, "SELECT 1 FROM import_rejected")) == 2
    importer.outbox.flush()
    told = events(bus, "mapper.bulk.v1")
    assert sorted(event.data.sequence for event in told) == list(range(1, 16))
    assert rows(store, "SELECT state FROM import_run") == [("done",)]


# --- real files -----------------------------------------------------------------------------


def test_the_dirty_data_s_duplicates_leave_the_newest(importer: Importer, store: Any) -> None:
    path = shared_data("dirty-psa", "time_entries.csv")
    first = run(importer, path, "dirty_psa", profile_definition=DIRTY_PSA)
    assert first["outcomes"] == {"accepted": 237, "older": 39, "rejected": 29}
    again = run(
        importer, path, "dirty_psa", profile_definition=DIRTY_PSA, as_of=APRIL + timedelta(1)
    )
    assert again["outcomes"] == {"unchanged": 237, "older": 39, "rejected": 29}
    kept = rows(
        store,
        "SELECT state->'input'->>'seconds', state->'approval'->>'state' "
        "FROM record WHERE external_id = 'TE-00068'",
    )
    assert kept == [("30600", "draft")]


def test_the_toggl_export_twice(importer: Importer, store: Any) -> None:
    path = shared_data("toggl-export", "tira_toggl_pseudonymised.csv")
    assert run(importer, path, "toggl")["outcomes"] == {"accepted": 652}
    assert run(importer, path, "toggl")["outcomes"] == {"unchanged": 652}
    assert rows(store, "SELECT sum((state->'input'->>'seconds')::int) FROM record") == [(3188866,)]
