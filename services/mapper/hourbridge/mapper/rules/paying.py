"""How an expense's cost is posted: a bill that is owed, or a purchase that was paid at once.

By who paid and what the payee is in the ledger: people linked to a vendor are owed by bill, people
linked to an employee are paid back by check (an employee can't be billed), the company's cards and
cash are purchases of their own, unless the bank's feed brings them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hourbridge.common.book import (
    AccountRole,
    ExpenseMapping,
    ExpensePosting,
    LedgerReference,
    StaffMapping,
    ledger_account,
)
from hourbridge.common.messages.events import PaidAtOnce, Reason
from hourbridge.common.messages.records import Expense
from hourbridge.mapper.rules.case import Case
from hourbridge.mapper.rules.names import normal, term
from hourbridge.mapper.rules.outcome import parked
from hourbridge.mapper.rules.payee import payee_of
from hourbridge.mapper.rules.payment import vendor_of
from hourbridge.mapper.rules.people import person_rule

How = Literal["bill", "check", "cash", "card"]
PayeeKind = Literal["vendor", "employee", "nobody"]
_CARD_INTENTS = ("credit_card_charge", "credit_card_credit")
_NOT_POSTED = ("none", "journal")


@dataclass(frozen=True, slots=True)
class Paying:
    """Whom a cost is owed or was paid to, and how."""

    payee: LedgerReference
    paid: PaidAtOnce | None = None
    """None: owed, by bill."""


def how_paid(expense: Expense, policy: ExpensePosting, person: StaffMapping | None) -> How | None:
    """Return by what kind of document a cost is posted, None where it isn't posted by us.

    Pure: who paid decides first, then what the source intends, then the payee's link.
    """
    intent, source = expense.posting_intent, expense.payment_source
    if source == "service_fee" or intent in _NOT_POSTED:
        return None
    if source == "company_card" or intent in _CARD_INTENTS:
        return _by_company("card", intent, policy.company_card)
    if source == "company_cash":
        return _by_company("cash", intent, policy.company_cash)
    if intent == "check" or intent == "bill":
        return intent
    if source == "employee" or expense.reimbursable:
        return _to_employee(policy, person)
    return "bill"


def paying_of(case: Case[Expense], how: How, category: ExpenseMapping | None) -> Paying | Reason:
    """Return whom a cost that is posted was or is to be paid to, or what that waits for."""
    expense, source = case.record, case.found.source
    if how == "bill":
        payee = payee_of(case.book, source, expense, case.subject, category)
        return payee if isinstance(payee, Reason) else Paying(payee)
    account = _account(case, how)
    if isinstance(account, Reason):
        return account
    found = _check_payee(case, category) if how == "check" else _merchant(case, category)
    if isinstance(found, Reason):
        return found
    payee, kind = found
    transaction = _transaction(case, how)
    return Paying(payee, PaidAtOnce(by=how, account=account, payee=kind, transaction=transaction))


def _by_company(usual: How, intent: str | None, policy: Literal["feed", "purchase"]) -> How | None:
    if policy == "feed":
        return None  # what the bank's feed brings must not be entered twice
    if intent == "bill":
        return "bill"
    return "check" if intent == "check" and usual == "cash" else usual


def _to_employee(policy: ExpensePosting, person: StaffMapping | None) -> How:
    if policy.employees != "by_link":
        return policy.employees
    if person is None or person.employee is None:
        return "bill"
    return "check" if person.vendor is None else policy.linked_to_both


def person_of(case: Case[Expense]) -> StaffMapping | None:
    """Return the rule of the person whose expense it is."""
    return person_rule(case.book, case.found.source, case.subject, case.record.expense_date)


def _check_payee(
    case: Case[Expense], category: ExpenseMapping | None
) -> tuple[LedgerReference, PayeeKind] | Reason:
    """Return who gets the check: the employee who paid, else whom a bill would be owed to."""
    expense, person = case.record, person_of(case)
    paid_by_person = expense.payment_source == "employee" or expense.reimbursable
    named = term(expense.vendor_id, expense.vendor_name)
    if person is not None and person.employee is not None and (paid_by_person or not named.keys):
        return person.employee, "employee"
    payee = payee_of(case.book, case.found.source, expense, case.subject, category)
    return payee if isinstance(payee, Reason) else (payee, "vendor")


def _merchant(
    case: Case[Expense], category: ExpenseMapping | None
) -> tuple[LedgerReference, PayeeKind]:
    """Return who was paid by card or cash; a merchant who is no vendor needs not become one."""
    expense = case.record
    named = term(expense.vendor_id, expense.vendor_name)
    vendor = vendor_of(case.book.configuration, named) if named.keys else None
    vendor = vendor or (category.vendor if category is not None else None)
    if vendor is not None:
        return vendor, "vendor"
    label = expense.merchant_text or named.label or case.subject.staff.label or "merchant"
    return LedgerReference(name=label), "nobody"


def _account(case: Case[Expense], how: How) -> LedgerReference | Reason | None:
    book, expense = case.book.configuration, case.record
    policy = book.posting.expenses
    if how != "card":
        account = policy.bank_account or ledger_account(book.accounts, AccountRole.BANK)
        detail = "neither posting.expenses.bank_account nor accounts says which bank account paid"
        return account or parked("no_mapping", detail, "account:bank")
    used = {normal(card) for card in (expense.card_account_id, expense.card_mask) if card}
    for card in policy.cards:
        if normal(card.card) in used:
            return card.account
    account = policy.card_account or ledger_account(book.accounts, AccountRole.CREDIT_CARD)
    label = expense.card_account_id or expense.card_mask or "(none)"
    detail = f"nothing in posting.expenses says which account of the ledger card {label!r} is"
    return account or parked("no_mapping", detail, f"card:{label}")


def _transaction(case: Case[Expense], how: How) -> str:
    """Return what shares one purchase; of checks without a report, that is a month."""
    expense = case.record
    if how == "card":
        own = expense.bank_transaction_id or expense.split_group_id
        return f"bank:{own}" if own else f"record:{case.record_id}"
    if expense.report is not None:
        return f"report:{expense.report.id}"
    return "" if how == "check" else f"record:{case.record_id}"
