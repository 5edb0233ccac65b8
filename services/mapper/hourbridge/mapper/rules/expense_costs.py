"""What we owe for an expense: the cost side of it, as payable charges."""

from __future__ import annotations

from decimal import Decimal

from hourbridge.billing.expenses import Cost
from hourbridge.common.book import AccountRole, ExpensePolicy, ledger_account
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import Charge, ChargedCost, Payable, Reason
from hourbridge.common.messages.records import Expense
from hourbridge.mapper.rules.case import Case
from hourbridge.mapper.rules.expense_terms import Spent
from hourbridge.mapper.rules.paying import Paying, how_paid, paying_of, person_of

PASSED_ON = "passed_on"
OWN_COST = "own_cost"
_DUE_DAYS = 30


def expense_costs(
    case: Case[Expense],
    money: Spent,
    policy: ExpensePolicy,
    template: Charge,
    charges: tuple[Charge, ...],
) -> tuple[Charge, ...] | Reason:
    """Return the payable charges of an expense, or why it isn't known whom we owe.

    What an agent only passes on to the client (``charges``) goes through clearing; the rest of the
    cost is the firm's own. Recoverable tax travels with the first of them.
    """
    expense = case.record
    posting = case.book.configuration.posting.expenses
    how = how_paid(expense, posting, person_of(case))
    if how is None:
        return ()
    paying = paying_of(case, how, case.found.category)
    if isinstance(paying, Reason):
        return paying
    cost = money.cost(policy)
    owed_net = cost.net if money.payable is None else money.payable - cost.tax
    cleared = _passed_on(charges) if policy.treatment == "agent" else Decimal(0)
    passed_on = min(cleared, owed_net, key=abs)
    parts = [(PASSED_ON, passed_on), (OWN_COST, owed_net - passed_on)]
    parts = [(what, amount) for what, amount in parts if amount]
    return tuple(
        _payable(case, money, template, paying, what, Cost(amount, Decimal(0) if at else cost.tax))
        for at, (what, amount) in enumerate(parts)
    )


def _passed_on(charges: tuple[Charge, ...]) -> Decimal:
    """Return what the client pays of the cost itself; markup is charged apart."""
    amounts = (c.amount for c in charges if c.amount and c.cost and c.cost.amount)
    return sum(amounts, Decimal(0))


def _payable(
    case: Case[Expense],
    money: Spent,
    template: Charge,
    paying: Paying,
    what: str,
    spent: Cost,
) -> Charge:
    expense, book = case.record, case.book.configuration
    is_passed_on = what == PASSED_ON
    role = AccountRole.REIMBURSABLE if is_passed_on else AccountRole.EXPENSE
    by_role = ledger_account(book.accounts, role)
    account = (by_role or template.account) if is_passed_on else (template.account or by_role)
    cost = ChargedCost(
        amount=spent.net,
        currency=expense.currency,
        tax=spent.tax or None,
        treatment="agent" if is_passed_on else "principal",
        share=money.share,
        receipts=expense.receipts,
    )
    return template.model_copy(
        update={
            "charge_id": derive_id(template.charge_id, what),
            "amount": spent.net,
            "currency": expense.currency,
            "item": None if account else template.item,
            "account": account,
            "tax_code": None,
            "terms": None,
            "email": None,
            "warnings": None,
            "cost": cost,
            "payable": Payable(
                vendor=paying.payee,
                bill_number=None if paying.paid else expense.bill_number,
                due_days=0 if paying.paid else _due_days(expense),
                reason="expense",
                report=expense.report.id if expense.report else None,
                paid=paying.paid,
            ),
        }
    )


def _due_days(expense: Expense) -> int:
    if expense.due_date is None:
        return _DUE_DAYS
    return max(0, (expense.due_date - expense.expense_date).days)
