"""The time policy: whose local day work counts on, and where it is cut."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hourbridge.common.messages.events import MappingOutcome
from hourbridge.mapper.rules.subject import Fact, FactKey
from hourbridge.mapper.rules.work_time import shares
from services.mapper.tests.timed import BERLIN, SYDNEY, TOKYO, by_wall, charges, timed, worked
from tests.support.mapping import SOURCE, codes, mapped, time_entry

# --- whose day ------------------------------------------------------------------------------

LATE = {"start": "2026-03-31T22:30:00Z", "end": "2026-03-31T23:30:00Z"}


@pytest.mark.parametrize(
    ("work_day", "day"),
    [
        ("stated", "2026-03-31"),
        ("worker", "2026-04-01"),  # Sydney
        ("project", "2026-03-31"),  # Los Angeles
        ("client", "2026-04-01"),  # Tokyo
        ("company", "2026-03-31"),  # New York
    ],
)
def test_the_day_is_whose_the_policy_says(work_day: str, day: str) -> None:
    found = worked(
        timed(**LATE, zone={"iana": SYDNEY}),
        time={"work_day": work_day},
        clients=[{"client": "Acme", "customer": {"id": "17"}, "zone": TOKYO}],
        projects=[{"project": "Website", "zone": "America/Los_Angeles"}],
    )
    assert found == [(day, 3600)]


def test_without_zones_of_their_own_projects_and_clients_are_where_the_company_is() -> None:
    for work_day in ("project", "client"):
        assert worked(timed(**LATE, zone={"iana": SYDNEY}), time={"work_day": work_day}) == [
            ("2026-03-31", 3600)
        ]


@pytest.mark.parametrize(
    ("fields", "changes", "zone"),
    [
        ({"zone": {"iana": SYDNEY}}, {}, SYDNEY),
        ({"zone": {"offset_minutes": 345}}, {}, "+05:45"),
        ({"zone": {"offset_minutes": -210}}, {}, "-03:30"),
        ({"zone": {"iana": "UTC", "confidence": "assumed"}}, {}, "America/New_York"),
        ({"zone": {"iana": "Mars/Olympus"}}, {}, "America/New_York"),
        (
            {"zone": {"iana": BERLIN, "offset_minutes": 120, "confidence": "firm"}},
            {},
            BERLIN,
        ),
        (
            {"zone": {"iana": BERLIN, "offset_minutes": -420, "confidence": "firm"}},
            {},
            "-07:00",
        ),
        ({}, {"staff": True}, BERLIN),
        ({}, {"staff": True, "fact": True}, BERLIN),
        ({"zone": {"iana": SYDNEY}}, {"staff": True}, SYDNEY),
        ({}, {"fact": True}, "Asia/Kathmandu"),
        ({}, {"fact": True, "source": True}, "Asia/Kathmandu"),
        ({}, {"source": True}, TOKYO),
        ({}, {}, "America/New_York"),
    ],
)
def test_where_a_worker_is(fields: Any, changes: Any, zone: str) -> None:
    time: dict[str, Any] = {"work_day": "worker"}
    options: dict[str, Any] = {"time": time}
    if "staff" in changes:
        time["staff_zones"] = [{"staff": "Ann", "zone": BERLIN}]
    if "source" in changes:
        options["sources"] = [{"name": SOURCE, "zone": TOKYO}]
    facts = (
        {FactKey("staff", "Ann"): Fact("Ann", zone="Asia/Kathmandu")} if "fact" in changes else {}
    )
    [charge] = charges(timed(**LATE, **fields), facts=facts, **options)
    assert charge.span is not None
    assert charge.span.zone == zone
    assert charge.span.day_of == "worker"


def test_staff_data_is_asked_only_for_times_without_a_place() -> None:
    assert mapped(time_entry()).consulted == ()
    assert mapped(timed(**LATE, zone={"iana": SYDNEY})).consulted == ()
    assert mapped(timed(**LATE)).consulted == (FactKey("staff", "Ann"),)


def test_the_charge_set_and_the_rules_follow_the_day() -> None:
    entry = timed(**LATE, zone={"iana": SYDNEY})
    rates = {
        "rules": [
            {"client": "Acme", "amount": "150.00"},
            {"client": "Acme", "amount": "165.00", "effective_from": "2026-04-01"},
        ]
    }
    result = mapped(entry, time={"work_day": "worker"}, rates=rates)
    assert result.work_date == date(2026, 4, 1)
    assert str(result.charges[0].rate and result.charges[0].rate.amount) == "165.00"


# --- cutting --------------------------------------------------------------------------------

NIGHT = {"start": "2026-04-30T20:15:00Z", "end": "2026-05-01T00:45:00Z", "hours": 4.5}
"""In Berlin from 22:15 to 02:45."""


@pytest.mark.parametrize(
    ("split_at", "day", "parts"),
    [
        ("never", "worker", [("2026-04-30", 16200)]),
        ("midnight", "worker", [("2026-04-30", 6300), ("2026-05-01", 9900)]),
        ("month_end", "worker", [("2026-04-30", 6300), ("2026-05-01", 9900)]),
        ("midnight", "stated", [("2026-04-30", 6300), ("2026-05-01", 9900)]),
        ("midnight", "company", [("2026-04-30", 16200)]),
    ],
)
def test_work_over_midnight(split_at: str, day: str, parts: list[tuple[str, int]]) -> None:
    entry = timed(**NIGHT, zone={"iana": BERLIN})
    assert worked(entry, time={"work_day": day, "split_at": split_at}) == parts


def test_a_month_s_end_is_the_only_midnight_that_cuts_by_month() -> None:
    entry = timed("2026-04-29T20:15:00Z", "2026-04-30T00:45:00Z", 4.5, zone={"iana": BERLIN})
    time = {"work_day": "worker", "split_at": "month_end"}
    assert worked(entry, time=time) == [("2026-04-29", 16200)]


def test_parts_share_breaks_and_billable_time_to_the_second() -> None:
    entry = timed(
        "2026-04-30T20:00:00Z", "2026-05-01T00:00:00Z", 3, zone={"iana": BERLIN},
        billable={"seconds": 10001}, billable_state="partially_billable", break_seconds=3600,
    )  # fmt: skip
    found = charges(entry, time={"work_day": "worker", "split_at": "midnight"})
    assert [charge.worked_seconds for charge in found] == [5400, 5400]
    assert [charge.billable_seconds for charge in found] == [5000, 5001]
    assert len({charge.charge_id for charge in found}) == 2
    assert [(c.span.part, c.span.parts) for c in found if c.span] == [(1, 2), (2, 2)]


def test_the_first_part_keeps_the_id_of_the_whole() -> None:
    entry = timed(**NIGHT, zone={"iana": BERLIN})
    [whole] = charges(entry)
    first, _ = charges(entry, time={"split_at": "midnight"})
    assert first.charge_id == whole.charge_id


def test_without_an_end_work_lasts_as_stated() -> None:
    entry = timed("2026-04-30T20:15:00Z", None, 4.5, zone={"iana": BERLIN})
    found = worked(entry, time={"split_at": "midnight"})
    assert found == [("2026-04-30", 6300), ("2026-05-01", 9900)]


def test_a_night_with_two_two_o_clocks_is_cut_in_real_time() -> None:
    entry = by_wall("2026-10-24T23:00", "2026-10-25T04:00", 6)
    time = {"work_day": "worker", "split_at": "midnight"}
    assert worked(entry, time=time) == [("2026-10-24", 3600), ("2026-10-25", 18000)]


def test_a_part_is_charged_by_the_rules_of_its_own_day() -> None:
    found = mapped(
        timed(**NIGHT, zone={"iana": BERLIN}),
        time={"split_at": "month_end"},
        projects=[{"project": "Website", "billable": False, "effective_to": "2026-04-30"}],
    )
    assert found.outcome is MappingOutcome.CHARGED
    assert [charge.work_date for charge in found.charges] == [date(2026, 5, 1)]
    assert found.worked_seconds == 9900


def test_work_that_is_free_on_both_sides_of_the_cut_is_skipped() -> None:
    found = mapped(
        timed(**NIGHT, zone={"iana": BERLIN}),
        time={"split_at": "month_end"},
        projects=[{"project": "Website", "billable": False}],
    )
    assert (found.outcome, codes(found)) == (MappingOutcome.SKIPPED, ["non_billable"])
    assert found.worked_seconds == 16200


def test_a_part_that_waits_holds_up_the_whole() -> None:
    found = mapped(
        timed(**NIGHT, zone={"iana": BERLIN}),
        time={"split_at": "month_end"},
        clients=[{"client": "Acme", "customer": {"id": "1"}, "effective_to": "2026-04-30"}],
        rates={"rules": [{"amount": "10"}]},
    )
    assert (found.outcome, found.charges) == (MappingOutcome.PARKED, ())
    assert found.worked_seconds == 16200
    assert found.waits_for == ("client:Acme",)


def test_nonsense_is_not_cut_into_a_thousand_days() -> None:
    entry = timed("2020-01-01T00:00:00Z", "2026-01-01T00:00:00Z", 8, zone={"iana": BERLIN})
    assert len(charges(entry, time={"split_at": "midnight"})) == 1


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**5), min_size=1, max_size=9))
def test_shares_are_whole_and_sum(total: int, weights: list[int]) -> None:
    found = shares(total, weights)
    assert sum(found) == total
    assert all(share >= 0 for share in found)
    if sum(weights):
        exact = [total * weight / sum(weights) for weight in weights]
        assert all(abs(share - want) <= 1 for share, want in zip(found, exact, strict=True))


MOMENTS = st.datetimes(
    datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2027-01-01")
).map(lambda moment: moment.replace(microsecond=0))


@given(
    MOMENTS,
    st.integers(0, 60 * 60 * 50),
    st.integers(1, 60 * 60 * 50),
    st.sampled_from(["stated", "worker", "company"]),
    st.sampled_from(["never", "midnight", "month_end"]),
)
def test_parts_sum_to_the_whole(
    start: datetime, lasts: int, seconds: int, work_day: str, split_at: str
) -> None:
    text = start.isoformat()
    entry = time_entry(
        work_date=text[:10],
        start_at=f"{text}Z",
        end_at=f"{(start + timedelta(seconds=lasts)).isoformat()}Z",
        zone={"iana": BERLIN},
        input={"seconds": seconds},
    )
    result = mapped(entry, time={"work_day": work_day, "split_at": split_at})
    if result.outcome is MappingOutcome.CHARGED:
        parts = result.charges
        assert sum(part.worked_seconds for part in parts) == result.worked_seconds
        days = [part.work_date for part in parts]
        assert days == sorted(days)
        assert len({part.charge_id for part in parts}) == len(parts)
