"""Scenario A66: a book changes its ledger; what is posted stays, and open money is carried once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.scenarios.office import REALM, Office
from tests.scenarios.test_retainers import log, receive, retained, work
from tests.support.installation import wait_until

NEW = {"kind": "quickbooks_online", "connection": "new", "company_id": "9130350000000077"}
DEPOSITS, OPENING = "Customer Deposits", "Opening Balance Equity"


def moved(office: Office) -> dict[str, Any]:
    """Return the book's configuration with the new company as its ledger."""
    return {**retained(), "ledger": NEW}


def totals(office: Office, realm: str) -> list[str]:
    return [str(total) for total in office.invoices(realm)]


def test_a66_documents_stay_and_the_retainer_is_carried_once(bare_office: Office) -> None:
    office = bare_office
    office.connect()
    office.connect(name=NEW["connection"], realm=NEW["company_id"])
    office.configure(retained())
    receive(office, "5000.00", "2026-01-05")
    office.report(work("e1", "2026-02-02", "3200.00"))
    office.bill("2026-02-28")
    office.settle()
    before = office.creates(REALM)
    for _ in range(2):
        office.configure(moved(office))
        office.settle()
        wait_until(
            lambda: len(office.ledger("JournalEntry", NEW["company_id"])) >= 1, "the opening"
        )
        office.report(work("e2", "2026-03-02", "2500.00"))
        office.bill("2026-03-31")
        office.settle()
        assert office.creates(REALM) == before
        assert (totals(office, REALM), totals(office, NEW["company_id"])) == (
            ["3200.00"],
            ["2500.00"],
        )
        shown = log(office)
        assert shown["agrees"]
        (invoice,) = office.ledger("Invoice", NEW["company_id"])
        assert Decimal(invoice["Balance"]) == Decimal("700.00")
        entries = office.ledger("JournalEntry", NEW["company_id"])
        notes = [entry["PrivateNote"].split("\n")[0] for entry in entries]
        assert sum("opening balance from the former ledger" in note for note in notes) == 1
        assert office.reconcile() == []


def test_a66_a_correction_of_a_document_goes_to_the_ledger_that_has_it(
    bare_office: Office,
) -> None:
    office = bare_office
    office.connect()
    office.connect(name=NEW["connection"], realm=NEW["company_id"])
    plain = {**retained(), "clients": [{"client": "Acme", "customer": {"name": "Acme"}}]}
    office.configure(plain)
    office.report(work("e1", "2026-02-02", "3200.00"))
    office.bill("2026-02-28")
    office.configure({**plain, "ledger": NEW})
    office.report(
        {**work("e1", "2026-02-02", "3200.00"), "external_version": "2", "deleted": {"how": "feed"}}
    )
    office.settle()
    wait_until(lambda: office.credit_memos(REALM) == [Decimal("3200.00")], "the credit memo")
    assert office.ledger("Invoice", NEW["company_id"]) == []
    assert office.ledger("CreditMemo", NEW["company_id"]) == []
