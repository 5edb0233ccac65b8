"""Caps, discounts, tax and adjustments on their way through runs, corrections and releases."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.billing.adjustments import AdjustmentImpossible
from hourbridge.common.messages.events import Document, DocumentKind, DocumentStatus
from hourbridge.poster.adjusting import AdjustmentAsked, realisation_percent
from hourbridge.poster.decisions import Decision, NotPossible
from hourbridge.poster.leakage import noted
from tests.support.charges import hours, make_charge, make_expense
from tests.support.posting import BOOK, Poster

ENTRIES = {"lines": "entry"}
MARCH_31, APRIL_30 = date(2026, 3, 31), date(2026, 4, 30)


def acme(**terms: Any) -> list[dict[str, Any]]:
    return [{"client": "Acme", "customer": {"name": "Acme"}, **terms}]


def work(charge_id: str, length: str, day: date = date(2026, 3, 2), **changes: Any) -> Any:
    changes = {"rate": "100.00", "invoicing": ENTRIES, **changes}
    return make_charge(charge_id, hours(length), work_date=day, **changes)


def totals(documents: list[Document]) -> list[str]:
    return [str(document.total) for document in documents]


def waiting(poster: Poster) -> list[tuple[str, int, str]]:
    with poster.store.transaction() as connection:
        rows = noted(connection, BOOK)
    return [(row["cause"], row["seconds"], row["amount"]) for row in rows]


def of_kind(poster: Poster, kind: DocumentKind) -> list[str]:
    return totals([d for d in poster.documents() if d.kind is kind and d.status == "posted"])


# --- caps -----------------------------------------------------------------------------------


def cap(poster: Poster, version: int, amount: str, **policy: Any) -> None:
    poster.configure(version, clients=acme(cap={"amount": amount, **policy}))


def test_a_cap_holds_over_runs_and_credits_make_room(poster: Poster) -> None:
    cap(poster, 2, "1000.00")
    poster.charge(work("a", "8"))
    assert totals(poster.bill().documents) == ["800.00"]
    poster.post()
    poster.charge(work("b", "5", date(2026, 3, 3)), work("c", "1", date(2026, 3, 4)))
    first = poster.bill()
    assert totals(first.documents) == ["200.00"]
    assert [leak.amount for leak in first.leakage] == [Decimal("300.00"), Decimal("100.00")]
    poster.post()
    for _ in range(2):
        assert poster.bill().documents == []
        assert waiting(poster) == [("capped", hours("4"), "400.00")]
    poster.charge(work("a", "7"), revision=2)
    poster.settle()
    assert of_kind(poster, DocumentKind.CREDIT_MEMO) == ["100.00"]
    assert totals(poster.bill().documents) == ["100.00"]
    assert waiting(poster) == [("capped", hours("3"), "300.00")]


def test_older_rests_come_before_newer_work(poster: Poster) -> None:
    cap(poster, 2, "100.00")
    poster.charge(work("a", "3"))
    poster.bill()
    poster.post()
    cap(poster, 3, "350.00")
    poster.charge(work("b", "2", date(2026, 3, 9)))
    (document,) = poster.bill().documents
    assert [str(line.amount) for line in document.lines] == ["50.00", "200.00"]
    by_supplement = {line.supplements_line_id is not None: line for line in document.lines}
    assert (by_supplement[True].amount, by_supplement[True].billed_seconds) == (200, hours("2"))
    assert by_supplement[False].capped_amount == Decimal("150.00")
    assert waiting(poster) == [("capped", hours("1.5"), "150.00")]
    poster.post()
    cap(poster, 4, "360.00")
    assert totals(poster.bill().documents) == ["10.00"]
    assert waiting(poster) == [("capped", 5040, "140.00")]


@pytest.mark.parametrize(
    ("length", "credited", "still_held"),
    [("5", [], "300.00"), ("3", [], "100.00"), ("2", [], None), ("1", ["100.00"], None)],
)
def test_a_cut_entry_that_changes(
    poster: Poster, length: str, credited: list[str], still_held: str | None
) -> None:
    cap(poster, 2, "200.00")
    poster.charge(work("a", "6"))
    assert totals(poster.bill().documents) == ["200.00"]
    poster.post()
    poster.charge(work("a", length), revision=2)
    poster.settle()
    assert of_kind(poster, DocumentKind.CREDIT_MEMO) == credited
    assert poster.bill().documents == []
    assert [amount for _, _, amount in waiting(poster)] == ([still_held] if still_held else [])
    poster.configure(3)
    later = totals(poster.bill().documents)
    assert later == ([still_held] if still_held else [])


def test_a_withdrawn_draft_gives_its_room_back(poster: Poster) -> None:
    cap(poster, 2, "200.00")
    poster.charge(work("a", "6", invoicing={**ENTRIES, "status": "draft"}))
    (draft,) = poster.bill().documents
    poster.parts.decisions.withdraw(draft.document_id, Decision("ann"))
    assert poster.rows("SELECT * FROM supplement") == []
    assert totals(poster.bill().documents) == ["200.00"]


def test_the_rest_of_a_cut_line_waits_until_that_is_posted(poster: Poster) -> None:
    cap(poster, 2, "200.00")
    poster.charge(work("a", "6"))
    poster.bill()
    cap(poster, 3, "1000.00")
    assert poster.bill().documents == []
    poster.charge(work("a", "5"), revision=2)
    poster.parts.corrector.run_due()
    assert totals([d for d in poster.documents() if d.status == "posting"]) == ["500.00"]
    assert waiting(poster) == []


def test_a_cap_begins_anew_with_each_term(poster: Poster) -> None:
    cap(poster, 2, "250.00", term="month")
    poster.charge(work("a", "4"), work("b", "4", date(2026, 4, 7)))
    assert totals(poster.bill(APRIL_30).documents) == ["250.00", "250.00"]
    assert waiting(poster) == [("capped", hours("3"), "300.00")]


def test_a_project_has_a_cap_of_its_own(poster: Poster) -> None:
    projects = [{"project": "P1", "client": "Acme", "cap": {"amount": "150.00"}}]
    poster.configure(2, clients=acme(), projects=projects)
    poster.charge(work("a", "2"), work("b", "2", project="P2"), make_expense("e", "40.00"))
    assert sorted(totals(poster.bill().documents)) == ["150.00", "200.00", "40.00"]
    poster.charge(work("c", "1", date(2026, 3, 5)))
    assert poster.bill().documents == []


# --- discounts ------------------------------------------------------------------------------


def test_corrections_keep_a_lines_share_of_the_discount(poster: Poster) -> None:
    invoicing = {**ENTRIES, "discount": {"kind": "percent", "value": "15"}}
    poster.charge(work("a", "4", invoicing=invoicing), work("b", "1", invoicing=invoicing))
    assert totals(poster.bill().documents) == ["425.00"]
    poster.post()
    poster.charge(work("a", "3", invoicing=invoicing), revision=2)
    poster.settle()
    assert of_kind(poster, DocumentKind.CREDIT_MEMO) == ["85.00"]
    poster.charge(work("a", "6", invoicing=invoicing), revision=3)
    poster.settle()
    (supplement,) = poster.bill().documents
    assert (supplement.total, supplement.discount) == (Decimal("255.00"), None)
    poster.post()
    poster.withdraw("a", revision=4)
    poster.withdraw("b", revision=2)
    poster.settle()
    assert poster.net_billed() == 0


def test_in_place_is_not_for_discounted_lines(poster: Poster) -> None:
    poster.configure(2, clients=acme(corrections={"mode": "update_in_place"}))
    invoicing = {**ENTRIES, "discount": {"kind": "amount", "value": "10.00"}}
    poster.charge(work("a", "4", invoicing=invoicing))
    poster.bill()
    poster.post()
    poster.charge(work("a", "2", invoicing=invoicing), revision=2)
    poster.settle()
    assert of_kind(poster, DocumentKind.CREDIT_MEMO) == ["195.00"]


# --- tax ------------------------------------------------------------------------------------

VAT = {"code": "VAT", "percent": "19"}


def taxed(charge_id: str, length: str, **changes: Any) -> Any:
    return work(charge_id, length, tax_code="VAT", **changes)


def test_supplements_and_credits_carry_their_tax(poster: Poster) -> None:
    poster.configure(2, taxes=[VAT])
    poster.charge(taxed("a", "1.1"), taxed("b", "2.3"))
    (invoice,) = poster.bill().documents
    assert (invoice.total, invoice.taxes[0].amount) == (Decimal("404.60"), Decimal("64.60"))
    poster.post()
    poster.charge(taxed("a", "2.1"), revision=2)
    poster.settle()
    (supplement,) = poster.bill().documents
    assert supplement.total == Decimal("119.00")
    poster.post()
    poster.withdraw("a", revision=3)
    poster.withdraw("b")
    poster.settle()
    assert of_kind(poster, DocumentKind.CREDIT_MEMO) == ["523.60"]
    assert poster.net_billed() == 0


def test_an_update_in_place_recomputes_the_tax(poster: Poster) -> None:
    in_place = acme(corrections={"mode": "update_in_place"})
    poster.configure(2, taxes=[VAT], clients=in_place)
    poster.charge(taxed("a", "2"), taxed("b", "1"))
    poster.bill()
    poster.post()
    poster.charge(taxed("a", "1"), revision=2)
    poster.settle()
    document = poster.document()
    assert (document.total, document.taxes[0].amount) == (Decimal("238.00"), Decimal("38.00"))
    poster.configure(3, taxes=[VAT])
    poster.withdraw("a", revision=3)
    poster.settle()
    assert of_kind(poster, DocumentKind.CREDIT_MEMO) == ["119.00"]


def test_another_document_date_takes_that_days_tax(poster: Poster) -> None:
    rules = [
        {**VAT, "effective_to": "2026-03-31"},
        {"code": "VAT", "percent": "16", "effective_from": "2026-04-01"},
    ]
    poster.configure(2, taxes=rules)
    poster.charge(taxed("a", "1", invoicing={**ENTRIES, "status": "draft"}))
    (draft,) = poster.bill().documents
    assert draft.total == Decimal("119.00")
    april = poster.parts.decisions.release(
        draft.document_id, Decision("ann"), document_date=date(2026, 4, 1)
    )
    assert (april.total, april.taxes[0].percent) == (Decimal("116.00"), Decimal(16))
    (row,) = poster.rows("SELECT amount, tax_amount FROM document_line")
    assert tuple(row) == (Decimal("100.00"), Decimal("16.00"))
    poster.post()
    poster.withdraw("a")
    poster.settle()
    assert (poster.documents()[-1].kind, poster.documents()[-1].total) == (
        DocumentKind.CREDIT_MEMO,
        Decimal("116.00"),
    )


def test_refunds_that_outweigh_work_are_credited_with_their_tax(poster: Poster) -> None:
    poster.configure(2, taxes=[VAT])
    poster.charge(make_expense("e", "-50.00", tax_code="VAT"))
    (document,) = poster.bill().documents
    assert (document.kind, document.total) == (DocumentKind.CREDIT_MEMO, Decimal("59.50"))
    (row,) = poster.rows("SELECT amount, tax_amount FROM document_line")
    assert tuple(row) == (Decimal("-50.00"), Decimal("-9.50"))


# --- adjustments ----------------------------------------------------------------------------

DRAFT = {**ENTRIES, "status": "draft"}


def draft_of(poster: Poster, **changes: Any) -> Document:
    poster.charge(taxed("a", "3", invoicing=DRAFT, **changes), taxed("b", "1", invoicing=DRAFT))
    (draft,) = poster.bill().documents
    return draft


def adjust(poster: Poster, document: Document, to: str, line: int | None = None) -> Document:
    asked = AdjustmentAsked(Decimal(to), "goodwill", "ann", line)
    return poster.parts.adjustments.adjust(document.document_id, asked)


def test_a_written_down_draft_is_taxed_posted_and_mirrored(poster: Poster) -> None:
    poster.configure(2, taxes=[VAT])
    draft = draft_of(poster)
    adjusted = adjust(poster, draft, "300.00")
    assert (adjusted.total, adjusted.taxes[0].amount) == (Decimal("357.00"), Decimal("57.00"))
    assert realisation_percent(adjusted) == Decimal("75.0")
    again = adjust(poster, draft, "300.00")
    assert again.version == adjusted.version
    poster.parts.decisions.release(draft.document_id, Decision("ann"))
    poster.post()
    poster.charge(taxed("a", "1", invoicing=DRAFT), revision=2)
    poster.settle()
    memo = poster.documents()[-1]
    assert (memo.kind, memo.lines[0].amount) == (DocumentKind.CREDIT_MEMO, Decimal("150.00"))
    with pytest.raises(NotPossible, match="can't be adjusted"):
        adjust(poster, draft, "10.00")


def test_one_line_is_written_up_and_back(poster: Poster) -> None:
    draft = draft_of(poster)
    up = adjust(poster, draft, "120.00", line=2)
    assert [str(line.amount) for line in up.lines] == ["300.00", "120.00"]
    assert realisation_percent(up) == Decimal("105.0")
    back = adjust(poster, draft, "400.00")
    assert [line.adjustment for line in back.lines] == [None, None]
    rows = poster.rows("SELECT basis FROM document_line ORDER BY position")
    assert {row.basis["list_amount"] for row in rows} == {None}
    with pytest.raises(AdjustmentImpossible):
        adjust(poster, draft, "1.00", line=3)


def test_a_new_draft_says_that_the_old_ones_adjustment_is_gone(poster: Poster) -> None:
    draft = draft_of(poster)
    adjust(poster, draft, "380.00")
    poster.charge(taxed("a", "2", invoicing=DRAFT), revision=2)
    poster.settle()
    withdrawn, fresh = poster.documents()
    assert (withdrawn.status, fresh.status) == (DocumentStatus.WITHDRAWN, DocumentStatus.DRAFT)
    assert fresh.reason is not None
    assert fresh.reason.code == "adjustment_dropped"
    assert f"{draft.number} came to 380.00" in fresh.reason.detail


def test_nothing_to_realise() -> None:
    empty = Document.model_construct(lines=())
    assert realisation_percent(empty) == 100
