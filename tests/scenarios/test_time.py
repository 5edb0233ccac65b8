"""Scenarios A42 to A49: clocks that jump, local days, months that end at midnight somewhere.

Each is run twice: the second time must change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hourbridge.cli.commands.billing import run_billing
from hourbridge.cli.commands.timekeeping import renormalisation
from hourbridge.common.zones import use_zones
from tests.scenarios.office import BOOK, Office, configuration, entry
from tests.support.installation import wait_until
from tests.support.zones import without_winter_time

pytestmark = [pytest.mark.broker, pytest.mark.database]

NEW_YORK, LORD_HOWE = "America/New_York", "Australia/Lord_Howe"


def at(
    external_id: str, start: str, end: str, zone: str, hours: str = "1.00", **fields: Any
) -> dict[str, Any]:
    """Return an entry whose start and end are instants: RFC 3339 with the offset there."""
    fields = {"start_at": start, "end_at": end, "zone": {"iana": zone}, **fields}
    return entry(external_id, hours, day=fields.pop("day", start[:10]), **fields)


def by_the_wall(
    external_id: str, start: str, end: str, zone: str, hours: str = "1.00", **fields: Any
) -> dict[str, Any]:
    """Return an entry that says only what a clock on the wall showed."""
    fields = {"original_start_text": start, "original_end_text": end, **fields}
    return entry(external_id, hours, day=start[:10], zone={"iana": zone}, **fields)


def months(office: Office) -> dict[str, tuple[Decimal, list[str], list[int]]]:
    """Return, by billing period: total, work dates of the lines, and their worked seconds."""
    found = {}
    for row in office.documents():
        document = office.client.get("poster", f"/v1/documents/{row['document_id']}")
        dates = [line["service_date"] for line in document["lines"]]
        worked = [line["worked_seconds"] for line in document["lines"]]
        found[document["period"]] = (Decimal(document["total"]), dates, worked)
    return found


def unbilled_seconds(office: Office) -> int:
    """Return the hours that wait at the poster, in seconds."""
    path = f"/v1/books/{BOOK}/bill"
    request = {"through": "2027-12-31", "sequence": 0, "dry_run": True}
    drafts = office.client.post("poster", path, request)["would_bill"]
    return sum(int(Decimal(draft["total"]) / 150 * 3600) for draft in drafts)


def test_a42_an_hour_over_the_gap_is_one_hour(office: Office) -> None:
    office.configure(configuration(time={"work_day": "worker"}))
    for _ in range(2):
        office.report(at("e1", "2026-03-08T01:30:00-05:00", "2026-03-08T03:30:00-04:00", NEW_YORK))
        office.bill()
        assert months(office) == {"2026-03": (Decimal("150.00"), ["2026-03-08"], [3600])}


def test_a43_an_hour_between_two_readings_of_one_wall_time(office: Office) -> None:
    office.configure(configuration(time={"work_day": "worker"}))
    sure = at("e1", "2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", NEW_YORK)
    doubtful = by_the_wall("e2", "2026-11-01T01:30:00", "2026-11-01T01:30:00", NEW_YORK)
    for _ in range(2):
        office.report(sure, doubtful)
        office.bill()
        assert months(office) == {"2026-11": (Decimal("150.00"), ["2026-11-01"], [3600])}
        [waiting] = office.parked()
        assert waiting["code"] == "ambiguous_local_time"
    path = f"/v1/parked/{waiting['id']}/release"
    released = office.client.post("mapper", path, {"fold": "earlier", "note": "asked her"})
    assert released["outcome"] == "charged"
    wait_until(lambda: unbilled_seconds(office) == 3600, "the released hour to reach the poster")
    for _ in range(2):
        office.bill()
        assert office.invoices() == [Decimal("150.00"), Decimal("150.00")]
        office.report(doubtful)
        assert office.parked() == []


def test_a44_a_wall_time_that_never_was(office: Office) -> None:
    never = by_the_wall("e1", "2026-03-08T02:30:00", "2026-03-08T03:30:00", NEW_YORK)
    for _ in range(2):
        office.report(never)
        office.bill()
        assert office.documents() == []
        [row] = skipped(office)
        assert (row["code"], row["records"]) == ("nonexistent_local_time", 1)
    office.configure(configuration(time={"nonexistent": "shift", "work_day": "worker"}))
    wait_until(lambda: not skipped(office), "the entry to be read by the new policy")
    for _ in range(2):
        office.bill()
        assert months(office) == {"2026-03": (Decimal("150.00"), ["2026-03-08"], [3600])}


def skipped(office: Office) -> list[dict[str, Any]]:
    """Return what is skipped by rule, with its reason."""
    office.settle()
    report = office.client.get("reconciler", f"/v1/books/{BOOK}/reports/unbilled")
    rows: list[dict[str, Any]] = report["skipped"]
    return rows


def test_a45_march_ends_where_the_worker_is(office: Office) -> None:
    """The days that the sources state are those of UTC, and don't matter."""
    office.configure(configuration(time={"work_day": "worker"}))
    angeles = at(
        "e1",
        *("2026-03-31T22:00:00-07:00", "2026-03-31T23:00:00-07:00", "America/Los_Angeles"),
        day="2026-04-01",
    )
    tokyo = at(
        "e2",
        *("2026-04-01T08:00:00+09:00", "2026-04-01T09:00:00+09:00", "Asia/Tokyo"),
        day="2026-03-31",
    )
    for _ in range(2):
        office.report(angeles, tokyo)
        office.bill("2026-03-31")
        assert months(office) == {"2026-03": (Decimal("150.00"), ["2026-03-31"], [3600])}
    for _ in range(2):
        office.bill("2026-04-30")
        assert months(office)["2026-04"] == (Decimal("150.00"), ["2026-04-01"], [3600])
        assert len(office.documents()) == 2
    assert office.reconcile() == []


