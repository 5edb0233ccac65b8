"""Each difference along the flow has its cause, and work in flight has none."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common.messages.events import DocumentKind, DocumentStatus, MappingOutcome
from hourbridge.reconciler.discrepancies import listed
from hourbridge.reconciler.pricing import pricing_bridge
from hourbridge.reconciler.totals import control_totals, totals_hash
from tests.support.charges import make_charge
from tests.support.reconciling import (
    ACCEPTED_AT,
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


def found(bench: Any) -> list[dict[str, Any]]:
    bench.reconcile()
    with bench.store.transaction() as connection:
        return listed(connection, BOOK, state="open", cause=None, limit=100)


def causes(bench: Any) -> list[tuple[str, str]]:
    return sorted((each["cause"], each["subject"]) for each in found(bench))


def test_rows_of_a_reading_and_their_outcomes_must_be_as_many(bench: Any) -> None:
    bench.feed(totals("whole", 3, {"accepted": 1, "rejected": 2}))
    assert causes(bench) == []
    bench.feed(totals("broken", 3, {"accepted": 1, "rejected": 1}))
    assert causes(bench) == [("rows_unaccounted", "broken")]
    later = datetime(2026, 4, 1, tzinfo=UTC)
    bench.feed(totals("broken", 3, {"accepted": 1, "rejected": 2}, recorded_at=later))
    assert causes(bench) == []


def test_a_full_reading_must_equal_what_is_held(bench: Any) -> None:
    bench.feed(charged("r1", 1), charged("r2", 2, 1800))
    snapshot = {"is_snapshot": True, "seconds": 5401}
    bench.feed(totals("full", 2, {"accepted": 2}, **snapshot))
    assert causes(bench) == []  # the records may still be on the bus

    bench.clock.step(hours=1)
    (difference,) = found(bench)

    assert (difference["cause"], difference["difference_seconds"]) == ("source_totals", -1)
    later = datetime(2026, 4, 2, tzinfo=UTC)
    bench.feed(accepted("r3", 3, accepted_at=later), charge_set("r3", [3], [make_charge("r3")]))
    assert causes(bench) == []  # the source moved on, the reading no longer says what it holds


def test_a_record_that_the_mapper_forgot(bench: Any) -> None:
    bench.feed(accepted("r1", 1, 7200))
    assert causes(bench) == []

    bench.clock.step(hours=1)
    (difference,) = found(bench)
    assert (difference["cause"], difference["subject"]) == ("record_not_mapped", "r1")
    assert (difference["client"], difference["difference_seconds"]) == ("Acme", -7200)

    bench.feed(charge_set("r1", [1], [make_charge("r1", 7200)]))
    assert causes(bench) == []


def test_a_busy_mapper_gets_more_time_than_one_at_rest(bench: Any) -> None:
    bench.feed(accepted("r1", 1))
    bench.clock.step(hours=1)
    bench.feed(charged("r2", 2))
    assert causes(bench) == []
    bench.clock.step(hours=4)
    bench.feed(charged("r3", 3))
    assert causes(bench) == [("record_not_mapped", "r1")]


def test_a_newer_revision_that_was_not_mapped_counts_too(bench: Any) -> None:
    bench.feed(charged("r1", 1), accepted("r1", 2, 1800, revision=2))
    bench.clock.step(hours=1)
    assert causes(bench) == [("record_not_mapped", "r1")]


def test_missing_sequence_numbers(bench: Any) -> None:
    bench.feed(charged("r1", 1), charged("r4", 4))
    assert causes(bench) == []
    bench.clock.step(hours=1)
    (difference,) = found(bench)
    assert (difference["cause"], difference["detail"]["missing"]) == ("sequence_gap", [[2, 3]])
    bench.feed(charged("r2", 2), charged("r3", 3))
    assert causes(bench) == []


def test_a_sequence_number_that_no_charge_set_covers(bench: Any) -> None:
    bench.feed(charged("r1", 1), accepted("r2", 2), accepted("r2", 3, revision=2))
    bench.feed(charge_set("r2", [3], [make_charge("r2")], record_revision=2))
    bench.clock.step(hours=1)
    assert causes(bench) == [("sequence_gap", "covered")]


@pytest.mark.parametrize(
    "changes",
    [
        {"charges": [make_charge("r1", 1800)]},
        {"charges": [make_charge("r1", 1800), make_charge("r1-b", 900)], "seconds": 3600},
        {"charges": []},
    ],
)
def test_charges_must_hold_the_seconds_of_their_record(bench: Any, changes: dict[str, Any]) -> None:
    bench.feed(accepted("r1", 1), charge_set("r1", [1], **changes))
    assert causes(bench) == [("charge_not_consistent", "r1")]


def test_split_charges_that_add_up_are_consistent(bench: Any) -> None:
    parts = [make_charge("r1", 1800), make_charge("r1-b", 1800, project="P2")]
    bench.feed(accepted("r1", 1), charge_set("r1", [1], parts))
    assert causes(bench) == []


def test_parked_skipped_and_deleted_records_are_no_discrepancy(bench: Any) -> None:
    parked: dict[str, Any] = {
        "outcome": MappingOutcome.PARKED,
        "code": "no_mapping",
        "seconds": 3600,
    }
    skipped: dict[str, Any] = {
        "outcome": MappingOutcome.SKIPPED,
        "code": "deleted",
        "deleted": True,
    }
    bench.feed(
        accepted("r1", 1),
        charge_set("r1", [1], **parked),
        accepted("r2", 2, deleted=True),
        charge_set("r2", [2], **skipped),
    )
    bench.clock.step(days=1)
    assert causes(bench) == []


def test_a_charge_on_two_live_documents(bench: Any) -> None:
    bench.feed(charged("r1", 1), charged("r2", 2))
    twice = [
        document("doc-1", [line(1, ["r1", "r2"], "2")]),
        document("doc-2", [line(1, ["r1"], "1")]),
    ]
    bench.feed([changed(bench.ledger.post(each)) for each in twice])

    (difference,) = found(bench)

    assert (difference["cause"], difference["subject"]) == ("billed_twice", "HB-1+HB-2")
    assert difference["difference_amount"] == Decimal("150.00")
    assert difference["detail"]["charges"] == ["r1"]


def test_credited_and_billed_again_is_not_billed_twice(bench: Any) -> None:
    bench.feed(charged("r1", 1))
    billed = line(1, ["r1"], "1")
    left = billed.model_copy(update={"charge_ids": ()})
    credit = line(1, [], "1", line_id="credit", credits_line_id=billed.line_id)
    again = line(1, ["r1"], "1", line_id="again")
    for stated in (
        document("doc-1", [billed]),
        document("doc-1", [left], version=2),
        document("doc-2", [credit], kind=DocumentKind.CREDIT_MEMO, credits_document_id="doc-1"),
        document("doc-3", [again]),
    ):
        bench.feed(changed(bench.ledger.post(stated)))
    bench.clock.step(days=1)
    assert causes(bench) == []


def test_lines_that_do_not_sum_to_the_total(bench: Any) -> None:
    bench.feed(charged("r1", 1))
    wrong = document("doc-1", [line(1, ["r1"], "1")], total=Decimal("150.01"))
    bench.feed(changed(bench.ledger.post(wrong)))
    (difference,) = found(bench)
    assert (difference["cause"], difference["document_id"]) == ("document_total", "doc-1")
    assert difference["difference_amount"] == Decimal("0.01")


def test_a_document_that_stays_on_its_way(bench: Any) -> None:
    bench.feed(charged("r1", 1))
    stated = document("doc-1", [line(1, ["r1"], "1")])
    bench.feed(changed(stated))
    assert causes(bench) == []
    bench.clock.step(hours=1)
    assert causes(bench) == [("document_not_posted", "doc-1")]
    bench.feed(changed(bench.ledger.post(stated)))
    assert causes(bench) == []


@pytest.mark.parametrize("status", [DocumentStatus.DRAFT, DocumentStatus.PARKED])
def test_documents_that_wait_for_a_person_are_no_discrepancy(
    bench: Any, status: DocumentStatus
) -> None:
    bench.feed(charged("r1", 1))
    bench.feed(changed(document("doc-1", [line(1, ["r1"], "1")], status=status)))
    bench.clock.step(days=1)
    assert causes(bench) == []


def test_a_correction_that_was_not_credited(bench: Any) -> None:
    """A54 and A55 without their credits: 5.00 h posted, 4.00 h now; one entry deleted."""
    bench.feed(charged("r1", 1, 5 * 3600), charged("r2", 2))
    for number, quantity in (("1", "5"), ("2", "1")):
        stated = document(f"doc-{number}", [line(1, [f"r{number}"], quantity)])
        bench.feed(changed(bench.ledger.post(stated)))
    bench.clock.step(days=1)
    assert causes(bench) == []

    gone: dict[str, Any] = {"outcome": MappingOutcome.SKIPPED, "code": "deleted", "deleted": True}
    bench.feed(
        accepted("r1", 3, 4 * 3600, revision=2),
        charge_set("r1", [3], [make_charge("r1", 4 * 3600)], record_revision=2),
        accepted("r2", 4, deleted=True, revision=2),
        charge_set("r2", [4], record_revision=2, **gone),
    )
    assert causes(bench) == []  # the correction may be on its way
    bench.clock.step(days=1)
    assert [(each["document_id"], each["difference_seconds"]) for each in found(bench)] == [
        ("doc-1", 3600),
        ("doc-2", 3600),
    ]

    for number in ("1", "2"):
        credit = line(1, [], "1", line_id=f"c{number}", credits_line_id=f"line-1-r{number}")
        memo = document(f"doc-{number}0", [credit], kind=DocumentKind.CREDIT_MEMO)
        bench.feed(changed(bench.ledger.post(memo)))
    assert causes(bench) == []


def test_a_line_whose_charges_left_must_be_credited_in_full(bench: Any) -> None:
    bench.feed(charged("r1", 1))
    left = line(1, ["r1"], "1").model_copy(update={"charge_ids": ()})
    bench.feed(changed(bench.ledger.post(document("doc-1", [left]))))
    assert causes(bench) == []
    bench.clock.step(days=1)
    assert causes(bench) == [("correction_missing", "doc-1")]


def test_every_source_row_is_accounted_for_along_the_flow(bench: Any) -> None:
    """Rows = their outcomes; records = charged + parked; charged = billed + unbilled."""
    bench.feed(charged("r1", 1), charged("r2", 2, 1800))
    parked: dict[str, Any] = {
        "outcome": MappingOutcome.PARKED,
        "code": "no_mapping",
        "seconds": 900,
    }
    bench.feed(accepted("r3", 3, 900), charge_set("r3", [3], **parked))
    outcomes = {"accepted": 3, "rejected": 2, "unchanged": 1}
    bench.feed(totals("reading-1", 6, outcomes, as_of=ACCEPTED_AT))
    bench.feed(changed(bench.ledger.post(document("doc-1", [line(1, ["r1"], "1")]))))

    summary = bench.reconcile()

    assert summary.open == {}
    with bench.store.transaction() as connection:
        levels = control_totals(connection, BOOK)
    (source,) = levels["source"]
    assert source["rows"] == sum(source["outcomes"].values()) == 6
    assert sum(row["records"] for row in levels["records"]) == 3
    assert {row["outcome"]: row["records"] for row in levels["outcomes"]} == {
        "charged": 2,
        "parked": 1,
    }
    assert [(row["billable_hours"], row["amount"]) for row in levels["charges"]] == [
        ("1.50", "225.000000")
    ]
    assert [row["amount"] for row in levels["documents"]] == ["150.00"]
    assert [(row["amount"], row["is_ours"]) for row in levels["ledger"]] == [("150.00", True)]
    assert summary.totals_hash == totals_hash(levels)


def test_merging_two_quarter_hours_on_a_line_is_named_in_the_bridge(bench: Any) -> None:
    """A06: 2 x 15 min at 27.50 are 13.76 line by line and 13.75 merged."""
    bench.feed(charged("r1", 1, 900, rate="27.50"), charged("r2", 2, 900, rate="27.50"))
    merged = line(1, ["r1", "r2"], "0.5", unit_price="27.50")
    bench.feed(changed(bench.ledger.post(document("doc-1", [merged]))))
    whole = _bridge(bench)
    assert (whole["entries"], whole["line_grouping"], whole["billed"]) == (
        "13.76",
        "-0.01",
        "13.75",
    )


def test_billing_increments_and_quantity_decimals_are_named_in_the_bridge(bench: Any) -> None:
    """A05: 50 min at 100.00 with two decimals: 83.33 by the clock, 83.00 billed."""
    bench.feed(charged("r1", 1, 3000, rate="100.00"))
    cut = line(1, ["r1"], "0.83", unit_price="100.00", billed_seconds=3000, worked_seconds=3000)
    bench.feed(changed(bench.ledger.post(document("doc-1", [cut]))))
    whole = _bridge(bench)
    assert (whole["entries"], whole["rounding"], whole["billed"]) == ("83.33", "-0.33", "83.00")

    bench.feed(charged("r2", 2, 7 * 60))
    stepped = line(1, ["r2"], "0.1", worked_seconds=420)
    bench.feed(changed(bench.ledger.post(document("doc-2", [stepped]))))
    whole = _bridge(bench)
    assert (whole["billing_increment"], whole["billed"]) == ("-2.50", "98.00")


def _bridge(bench: Any) -> dict[str, Any]:
    with bench.store.transaction() as connection:
        rows = pricing_bridge(connection, BOOK)
    return next(row for row in rows if row["client"] is None)
