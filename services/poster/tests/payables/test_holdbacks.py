"""What is held back of vendors' work, its release, and the quarterly review."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from starlette.testclient import TestClient

from hourbridge.common.book import AccountRole
from hourbridge.common.messages.events import Document, DocumentKind
from hourbridge.common.runtime.admin import RequestInvalid, parse_tokens
from hourbridge.common.runtime.http import build_application
from hourbridge.poster.decisions import NotPossible
from hourbridge.poster.group_store import BillingScope
from hourbridge.poster.payables.releasing import Release
from hourbridge.poster.payables.routes import PayablesApi
from hourbridge.poster.payables.settlements import Settlements
from tests.support.charges import hours, make_charge
from tests.support.payables import owed_time
from tests.support.posting import BOOK, Poster

FEBRUARY, MARCH = date(2026, 2, 10), date(2026, 3, 10)
MAY = date(2026, 5, 4)


@pytest.fixture
def billed(poster: Poster) -> Poster:
    """Two bills of Sub Ltd with 30.00 and 15.00 held back, and one of Other with 7.50."""
    poster.charge(
        owed_time("a", hours("8"), holdback_percent="5", work_date=FEBRUARY),
        owed_time("b", hours("4"), holdback_percent="5", work_date=MARCH),
        owed_time("c", hours("2"), holdback_percent="5", work_date=MARCH, vendor="Other"),
        owed_time("d", hours("2"), work_date=MARCH, vendor="Plain"),
    )
    poster.parts.bills.bill(BillingScope(BOOK, date(2026, 3, 31)))
    poster.settle()
    return poster


def open_ones(poster: Poster) -> list[tuple[str, str]]:
    rows = poster.parts.holdbacks.open_ones(BOOK)
    return [(row["vendor"], row["open"]) for row in rows]


def release(poster: Poster, vendor: str | None = "Sub Ltd", **changes: Any) -> list[Document]:
    amount = changes.pop("amount", None)
    asked = Release(
        BOOK, changes.pop("on", MAY), vendor, amount=Decimal(amount) if amount else None, **changes
    )
    made = poster.parts.holdbacks.release(asked, "otto")
    poster.settle()
    return made


def test_all_of_a_vendor_is_released_once(billed: Poster) -> None:
    assert open_ones(billed) == [("Other", "7.50"), ("Sub Ltd", "30.00"), ("Sub Ltd", "15.00")]
    made = release(billed)
    assert [(e.kind, e.purpose, e.total) for e in made] == [
        (DocumentKind.JOURNAL_ENTRY, "holdback_release", Decimal("30.00")),
        (DocumentKind.JOURNAL_ENTRY, "holdback_release", Decimal("15.00")),
    ]
    assert [(p.role, p.amount) for p in made[0].postings] == [
        (AccountRole.RETAINAGE_PAYABLE, Decimal("30.00")),
        (AccountRole.PAYABLE, Decimal("-30.00")),
    ]
    assert open_ones(billed) == [("Other", "7.50")]
    assert release(billed) == []


def test_an_amount_is_taken_from_the_oldest_bills(billed: Poster) -> None:
    assert [e.total for e in release(billed, amount="20.00")] == [Decimal("20.00")]
    assert [e.total for e in release(billed, amount="12.00")] == [Decimal("10.00"), Decimal("2.00")]
    assert open_ones(billed)[1:] == [("Sub Ltd", "13.00")]
    with pytest.raises(RequestInvalid, match="only 13.00 is held back"):
        release(billed, amount="13.01")
    rows = billed.parts.holdbacks.open_ones(BOOK, everything=True)
    assert [len(row["releases"]) for row in rows] == [0, 2, 1]


def test_one_bill_by_its_number(billed: Poster) -> None:
    second = billed.parts.holdbacks.open_ones(BOOK)[2]
    assert [e.total for e in release(billed, None, number=second["bill"])] == [Decimal("15.00")]


def test_nothing_is_released_before_its_bill_is_posted(poster: Poster) -> None:
    poster.charge(owed_time("a", hours("8"), holdback_percent="5"))
    poster.parts.bills.bill(BillingScope(BOOK, date(2026, 3, 31)))
    with pytest.raises(NotPossible, match="not in the ledger"):
        release(poster)


def test_a_credit_takes_back_no_more_than_is_still_held(billed: Poster) -> None:
    release(billed, amount="25.00")
    billed.charge(owed_time("a", hours("2"), holdback_percent="5", work_date=FEBRUARY), revision=2)
    billed.settle()
    credit = next(d for d in billed.documents() if d.kind is DocumentKind.VENDOR_CREDIT)
    assert [line.amount for line in credit.lines] == [Decimal("450.00"), Decimal("-5.00")]
    assert open_ones(billed) == [("Other", "7.50"), ("Sub Ltd", "15.00")]


def report(poster: Poster, quarter: str) -> dict[str, Any]:
    return Settlements(poster.store).report(BOOK, quarter)


def test_the_quarter_shows_what_was_open_at_its_end(billed: Poster) -> None:
    release(billed)
    first = report(billed, "2026-Q1")
    held = [(row["vendor"], row["open"], row["age_days"]) for row in first["open_holdbacks"]]
    assert held == [("Other", "7.50", 21), ("Sub Ltd", "30.00", 49), ("Sub Ltd", "15.00", 21)]
    assert first["open_totals"] == [{"currency": "USD", "open": "52.50"}]
    vendors = {row["vendor"]: row for row in first["vendors"]}
    assert vendors["Sub Ltd"] == {
        "vendor": "Sub Ltd",
        "bills": 2,
        "billed": "900.00",
        "held_back": "45.00",
        "payable": "855.00",
        "currency": "USD",
    }
    second = report(billed, "2026-Q2")
    assert [row["vendor"] for row in second["open_holdbacks"]] == ["Other"]
    assert second["vendors"] == []


@pytest.mark.parametrize("text", ["2026", "2026-Q5", "Q1-2026", ""])
def test_quarters_are_written_in_one_way(poster: Poster, text: str) -> None:
    with pytest.raises(RequestInvalid, match="no quarter"):
        report(poster, text)


def test_who_is_paid_when_the_client_has_paid(poster: Poster) -> None:
    owed = owed_time("p", hours("2"), pay_when_paid=True)
    poster.feed(poster.changed("r", [owed, make_charge("c", hours("2"))]))
    poster.parts.bills.bill(BillingScope(BOOK, date(2026, 3, 31)))
    poster.settle()
    [waiting] = report(poster, "2026-Q1")["pay_when_paid"]
    assert (waiting["state"], waiting["is_billed"], waiting["total"]) == (
        "waits_for_client",
        False,
        "150.00",
    )
    [invoice] = poster.bill().documents
    poster.settle()
    [waiting] = report(poster, "2026-Q1")["pay_when_paid"]
    assert (waiting["waits_for"], waiting["is_billed"]) == ([invoice.number], True)


def test_releases_side_by_side_never_exceed_what_is_held(billed: Poster) -> None:
    asked = Release(BOOK, MAY, "Sub Ltd")
    others = [billed.process() for _ in range(4)]
    with ThreadPoolExecutor(len(others)) as threads:
        made = list(threads.map(lambda parts: parts.holdbacks.release(asked, "otto"), others))
    assert sum((e.total for entries in made for e in entries), Decimal(0)) == Decimal("45.00")
    assert open_ones(billed) == [("Other", "7.50")]


def test_over_http(billed: Poster) -> None:
    parts = billed.parts
    routes = PayablesApi(parts.holdbacks, Settlements(billed.store)).routes()
    actors = parse_tokens({"t-view": "vera:viewer", "t-op": "otto:operator"})
    application = build_application(routes, liveness=list, readiness=list, actors=actors)
    path = f"/v1/books/{BOOK}/holdbacks"
    with TestClient(application, headers={"Authorization": "Bearer t-op"}) as client:
        assert len(client.get(path).json()["holdbacks"]) == 3
        assert client.post(f"{path}/release", json={}).status_code == 422
        viewer = {"Authorization": "Bearer t-view"}
        asked = {"vendor": "Other", "amount": "2.50"}
        assert client.post(f"{path}/release", json=asked, headers=viewer).status_code == 403
        [row] = client.post(f"{path}/release", json=asked).json()["released"]
        assert (row["amount"], row["currency"]) == ("2.50", "USD")
        everything = client.get(path, params={"all": "true"}).json()["holdbacks"]
        assert everything[0]["open"] == "5.00"
        reports = f"/v1/books/{BOOK}/reports/settlements"
        assert client.get(reports, params={"quarter": "2026-Q1"}).status_code == 200
        assert client.get(reports).status_code == 422
