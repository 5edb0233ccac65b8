"""Billing: every charge once, documents by policy, numbers in order, however runs collide."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from hourbridge.common import faults
from hourbridge.common.book import InvoicingPolicy, LedgerReference, RoundingPolicy
from hourbridge.common.errors import TransientFailure
from hourbridge.common.messages.events import Charge, Document, DocumentKind, DocumentStatus
from hourbridge.poster.group_store import BillingScope
from tests.support.charges import (
    fee,
    hours,
    make_charge,
    make_expense,
    minutes,
    rounding,
)
from tests.support.posting import BOOK, MARCH_31, Poster

APRIL_30 = date(2026, 4, 30)


def by(grouping: str, **more: object) -> InvoicingPolicy:
    return InvoicingPolicy.model_validate({"grouping": grouping, **more})


def totals(documents: list[Document]) -> list[Decimal]:
    return [document.total for document in documents]


def test_one_invoice_per_project(poster: Poster) -> None:
    """Billing one project leaves the other unbilled, and billable later."""
    poster.charge(
        make_charge("a", hours("6"), project="P1"), make_charge("b", hours("2"), project="P2")
    )
    assert totals(poster.bill(project="P1").documents) == [Decimal("900.00")]
    assert poster.states() == {"a": "billed", "b": "unbilled"}
    assert totals(poster.bill().documents) == [Decimal("300.00")]


@pytest.mark.parametrize(
    ("grouping", "labels"),
    [
        ("entry", [None] * 4),
        ("project_month", ["2026-02", "2026-03", "2026-03", "2026-04"]),
        ("project_on_demand", [None, None]),
        ("client_month", ["2026-02", "2026-03", "2026-04"]),
        ("client_quarter", ["2026-Q1", "2026-Q2"]),
        ("client_on_demand", [None]),
    ],
)
def test_groupings(poster: Poster, grouping: str, labels: list[str | None]) -> None:
    days = [date(2026, 2, 27), date(2026, 3, 2), date(2026, 3, 30), date(2026, 4, 1)]
    projects = ["P1", "P1", "P2", "P1"]
    poster.charge(
        *(
            make_charge(f"c{i}", project=project, work_date=day, invoicing=by(grouping))
            for i, (project, day) in enumerate(zip(projects, days, strict=True))
        )
    )
    documents = poster.bill(APRIL_30).documents
    assert sorted(str(document.period) for document in documents) == sorted(map(str, labels))
    assert sum(totals(documents)) == Decimal("600.00")


def test_what_a_document_says(poster: Poster) -> None:
    job = LedgerReference(name="Acme:P1")
    policy = by("project_month", due_days=14, memo="Thank you", number_prefix="INV")
    poster.charge(make_charge("a", job=job, invoicing=policy, email="pay@acme.example"))
    (document,) = poster.bill(APRIL_30).documents
    assert document.number == "INV-1"
    assert (document.document_date, document.due_date) == (MARCH_31, date(2026, 4, 14))
    assert (document.period, document.job, document.memo) == ("2026-03", job, "Thank you")
    assert (document.email, document.configuration_version) == ("pay@acme.example", 1)
    assert document.cut_off_at == datetime(2026, 4, 1, 4, tzinfo=UTC)


def test_jobs_of_a_client_share_a_document_to_the_customer(poster: Poster) -> None:
    for name in ("J1", "J2"):
        job = LedgerReference(name=name)
        poster.charge(make_charge(name, job=job, invoicing=by("client_month")))
    (document,) = poster.bill().documents
    assert document.job is None
    assert len(document.lines) == 2


def test_nothing_is_billed_twice(poster: Poster) -> None:
    poster.charge(*(make_charge(f"c{i}") for i in range(5)))
    assert len(poster.bill().documents) == 1
    assert poster.bill().documents == []
    assert len(poster.rows("SELECT * FROM line_charge")) == 5


def test_later_work_of_a_billed_period_makes_a_further_invoice(poster: Poster) -> None:
    poster.charge(make_charge("a"))
    poster.bill()
    poster.charge(make_charge("b"))
    poster.bill()
    assert [d.number for d in poster.documents()] == ["HB-1", "HB-2"]


def test_work_after_the_day_asked_for_waits(poster: Poster) -> None:
    poster.charge(make_charge("a", work_date=APRIL_30))
    assert poster.bill(MARCH_31).documents == []
    assert len(poster.bill(APRIL_30).documents) == 1


@pytest.mark.parametrize("grouping", ["entry", "client_month"])
def test_two_runs_at_the_same_time_bill_once(poster: Poster, grouping: str) -> None:
    poster.charge(
        *(make_charge(f"c{i}", client=f"C{i % 4}", invoicing=by(grouping)) for i in range(40))
    )
    start = threading.Barrier(2)

    def run() -> None:
        start.wait()
        poster.process().biller.bill(scope)

    scope = BillingScope(BOOK, MARCH_31)
    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    documents = poster.documents()
    assert len(documents) == (40 if grouping == "entry" else 4)
    assert sum(totals(documents)) == 40 * Decimal("150.00")
    assert len({document.number for document in documents}) == len(documents)
    assert set(poster.states().values()) == {"billed"}


def test_a_crash_before_the_commit_leaves_nothing_behind(poster: Poster) -> None:
    poster.charge(make_charge("a"))
    faults.arm("poster.documents_assembled=raise")
    with pytest.raises(TransientFailure):
        poster.bill()
    faults.arm("")
    assert (poster.documents(), poster.states()) == ([], {"a": "unbilled"})
    assert [d.number for d in poster.bill().documents] == ["HB-1"]


def test_a_crash_after_the_commit_loses_nothing(poster: Poster) -> None:
    poster.charge(make_charge("a"))
    faults.arm("poster.documents_committed=raise")
    with pytest.raises(TransientFailure):
        poster.bill()
    faults.arm("")
    assert poster.bill().documents == []
    assert poster.post() == 1
    assert [d.status for d in poster.flush()] == ["posting", "posted"]


def test_drafts_wait(poster: Poster) -> None:
    poster.charge(make_charge("a", invoicing=by("project_month", status="draft")))
    poster.bill()
    assert poster.post() == 0
    assert poster.document().status is DocumentStatus.DRAFT


def test_non_billable_time_is_no_charge_and_no_leakage(poster: Poster) -> None:
    poster.charge(make_charge("a", hours("1")))
    poster.withdraw("b", revision=1)
    result = poster.bill()
    assert (totals(result.documents), result.leakage) == ([Decimal("150.00")], [])


def test_leakage_is_listed_and_does_not_ask_for_more_runs(poster: Poster) -> None:
    policy = rounding(15)
    poster.charge(*(make_charge(f"c{i}", minutes(7), rounding=policy) for i in range(5)))
    result = poster.bill()
    assert result.documents == []
    assert [(leak.seconds, leak.amount) for leak in result.leakage] == [
        (minutes(35), Decimal("87.50"))
    ]
    assert poster.bill().leakage == []
    assert set(poster.states().values()) == {"unbilled"}


def test_preview_changes_nothing(poster: Poster) -> None:
    poster.charge(make_charge("a"), make_charge("b", client="Bolt"))
    preview = poster.parts.biller.preview
    result = preview(BillingScope(BOOK, MARCH_31))
    assert sorted(totals(result.documents)) == [Decimal("150.00")] * 2
    assert poster.documents() == []
    assert [d.number for d in poster.bill().documents] == ["HB-1", "HB-2"]


def test_a_flat_fee_is_billed_once_per_term(poster: Poster) -> None:
    def work(charge_id: str, day: date, project: str = "P1") -> Charge:
        return make_charge(charge_id, rate=None, flat_fee=fee(), work_date=day, project=project)

    poster.charge(work("a", date(2026, 3, 2)), work("b", date(2026, 3, 9), "P2"))
    poster.bill()
    poster.post()
    poster.charge(work("c", date(2026, 3, 20)), work("d", date(2026, 4, 1)))
    assert totals(poster.bill(APRIL_30).documents) == [Decimal("420.00")]
    first, second = poster.documents()
    assert first.lines[0].charge_ids == ("a", "b", "c")
    assert (first.status, first.total, first.version) == ("posted", Decimal("420.00"), 3)
    assert second.period == "2026-04"
    assert set(poster.states().values()) == {"billed"}


def test_quarterly_fees_on_monthly_invoices(poster: Poster) -> None:
    poster.charge(
        *(
            make_charge(
                f"c{month}",
                rate=None,
                flat_fee=fee("800", "quarter"),
                work_date=date(2026, month, 5),
                invoicing=by("client_month"),
            )
            for month in (1, 2, 3, 4)
        )
    )
    documents = poster.bill(APRIL_30).documents
    assert [(d.period, d.total) for d in documents] == [
        ("2026-01", Decimal("800.00")),
        ("2026-04", Decimal("800.00")),
    ]
    assert set(poster.states().values()) == {"billed"}


def test_quantity_residues_are_carried_from_invoice_to_invoice(poster: Poster) -> None:
    policy = RoundingPolicy(increment_seconds=1, quantity_decimals=2)
    for number, length in enumerate((15, 50, 225, 75, 35)):
        day = date(2026, 3, number + 1)
        poster.charge(
            make_charge(
                f"c{number}",
                minutes(length),
                rate="100.00",
                rounding=policy,
                work_date=day,
                invoicing=by("entry"),
            )
        )
        poster.bill()
    documents = poster.documents()
    quantities = [str(document.lines[0].quantity) for document in documents]
    assert quantities == ["0.25", "0.83", "3.75", "1.25", "0.59"]
    assert sum(totals(documents)) == Decimal("667.00")


def test_refunded_expenses_make_a_credit_memo(poster: Poster) -> None:
    poster.charge(make_expense("a", "-80.00"), make_charge("b", minutes(12)))
    (document,) = poster.bill().documents
    assert (document.kind, document.total) == (DocumentKind.CREDIT_MEMO, Decimal("50.00"))
    assert sorted(line.amount for line in document.lines) == [Decimal("-30.00"), Decimal("80.00")]


def test_charges_of_an_unknown_configuration_wait(poster: Poster) -> None:
    poster.charge(make_charge("a"), mapping=7)
    with pytest.raises(TransientFailure):
        poster.bill()
    poster.configure(7)
    assert len(poster.bill().documents) == 1


def test_many_groups_take_several_transactions(
    poster: Poster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hourbridge.poster.billing.GROUPS_PER_TRANSACTION_MAX", 3)
    poster.charge(*(make_charge(f"c{i}", invoicing=by("entry")) for i in range(8)))
    assert len(poster.bill().documents) == 8