OVER_MONTH_END = at(
    "e1",
    "2026-03-31T23:53:00-04:00",
    "2026-04-01T00:07:00-04:00",
    NEW_YORK,
    input={"seconds": 840},
)
QUARTERS = {"increment_seconds": 900, "mode": "half_up"}


def test_a46_uncut_work_over_the_month_end_counts_where_it_began(office: Office) -> None:
    office.configure(configuration(rounding=QUARTERS, time={"work_day": "worker"}))
    for _ in range(2):
        office.report(OVER_MONTH_END)
        office.bill()
        assert months(office) == {"2026-03": (Decimal("37.50"), ["2026-03-31"], [840])}


def test_a46_cut_work_over_the_month_end_comes_to_nothing_and_is_told(office: Office) -> None:
    time = {"work_day": "worker", "split_at": "month_end"}
    office.configure(configuration(rounding=QUARTERS, time=time))
    for _ in range(2):
        office.report(OVER_MONTH_END)
        office.bill()
        assert office.documents() == []
        [row] = office.client.get("poster", f"/v1/books/{BOOK}/passed-by")["passed_by"]
        assert (row["cause"], row["charges"], row["seconds"]) == ("below_step", 2, 840)


def test_a47_half_an_hour_more_and_half_an_hour_less(office: Office) -> None:
    office.configure(configuration(time={"work_day": "worker"}))
    autumn = ("2026-04-05T01:00:00", "2026-04-05T03:00:00")
    spring = ("2026-10-04T01:00:00", "2026-10-04T03:00:00")
    for _ in range(2):
        office.report(
            by_the_wall("e1", *autumn, LORD_HOWE, "2.00"),
            by_the_wall("e2", *spring, LORD_HOWE, "2.00"),
        )
        office.bill()
        assert months(office) == {
            "2026-04": (Decimal("375.00"), ["2026-04-05"], [9000]),
            "2026-10": (Decimal("225.00"), ["2026-10-04"], [5400]),
        }
        assert office.reconcile() == []


KILL_BILL = (
    *("2023-03-01T04:00", "2023-03-15T00:00", "2023-03-31T23:59"),
    *("2023-04-01T00:00", "2023-04-01T00:01", "2023-04-15T00:00", "2023-04-30T23:59"),
    *("2023-05-01T00:00", "2023-05-01T00:01"),
)
"""The stamps of Kill Bill's TestDSTUsageIssue."""


