"""Ids that change at submission and rejection: one entry stays one, twins stay two."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from hourbridge.connectors.bigtime import cursors
from hourbridge.connectors.bigtime.cursors import Cursor
from hourbridge.connectors.bigtime.rekeying import Remembered, mark_of, matches
from hourbridge.connectors.bigtime.rows import Row
from tests.support.bigtime_firm import SMALL, add_firm
from tests.support.bigtime_source import Held, open_source


def test_submission_gives_a_new_id_that_names_the_former(firm, opened, held):
    open_id = firm.enter("2026-10-06", "1.5", Notes="call")
    held.take(opened.statements("time"))
    (submitted,) = firm.submit(open_id)
    found = opened.statements("time")
    held.take(found)
    (record,) = [each.record for each in found]
    assert record.external_id == str(submitted)
    assert record.previous_external_ids == (str(open_id),)
    assert record.external_id_kind == "stable"
    assert len(held.records) == 1


def test_rejection_changes_the_id_again_and_back(firm, opened, held):
    sid = firm.enter("2026-10-06", "1.5", Notes="call")
    for change in (firm.submit, firm.reject, firm.submit):
        held.take(opened.statements("time"))
        (sid,) = change(sid)
    held.take(opened.statements("time"))
    assert len(held.records) == 1
    assert [record.external_id for record in held.records.values()] == [str(sid)]


def test_identical_twins_stay_two_and_are_paired_in_the_order_they_were_made(firm, opened, held):
    twins = [firm.enter("2026-10-06", "0.25", Notes="call") for _ in range(3)]
    held.take(opened.statements("time"))
    submitted = firm.submit(*twins[:2])
    found = opened.statements("time")
    held.take(found)
    former = {each.record.external_id: each.record.previous_external_ids for each in found}
    assert former == {
        str(submitted[0]): (str(twins[0]),),
        str(submitted[1]): (str(twins[1]),),
        str(twins[2]): (),
    }
    assert len(held.records) == 3


def test_what_was_edited_and_submitted_at_once_is_gone_and_new(firm, opened):
    """Nothing says that the two are one: the poller's difference deletes, the new one comes."""
    sid = firm.enter("2026-10-06", "1.5", Notes="call")
    opened.pages("time")
    firm.edit(sid, Hours_IN="2")
    firm.submit(sid)
    (record,) = opened.records("time")
    assert record.previous_external_ids == ()
    assert opened.source.gone("time", [str(sid)]) == {str(sid)}


def test_reading_again_after_a_lost_page_says_the_same(firm, opened):
    sid = firm.enter("2026-10-06", "1.5", Notes="call")
    opened.pages("time")
    cursor = opened.cursors["time"]
    firm.submit(sid)
    first = opened.source.read("time", cursor)
    again = opened.source.read("time", cursor)  # the process died before it kept the first
    assert [s.record for s in first.statements] == [s.record for s in again.statements]
    assert again.statements[0].record.previous_external_ids == (str(sid),)


def _row(hours: str, **changes: object) -> Row:
    values = {"StaffSID": 7, "Dt": "2026-10-06", "ProjectSID": 1, "BudgCatID": 2, "Notes": "a b"}
    return Row({**values, "Hours_IN": Decimal(hours), **changes})


def test_the_mark_ignores_spelling_and_sees_facts():
    assert mark_of(_row("1.50")) == mark_of(_row("1.5", StaffSID="7", Notes="a  b\n"))
    others = [_row("1.25"), _row("1.5", Dt="2026-10-07"), _row("1.5", BudgCatID=3)]
    assert mark_of(_row("1.5")) not in {mark_of(each) for each in others}


_MARKS = st.sampled_from(["aa", "bb", "cc"])
_OLD = st.dictionaries(
    st.integers(-999, -1).map(str), _MARKS.map(lambda m: Remembered(1, m)), max_size=12
)
_NEW = st.dictionaries(st.integers(1, 999).map(str), _MARKS, max_size=12)


@given(_OLD, _NEW)
def test_matching_is_one_to_one_by_mark_and_misses_nobody(old, new):
    found = matches(old, new.items())
    assert len(set(found.values())) == len(found)
    assert all(old[former].mark == new[entry_id] for entry_id, former in found.items())
    for mark in {"aa", "bb", "cc"}:
        before = sum(kept.mark == mark for kept in old.values())
        after = sum(each == mark for each in new.values())
        assert sum(new[entry_id] == mark for entry_id in found) == min(before, after)
    assert matches(dict(reversed(old.items())), reversed(new.items())) == found


@given(st.dictionaries(st.text("0123456789", min_size=1, max_size=3), _OLD, max_size=4))
@settings(max_examples=50)
def test_a_cursor_survives_being_written(groups):
    memory = {group: entries for group, entries in groups.items() if entries}
    cursor = Cursor(memory=memory, kept={"first": "2026-10-01"}, step=2, position="7")
    assert cursors.load(cursors.dump(cursor)) == cursor


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["2026-10-05", "2026-10-06"]),
            st.sampled_from(["0.25", "1.5", "2"]),
            st.sampled_from(["", "call"]),
        ),
        min_size=1,
        max_size=6,
    ),
    st.data(),
)
@settings(max_examples=12, deadline=None)
def test_whatever_people_do_entries_and_billable_seconds_stay(running, work, data):
    """Random submissions and rejections: as many records as entries, no second more or less."""
    running.server.world.reset()
    firm = add_firm(running, SMALL)
    opened = open_source(firm.api_url, firm.realm, firm.key)
    held = Held()
    sids = [firm.enter(day, hours, Notes=notes) for day, hours, notes in work]
    held.take(opened.statements("time"))
    seconds = sum(record.billable.seconds for record in held.records.values())
    for _ in range(3):
        chosen = data.draw(st.sets(st.integers(0, len(sids) - 1)))
        for index in sorted(chosen):
            change = firm.submit if sids[index] < 0 else firm.reject
            (sids[index],) = change(sids[index])
        held.take(opened.statements("time"))
        assert len(held.records) == len(work)
        assert {r.external_id for r in held.records.values()} == {str(sid) for sid in sids}
        assert sum(record.billable.seconds for record in held.records.values()) == seconds
    opened.source.close()
