"""Changes of lists: once in effect, told once, whatever the system, network or process does."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from hourbridge.common import faults
from hourbridge.common.book import SourceBinding
from hourbridge.common.errors import (
    LedgerAuthorizationExpired,
    LedgerRejected,
    LedgerThrottled,
    LedgerUnavailable,
    SourceUnavailable,
    TransientFailure,
)
from hourbridge.common.runtime.admin import NotFound
from hourbridge.common.store.engine import Store
from hourbridge.common.store.leases import Leases
from hourbridge.connectors.list_writer import ListWrite, WrittenEntry
from hourbridge.poster import fault_points
from hourbridge.poster.metrics import WAITING_LIST_CHANGES
from tests.support.charges import LEDGER, hours, make_charge
from tests.support.faulty_ledger import MemoryLedger
from tests.support.list_changes import Lost, MemoryLists, entry, requested, told
from tests.support.posting import Poster, configured, other_ledger

LANE_FAULTS = [
    fault_points.LIST_CHANGE_TAKEN,
    fault_points.LIST_WRITTEN,
    fault_points.LIST_OUTCOME_STORED,
    fault_points.LIST_OUTCOME_COMMITTED,
]


@pytest.fixture
def lists() -> MemoryLists:
    return MemoryLists()


@pytest.fixture
def poster(store: Store, lists: MemoryLists) -> Poster:
    poster = Poster(store, MemoryLedger(), targets=lists.targets())
    poster.configure()
    return poster


def ask(poster: Poster, change_id: str = "c1", name: str = "Acme", **fields: Any) -> None:
    if "source" not in fields:
        fields.setdefault("ledger", LEDGER)
    poster.feed(requested(change_id, entry(name), **fields))


def write(poster: Poster, *, rounds: int = 1) -> int:
    return sum(poster.parts.lists.run_due() for _ in range(rounds))


def states(poster: Poster) -> dict[str, str]:
    return {row.change_id: row.state for row in poster.rows("SELECT * FROM list_operation")}


def test_a_requested_customer_is_created_and_told(poster: Poster, lists: MemoryLists) -> None:
    ask(poster, origin="client-7")
    assert write(poster) == 1
    (done,) = told(poster)
    assert (done.change_id, done.outcome, done.origin) == ("c1", "written", "client-7")
    assert done.entry is not None
    assert (done.entry.entry_id, done.entry.name) == ("1", "Acme")
    assert done.target.ledger == LEDGER
    assert write(poster) == 0
    assert len(lists.writes[0].operation_key) == 32
    (audit,) = poster.rows("SELECT * FROM audit WHERE action = 'list.create'")
    assert (audit.subject, audit.detail["outcome"]) == ("c1", "written")


def test_a_repeated_request_changes_nothing(poster: Poster, lists: MemoryLists) -> None:
    for _ in range(2):
        ask(poster)
        ask(poster, event_id="again")
        write(poster)
    assert len(lists.writes) == 1
    assert len(told(poster)) == 1


@pytest.mark.parametrize("took_effect", [True, False])
def test_a_lost_answer(poster: Poster, lists: MemoryLists, took_effect: bool) -> None:
    lists.faults = [Lost(took_effect)]
    ask(poster)
    write(poster)
    assert [one.outcome for one in told(poster)] == ["waiting"]
    assert write(poster) == 0, "a write on its way is left to settle"
    poster.clock.step(seconds=10)
    assert write(poster) == 1
    assert [one.outcome for one in told(poster)][1:] == ["adopted" if took_effect else "written"]
    assert len(lists.held) == 1
    assert [one.is_repeat for one in lists.writes] == [False, True]
    assert len({one.operation_key for one in lists.writes}) == 1


@pytest.mark.parametrize("point", LANE_FAULTS)
def test_a_crash_at_every_step_of_the_lane(store: Store, lists: MemoryLists, point: str) -> None:
    poster = Poster(store, MemoryLedger(), targets=lists.targets())
    poster.configure()
    ask(poster)
    faults.arm(f"{point}=raise")
    with contextlib.suppress(TransientFailure):
        poster.parts.lists.run_due()
    faults.arm("")
    poster.clock.step(seconds=60)
    poster.process().lists.run_due()
    assert len(lists.named("Acme")) == 1
    assert states(poster) == {"c1": "done"}
    assert {one.entry.entry_id for one in told(poster) if one.entry} == {"1"}


def test_a_holder_that_wakes_up_late_stores_nothing(poster: Poster, lists: MemoryLists) -> None:
    ask(poster)
    original = lists.write_entry

    def slow(write: ListWrite) -> WrittenEntry:
        written = original(write)
        with poster.store.transaction() as connection:
            connection.exec_driver_sql("UPDATE lease SET holder = 'other', fencing = fencing + 1")
        return written

    lists.write_entry = slow  # type: ignore[method-assign]  # somebody takes over meanwhile
    with pytest.raises(Exception, match="lease_lost"):
        write(poster)
    assert states(poster) == {"c1": "sending"}
    assert told(poster) == []
    with poster.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE lease SET expires_at = now()")
    lists.write_entry = original  # type: ignore[method-assign]  # as it was
    poster.clock.step(seconds=60)
    poster.process().lists.run_due()
    assert (len(lists.held), states(poster)) == (1, {"c1": "done"})


def test_two_processes_never_work_one_list_lane_at_a_time(poster: Poster) -> None:
    ask(poster)
    other = Leases(poster.store, "another process")
    key = f"lists:quickbooks_online:{LEDGER.connection}:{LEDGER.company_id}"
    lease = other.acquire(key, ttl_seconds=60)
    assert lease is not None
    assert write(poster) == 0
    other.release(lease)
    assert write(poster) == 1


def test_a_refusal_is_told_with_its_reasons_and_kept(poster: Poster, lists: MemoryLists) -> None:
    holder = {"holder_list": "vendor", "holder_id": "7", "holder_name": "Acme"}
    lists.faults = [LedgerRejected("the name is taken", reason_code="name_taken", **holder)]
    ask(poster)
    write(poster)
    (done,) = told(poster)
    assert done.outcome == "refused"
    assert {reason.code: reason.detail for reason in done.reasons} == {
        "name_taken": "the name is taken",
        **holder,
    }
    ask(poster)
    assert write(poster) == 0, "the same message again is no new decision"
    ask(poster, event_id="decided again")
    assert write(poster) == 1
    assert [one.outcome for one in told(poster)] == ["refused", "written"]
    first, second = lists.writes
    assert first.operation_key != second.operation_key


@pytest.mark.parametrize(
    ("fault", "pause"),
    [
        (LedgerUnavailable("maintenance"), 2),
        (LedgerThrottled("too many", retry_after_seconds=60), 60),
        (LedgerAuthorizationExpired("invalid_grant"), 2),
    ],
)
def test_a_system_that_cannot_be_used_pauses_the_lane(
    poster: Poster, lists: MemoryLists, fault: Exception, pause: int
) -> None:
    lists.faults = [fault]
    ask(poster, "c1", "One")
    ask(poster, "c2", "Two")
    assert write(poster) == 1
    (stopped,) = poster.parts.status.lanes()
    assert stopped["ledger"].startswith("quickbooks_online:")
    poster.clock.step(seconds=pause - 1)
    assert write(poster) == 0
    poster.clock.step(seconds=1)
    assert write(poster) == 2, "it goes on by itself"
    assert poster.parts.status.lanes() == []
    assert len(lists.held) == 2


def test_a_source_without_an_answer_may_have_the_entry(poster: Poster, lists: MemoryLists) -> None:
    lists.faults = [SourceUnavailable("no answer")]
    ask(poster, source="toggl")
    write(poster)
    poster.clock.step(seconds=10)
    write(poster)
    assert [one.is_repeat for one in lists.writes] == [False, True]


def test_what_pauses_a_ledgers_lists_pauses_its_documents(
    poster: Poster, lists: MemoryLists
) -> None:
    lists.faults = [LedgerThrottled("too many", retry_after_seconds=60)]
    ask(poster)
    write(poster)
    poster.charge(make_charge("a", hours("5")))
    poster.bill()
    assert poster.post() == 0
    poster.clock.step(seconds=60)
    assert poster.post() == 1


def test_systems_fail_apart(poster: Poster, lists: MemoryLists) -> None:
    """One ledger is away; the changes of another, and of a tracker, go through."""
    lists.faults = [LedgerUnavailable("maintenance")]
    ask(poster, "c1", "One")
    ask(poster, "c2", "Two", ledger=other_ledger("2"))
    ask(poster, "c3", "Three", source="toggl")
    write(poster)
    assert sorted(states(poster).values()) == ["done", "done", "pending"]


def test_a_flood_of_list_changes_holds_up_no_document(poster: Poster, lists: MemoryLists) -> None:
    for n in range(150):
        ask(poster, f"c{n}", f"Customer {n}")
    assert write(poster) == 100, "another system's lists have their turn"
    poster.charge(make_charge("a", hours("5")))
    poster.bill()
    assert poster.post() == 1
    assert write(poster) == 50


def test_one_origin_never_becomes_two_entries(poster: Poster, lists: MemoryLists) -> None:
    """It is renamed while its creation is under way: the second create changes the first's."""
    lists.faults = [Lost(took_effect=True)]
    ask(poster, "c1", "Old name", origin="client-7")
    ask(poster, "c2", "New name", origin="client-7")
    assert write(poster) == 1, "the second waits for the first"
    poster.clock.step(seconds=10)
    write(poster)
    assert [held.name for held in lists.held.values()] == ["New name"]
    assert [one.kind for one in lists.writes] == ["create", "create", "update"]
    assert states(poster) == {"c1": "done", "c2": "done"}


