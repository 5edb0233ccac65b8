"""What the scenarios of payables share: terms, expenses, and looks at both sides' books."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.scenarios.office import Office, configuration

HOTEL = {"category": "Hotel", "item": {"name": "Reimbursable Costs"}}
AGENT = {"treatment": "agent", "bill_costs": True}
RATES = {
    "2026-01-30": {"USD": "1.1919", "GBP": "0.8662"},
    "2026-02-27": {"USD": "1.1805", "GBP": "0.8763"},
    "2026-03-31": {"USD": "1.1498", "GBP": "0.86833"},
}


def bravo(**terms: Any) -> dict[str, Any]:
    """Return the terms of the subcontractor: 75.00 an hour, rebilled at 130.00."""
    vendor = {"staff": "bob", "vendor": {"name": "Bravo"}, "cost_rate": "75.00"}
    return {
        "subcontractors": [{**vendor, **terms}],
        "rates": {"use_source_rate": False, "rules": [{"amount": "130.00"}]},
    }


def costs(policy: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Return a configuration that bills costs to vendors and passes them on."""
    options = {"expenses": [HOTEL], "expense_policy": {**AGENT, **(policy or {})}, **changes}
    return configuration(**{"invoicing": {"grouping": "client_on_demand"}, **options})


def expense(external_id: str, amount: str, **fields: Any) -> dict[str, Any]:
    """Return one approved expense of Acme's, billed by Hotel Ritz."""
    return {
        "external_id": external_id,
        "staff_id": "ada",
        "client_id": "Acme",
        "category_name": "Hotel",
        "vendor_name": "Hotel Ritz",
        "expense_date": "2026-01-15",
        "amount_in": amount,
        "currency": "USD",
        "billable_state": "billable",
        "approval": {"state": "approved"},
        "external_version": "1",
        **fields,
    }


def spend(office: Office, *records: dict[str, Any]) -> None:
    """Report expenses."""
    office.report(*records, record_type="expense")


def of_kind(office: Office, kind: str) -> list[Any]:
    """Return our documents of a kind with their lines, in order of number."""
    rows = [row for row in office.documents() if row["kind"] == kind]
    rows.sort(key=lambda row: (row["document_date"], row["number"]))
    return [office.client.get("poster", f"/v1/documents/{row['document_id']}") for row in rows]


def lines(document: Any) -> list[tuple[str | None, Decimal]]:
    """Return what each line posts to (None: revenue), and its amount."""
    return [(line.get("role"), Decimal(line["amount"])) for line in document["lines"]]


def money(**amounts: str) -> dict[str, Decimal]:
    """Return amounts by account role."""
    return {role: Decimal(amount) for role, amount in amounts.items()}


def in_ledger(office: Office, *accounts: str) -> list[Decimal]:
    """Return balances of the ledger's own accounts, debits positive."""
    held = office.ledger_balances()
    return [held.get(account, Decimal(0)) for account in accounts]