def test_a48_months_of_usage_over_a_change_of_the_clock(office: Office) -> None:
    office.configure(configuration(time={"work_day": "worker"}))
    stamps = [
        entry(
            f"e{number}",
            "1.00",
            day=stamp[:10],
            zone={"iana": NEW_YORK},
            original_start_text=stamp,
        )
        for number, stamp in enumerate(KILL_BILL)
    ]
    for _ in range(2):
        office.report(*stamps)
        office.bill()
        totals = {period: total for period, (total, _, _) in months(office).items()}
        assert totals == {
            "2023-03": Decimal("450.00"),
            "2023-04": Decimal("600.00"),
            "2023-05": Decimal("300.00"),
        }


@pytest.fixture
def newer_rules(tmp_path: Path) -> Iterator[Path]:
    """Time zone rules that end winter time in New York; the packaged ones hold until used."""
    yield without_winter_time(tmp_path, NEW_YORK, 2026, version="2027x")
    use_zones(None)


def test_a49_newer_rules_propose_and_posted_work_stays(office: Office, newer_rules: Path) -> None:
    worker = configuration(time={"work_day": "worker"})
    office.configure(worker)
    late = ("2026-12-01T04:30:00Z", "2026-12-01T05:30:00Z", NEW_YORK)
    posted = at("e1", *late, day="2026-11-30")
    approved = at("e2", *late, "1.00", day="2026-11-30", client_id="Birch")
    unmoved = at("e3", "2026-12-01T15:00:00Z", "2026-12-01T16:00:00Z", NEW_YORK)
    office.report(posted, approved, unmoved)
    office.settle()
    bill_only(office, "Acme", "2026-11-30")
    assert months(office) == {"2026-11": (Decimal("150.00"), ["2026-11-30"], [3600])}

    assert renormalisation(office.client, BOOK)["proposals"] == []
    assert use_zones(newer_rules) == "2027x"
    office.configure({**worker, "default_item": {"name": "Audit services"}})
    wait_until(lambda: remapped(office), "everything to be mapped again")
    found = {row["external_id"]: row for row in renormalisation(office.client, BOOK)["proposals"]}
    assert set(found) == {"e1", "e2"}
    assert [row["day"] for row in found["e2"]["before"]] == ["2026-11-30"]
    assert [row["day"] for row in found["e2"]["after"]] == ["2026-12-01"]
    assert len(found["e1"]["billed_on"]) == 1
    assert found["e2"]["billed_on"] == []

    changed = [renormalisation(office.client, BOOK, apply=True)["changed"] for _ in range(2)]
    assert changed == [1, 0]
    [left] = renormalisation(office.client, BOOK)["proposals"]
    assert left["external_id"] == "e1"
    wait_until(lambda: periods_due(office) == ["2026-12", "2026-12"], "the new day")
    for _ in range(2):
        office.report(posted, approved, unmoved)
        office.bill("2026-11-30")
        assert months(office) == {"2026-11": (Decimal("150.00"), ["2026-11-30"], [3600])}
    assert office.credit_memos() == []
    assert office.reconcile() == []


def remapped(office: Office) -> bool:
    """Return whether the newest configuration's re-mapping is done."""
    tasks = office.client.get("mapper", f"/v1/books/{BOOK}/remaps")["remaps"]
    return bool(tasks[0]["state"] == "done")


def bill_only(office: Office, client: str, through: str) -> None:
    """Bill one client's work."""
    run_billing(office.client, BOOK, through, scope={"client": client})
    office.settle()


def periods_due(office: Office) -> list[str]:
    """Return the periods of the documents that work at the poster would go on."""
    path = f"/v1/books/{BOOK}/bill"
    request = {"through": "2027-12-31", "sequence": 0, "dry_run": True}
    drafts = office.client.post("poster", path, request)["would_bill"]
    return [draft["period"] for draft in drafts]
