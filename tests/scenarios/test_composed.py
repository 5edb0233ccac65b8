"""Invoices composed in the tracker: mirrored to the cent, and their hours never billed twice."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.cli.explaining.finding import find
from hourbridge.cli.explaining.story import tell
from tests.scenarios.office import BOOK, SOURCE, Office, configuration, entry
from tests.scenarios.spending import bravo, of_kind
from tests.support.installation import wait_until

COMPOSING = [{"name": SOURCE, "system": "bigtime", "invoices": "composed"}]
LINES = [("time", "Consulting", "937.50"), ("expense", "Hotel", "220.00")]


def composed(
    number: str | None,
    *,
    external_id: str = "i1",
    version: str = "1",
    lines: Sequence[tuple[str, str, str]] = LINES,
    **fields: Any,
) -> dict[str, Any]:
    """Return an invoice of Acme as the tracker states it; its total is what its lines sum to."""
    total = sum((Decimal(amount) for _, _, amount in lines), Decimal(0))
    return {
        "external_id": external_id,
        "external_version": version,
        "number": number,
        "status": "final",
        "client_id": "Acme",
        "invoice_date": "2026-01-31",
        "due_date": "2026-02-14",
        "total": str(total),
        "lines": [
            {"position": place, "kind": kind, "name": name, "amount": amount}
            for place, (kind, name, amount) in enumerate(lines, start=1)
        ],
        **fields,
    }


def state(office: Office, *invoices: dict[str, Any]) -> None:
    """Report composed invoices and bill whatever is to be billed."""
    office.report(*invoices, record_type="composed_invoice")
    office.bill()


@pytest.fixture
def composing(bare_office: Office) -> Office:
    bare_office.connect()
    bare_office.configure(configuration(sources=COMPOSING))
    return bare_office


def test_a_composed_invoice_is_mirrored_and_its_hours_are_not_billed_again(
    composing: Office,
) -> None:
    office = composing
    office.report(entry("e1", "6.25"))
    for _ in range(2):
        state(office, composed("1042"))
        (posted,) = office.ledger("Invoice")
        assert (posted["DocNumber"], posted["DueDate"]) == ("1042", "2026-02-14")
        lines = [line for line in posted["Line"] if "SalesItemLineDetail" in line]
        assert [line["Amount"] for line in lines] == [Decimal("937.50"), Decimal("220.00")]
        assert office.reconcile() == []
    story = tell(office.client, BOOK, find(office.client, BOOK, "1042:1"))
    assert (story["line"]["amount"], story["adds_up"]) == ("937.50", True)
    mapping = tell(office.client, BOOK, find(office.client, BOOK, "e1"))["mapping"]
    assert [reason["code"] for reason in mapping["reasons"]] == ["billed_by_source"]


def test_a_draft_waits_and_a_void_invoice_is_credited(composing: Office) -> None:
    office = composing
    state(office, composed("1042", status="draft"))
    assert office.invoices() == []
    state(office, composed("1042", version="2"))
    assert office.invoices() == [Decimal("1157.50")]
    state(office, composed("1042", version="3", status="void"))
    wait_until(lambda: office.credit_memos() == [Decimal("1157.50")], "the credit memo")
    for _ in range(2):
        office.bill()
        assert (office.invoices(), office.credit_memos()) == (
            [Decimal("1157.50")],
            [Decimal("1157.50")],
        )
        assert office.reconcile() == []


def test_what_is_changed_in_the_tracker_reaches_the_ledger(composing: Office) -> None:
    office = composing
    state(office, composed("1042"))
    less = [("time", "Consulting", "900.00"), ("expense", "Hotel", "220.00")]
    state(office, composed("1042", version="2", lines=less))
    wait_until(lambda: office.credit_memos() == [Decimal("37.50")], "the credit memo")
    office.configure(configuration(sources=COMPOSING, corrections={"mode": "update_in_place"}))
    state(office, composed("1043", external_id="i2", invoice_date="2026-02-28", due_date=None))
    more = [("time", "Consulting", "1000.00"), ("expense", "Hotel", "220.00")]
    changed = composed(
        "1043",
        external_id="i2",
        version="2",
        lines=more,
        invoice_date="2026-02-28",
        due_date=None,
    )
    state(office, changed)
    wait_until(lambda: Decimal("1220.00") in office.invoices(), "the update")
    assert office.reconcile() == []


def test_discounts_and_retainers_of_the_tracker_stay_lines(composing: Office) -> None:
    office = composing
    lines = [*LINES, ("discount", "Courtesy", "-57.50"), ("text", "Thank you", "0.00")]
    state(office, composed("1042", lines=lines))
    (invoice,) = of_kind(office, "invoice")
    assert [line["amount"] for line in invoice["lines"]] == ["937.50", "220.00", "-57.50"]
    assert office.invoices() == [Decimal("1100.00")]
    assert office.reconcile() == []


def test_a_number_is_used_once(composing: Office) -> None:
    office = composing
    state(office, composed("1042"))
    state(office, composed("1042", external_id="i2"))
    state(office, composed(None, external_id="i3"))
    state(office, composed("9" * 22, external_id="i4"))
    numbers = [row["DocNumber"] for row in office.ledger("Invoice")]
    assert numbers == ["1042", "HB-1", "HB-2", "HB-3"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"total": "1157.51"}, "lines_differ_from_total"),
        ({"currency": "EUR"}, "currency_differs"),
        ({"tax_total": "20.00", "total": "1177.50"}, "tax_unmapped"),
        ({"client_id": "Nobody"}, "no_mapping"),
    ],
)
def test_what_contradicts_the_books_waits(
    composing: Office, fields: dict[str, Any], code: str
) -> None:
    office = composing
    state(office, composed("1042", **fields))
    assert [row["code"] for row in office.parked()] == [code]
    assert office.invoices() == []
    state(office, composed("1042", version="2"))
    assert (office.parked(), office.invoices()) == ([], [Decimal("1157.50")])


def test_invoices_that_another_link_has_posted_are_left_alone(bare_office: Office) -> None:
    office = bare_office
    office.connect()
    sources = [{**COMPOSING[0], "invoices_from": "2026-02-01"}]
    office.configure(configuration(sources=sources))
    state(office, composed("1042"), composed("1043", external_id="i2", invoice_date="2026-02-01"))
    assert [row["DocNumber"] for row in office.ledger("Invoice")] == ["1043"]


def test_a_book_that_bills_itself_takes_no_composed_invoices(office: Office) -> None:
    office.report(entry("e1", "1.00"))
    state(office, composed("1042"))
    assert office.invoices() == [Decimal("150.00")]


def test_subcontractors_of_a_composing_source_are_still_paid(bare_office: Office) -> None:
    office = bare_office
    office.connect()
    office.configure(configuration(sources=COMPOSING, **bravo()))
    office.report(entry("e1", "10.00", staff_id="bob"))
    state(office, composed("1042"))
    assert office.invoices() == [Decimal("1157.50")]
    assert [row["TotalAmt"] for row in office.ledger("Bill")] == [Decimal("750.00")]
