"""The journal of a living book, as hledger and beancount read it: they find what we found."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.office import BOOK, Office, entry
from tests.scenarios.test_currencies import euro_office, work
from tests.support.oracles import beancount_rows, hledger_balances, hledger_register

pytestmark = [pytest.mark.broker, pytest.mark.database]

D = Decimal
RECEIVABLE, REVALUATION = "Assets:Receivable", "Assets:Receivable-Revaluation"


def value(journal: Path, account: str, *options: str) -> Decimal:
    """Return what hledger says an account is worth in the book's currency."""
    found = hledger_balances(journal, *options, f"^{account}$")
    assert set(found) <= {(account, "USD")}
    return sum(found.values(), D(0))


def test_market_less_cost_is_the_revaluation(bare_office: Office, tmp_path: Path) -> None:
    """hledger values what is open at the ECB's rates; what it adds to cost is what we booked."""
    office = bare_office
    euro_office(office)
    for _ in range(2):
        work(office, "10000.00")
        office.pay("p1", "4000.00", "2026-02-27", currency="EUR")
        office.revalue("2026-02")
        ledger, _ = office.export_journal(tmp_path)
        at_cost = value(ledger, RECEIVABLE, "-B", "-e", "2026-03-01")
        at_market = value(ledger, RECEIVABLE, "-X", "USD", "-e", "2026-03-01")
        booked = value(ledger, REVALUATION, "-e", "2026-03-01")
        assert (at_cost, at_market, booked) == (D("7151.40"), D("7083.00"), D("-68.40"))
        assert (
            at_market - at_cost
            == booked
            == -value(ledger, "Income:FX-Unrealized", "-e", "2026-03-01")
        )
        assert value(ledger, REVALUATION) == value(ledger, "Income:FX-Unrealized") == 0
        assert value(ledger, "Income:FX-Realized", "-e", "2026-03-01") == D("45.60")
        office.pay("p2", "6000.00", "2026-03-31", currency="EUR")
        ledger, beans = office.export_journal(tmp_path)
        assert value(ledger, RECEIVABLE, "-B") == value(ledger, RECEIVABLE, "-X", "USD") == 0
        assert value(ledger, "Income:FX-Realized") == D("298.20")
        assert value(ledger, "Income:FX-Realized", "-b", "2026-03-01") == D("252.60")
        query = f"select sum(number), currency where account = '{RECEIVABLE}' group by currency"
        assert [D(row[0]) for row in beancount_rows(beans, query)] == [D(0)]


def test_our_ids_lead_from_the_journal_to_the_documents(office: Office, tmp_path: Path) -> None:
    for _ in range(2):
        office.report(entry("t1", "5.00"))
        office.bill("2026-01-31")
        office.report(entry("t1", "4.00", external_version="2"))
        office.bill("2026-02-28")
        documents = {row["number"]: row for row in office.documents()}
        assert {row["kind"] for row in documents.values()} == {"invoice", "credit_memo"}
        ledger, beans = office.export_journal(tmp_path)
        for number, document in documents.items():
            found = hledger_register(ledger, f"tag:document={document['document_id']}")
            assert found == [number]
            meta = f"select distinct entry_meta('document') where '{number}' in links"
            assert beancount_rows(beans, meta) == [[document["document_id"]]]
        assert value(ledger, RECEIVABLE) == D("600.00")
    assert accounts(office) == {"Assets:Receivable": "600.00", "Income:Services": "-600.00"}


def accounts(office: Office) -> dict[str, Any]:
    rows = office.account_balances(client="Acme", book=BOOK)
    return {row["account"]: row["amount"] for row in rows}