def test_an_answer_that_never_comes_is_given_up_and_told(
    poster: Poster, lists: MemoryLists
) -> None:
    lists.faults = [Lost(took_effect=False)] * 12
    ask(poster)
    for _ in range(12):
        write(poster)
        poster.clock.step(seconds=600)
    assert states(poster) == {"c1": "refused"}
    *_, last = told(poster)
    assert (last.outcome, last.reasons[0].code) == ("refused", "outcome_unknown")


def test_a_list_that_cannot_be_written_is_refused(poster: Poster) -> None:
    poster.feed(requested("c1", entry("P", "preferences"), ledger=LEDGER))
    write(poster)
    (done,) = told(poster)
    assert (done.outcome, done.reasons[0].code) == ("refused", "not_writable")


def test_a_source_is_written_to_over_the_connection_that_the_book_names(
    poster: Poster, lists: MemoryLists
) -> None:
    poster.configure(2)
    ask(poster, "c1", source="toggl")
    bigtime = SourceBinding(name="big", system="bigtime", connection="firm-1")
    change = configured(3).event.data.configuration.model_copy(update={"sources": (bigtime,)})
    event = configured(3)
    data = event.event.data.model_copy(update={"configuration": change})
    poster.feed(type(event)(event.delivery, event.event.model_copy(update={"data": data})))
    ask(poster, "c2", source="big")
    write(poster)
    assert sorted(map(str, lists.opened)) == ["firm-1", "toggl"]


