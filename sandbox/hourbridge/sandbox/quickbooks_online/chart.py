"""The accounts of a new company: one for each part that an account can play, and a few more."""

from __future__ import annotations

CHART: dict[str, tuple[str, str]] = {
    "receivable": ("Accounts Receivable (A/R)", "Accounts Receivable"),
    "payable": ("Accounts Payable (A/P)", "Accounts Payable"),
    "bank": ("Checking", "Bank"),
    "credit_card": ("Company Card", "Credit Card"),
    "revenue": ("Services", "Income"),
    "reimbursable": ("Reimbursable Costs", "Other Current Asset"),
    "markup_revenue": ("Markup Revenue", "Income"),
    "expense": ("Project Costs", "Cost of Goods Sold"),
    "tax_payable": ("Sales Tax Payable", "Other Current Liability"),
    "input_tax": ("Input Tax", "Other Current Asset"),
    "customer_deposits": ("Customer Deposits", "Other Current Liability"),
    "trust_bank": ("Trust Account", "Bank"),
    "forfeited_revenue": ("Forfeited Retainers", "Other Income"),
    "subcontractor_cost": ("Subcontractors", "Cost of Goods Sold"),
    "retainage_payable": ("Retainage Payable", "Other Current Liability"),
    "fx_realized": ("Exchange Gain or Loss", "Other Expense"),
    "fx_unrealized": ("Unrealized Exchange Gain or Loss", "Other Expense"),
    "receivable_revaluation": ("Receivable Revaluation", "Other Current Asset"),
    "payable_revaluation": ("Payable Revaluation", "Other Current Liability"),
    "deposits_revaluation": ("Deposits Revaluation", "Other Current Liability"),
    "write_down": ("Write-Downs", "Income"),
    "unbilled": ("Unbilled Work", "Other Current Asset"),
    "deferred_revenue": ("Deferred Revenue", "Other Current Liability"),
    "rounding": ("Rounding Differences", "Other Expense"),
    "opening_balances": ("Opening Balance Equity", "Equity"),
}
"""Name and account type by the part an account plays, as a book's configuration calls the parts."""

OTHER_ACCOUNTS = {
    "Billable Expense Income": "Income",
    "Reimbursable Expenses": "Expense",
}

ROLE_ITEMS = {
    "Reimbursable Costs": "reimbursable",
    "Markup": "markup_revenue",
    "Retainer": "customer_deposits",
    "Unbilled Work": "unbilled",
    "Deferred Services": "deferred_revenue",
    "Write-Downs": "write_down",
}
"""Service items that post to other accounts than revenue: an invoice sells items only."""


def account_name(role: str) -> str:
    """Return the name of the account that plays a part in a new company."""
    return CHART[role][0]


def chart_configuration() -> list[dict[str, object]]:
    """Return ``accounts`` of a book's configuration for a company with this chart."""
    return [{"role": role, "ledger": {"name": name}} for role, (name, _) in CHART.items()]
