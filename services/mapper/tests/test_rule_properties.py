"""Properties of mapping over arbitrary records and configurations."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hourbridge.common.messages.events import Charge, ChargeSetChanged, MappingOutcome
from hourbridge.common.messages.records import Record
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.outcome import Mapped
from hourbridge.mapper.rules.record import map_record
from tests.support.mapping import BOOK, SOURCE, configuration, expense, time_entry

NAMES = st.sampled_from(["Acme", "Beta", " Acme", "Café", "77", ""])
OPTIONAL = st.none() | st.sampled_from(["Acme", "Beta", "Website", "Design", "77", "Ann"])
DAYS = st.sampled_from(["2025-12-31", "2026-01-01", "2026-03-02", "2026-06-30"])
STATES = st.sampled_from(["billable", "non_billable", "no_charge", "unknown"])
APPROVALS = st.sampled_from(["approved", "submitted", "unknown", "not_required"])
AMOUNTS = st.sampled_from(["0", "1", "99.99", "150.00", "133.3333"])
DATED = st.fixed_dictionaries({}, optional={"effective_from": DAYS})


@st.composite
def records(draw: st.DrawFn) -> Record:
    shared: dict[str, Any] = {
        "client_id": draw(OPTIONAL),
        "client_name": draw(OPTIONAL),
        "project_id": draw(OPTIONAL),
        "project_name": draw(OPTIONAL),
        "billable_state": draw(STATES),
        "approval": {"state": draw(APPROVALS)},
        "deleted": draw(st.none() | st.just({"how": "feed"})),
    }
    if draw(st.booleans()):
        return expense(
            category_name=draw(OPTIONAL),
            amount_in=draw(AMOUNTS),
            currency=draw(st.sampled_from(["USD", "EUR"])),
            expense_date=draw(DAYS),
            **shared,
        )
    return time_entry(
        task_name=draw(OPTIONAL),
        staff_name=draw(OPTIONAL),
        work_date=draw(DAYS),
        input={"seconds": draw(st.integers(0, 86_400))},
        running=draw(st.booleans()),
        bill_rate=draw(st.none() | st.builds(lambda amount: {"amount": amount}, AMOUNTS)),
        **shared,
    )


def rules(name: str, **target: Any) -> st.SearchStrategy[list[dict[str, Any]]]:
    rule = st.builds(
        lambda key, dates: {name: key, **target, **dates},
        st.sampled_from(["Acme", "Beta", "Website", "Design", "77"]),
        DATED,
    )
    return st.lists(rule, max_size=4)


@st.composite
def books(draw: st.DrawFn) -> CompiledBook:
    scopes = st.fixed_dictionaries(
        {"amount": AMOUNTS},
        optional={
            "client": st.just("Acme"),
            "project": st.just("Website"),
            "task": st.just("Design"),
            "staff": st.just("Ann"),
        },
    )
    changes = {
        "clients": draw(rules("client", customer={"id": "1"})),
        "projects": draw(rules("project", job={"id": "2"})),
        "tasks": draw(rules("task", item={"id": "3"})),
        "expenses": draw(rules("category", account={"id": "4"})),
        "rates": {"rules": draw(st.lists(scopes, max_size=4))},
        "billable": {
            "approved_only": draw(st.booleans()),
            "unknown_state": draw(st.sampled_from(["billable", "non_billable", "park"])),
        },
    }
    return CompiledBook(configuration(**changes), 1)


def result(book: CompiledBook | None, record: Record) -> Mapped:
    return map_record(book, book_name=BOOK, source=SOURCE, record_id="r1", record=record)


@settings(max_examples=400, deadline=None)
@given(books(), records())
def test_mapping_is_total_repeatable_and_consistent(book: CompiledBook, record: Record) -> None:
    mapped = result(book, record)
    assert mapped == result(book, record)
    assert bool(mapped.charges) == (mapped.outcome is MappingOutcome.CHARGED)
    assert bool(mapped.reasons) != (mapped.outcome is MappingOutcome.CHARGED)
    assert bool(mapped.waits_for) == (mapped.outcome is MappingOutcome.PARKED)
    if mapped.outcome is MappingOutcome.SKIPPED:
        assert mapped.billable_seconds == 0


@settings(max_examples=200, deadline=None)
@given(books(), records())
def test_charges_are_valid_messages(book: CompiledBook, record: Record) -> None:
    for charge in result(book, record).charges:
        assert Charge.model_validate_json(charge.model_dump_json(exclude_none=True)) == charge


@settings(max_examples=200, deadline=None)
@given(records())
def test_without_configuration_only_what_is_never_charged_is_skipped(record: Record) -> None:
    mapped = result(None, record)
    assert mapped.outcome in (MappingOutcome.SKIPPED, MappingOutcome.PARKED)
    assert mapped.charges == ()


@settings(max_examples=200, deadline=None)
@given(books(), records(), st.integers(0, 3))
def test_unrelated_rules_change_nothing(book: CompiledBook, record: Record, count: int) -> None:
    document = book.configuration.model_dump(mode="json", exclude_none=True)
    for number in range(count):
        stranger = f"Stranger {number}"
        document["clients"].insert(0, {"client": stranger, "customer": {"id": "9"}})
        document["tasks"].insert(0, {"task": stranger, "item": {"id": "9"}})
        document["rates"]["rules"].insert(0, {"client": stranger, "amount": "9"})
    richer = CompiledBook(configuration(**document), 2)
    assert result(richer, record) == result(book, record)


def test_the_charge_set_model_reads_what_is_written() -> None:
    assert set(Mapped.__dataclass_fields__) - {"consulted"} <= set(ChargeSetChanged.model_fields)