def test_a_request_ahead_of_its_configuration_waits(poster: Poster) -> None:
    change = requested("c1", entry("Acme"), source="toggl", book="unheard-of")
    with pytest.raises(TransientFailure):
        poster.feed(change)


def test_people_see_what_waits_and_try_again(poster: Poster, lists: MemoryLists) -> None:
    lists.faults = [LedgerRejected("no", reason_code="name_taken"), LedgerUnavailable("away")]
    ask(poster, "c1", "One")
    ask(poster, "c2", "Two")
    write(poster)
    status = poster.parts.list_status
    assert [(row["name"], row["state"]) for row in status.changes("acme-firm", None, 10)] == [
        ("One", "refused"),
        ("Two", "pending"),
    ]
    status.refresh_metrics()
    assert WAITING_LIST_CHANGES.labels("refused")._value.get() == 1
    status.retry("c1", actor="ann")
    with pytest.raises(NotFound):
        status.retry("c1", actor="ann")
    poster.clock.step(seconds=10)
    write(poster)
    assert states(poster) == {"c1": "done", "c2": "done"}
    assert [one.outcome for one in told(poster) if one.change_id == "c1"] == ["refused", "written"]
    answer = [route.path for route in status.routes()]
    assert answer == ["/v1/books/{book}/list-changes", "/v1/list-changes/{change_id}/retry"]
