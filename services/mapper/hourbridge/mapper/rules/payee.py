"""Whom the firm owes an expense: the employee who paid it, or the vendor whose bill it is."""

from __future__ import annotations

from hourbridge.common.book import ExpenseMapping, LedgerReference
from hourbridge.common.messages.events import Reason
from hourbridge.common.messages.records import Expense
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.lookup import first_match
from hourbridge.mapper.rules.names import term
from hourbridge.mapper.rules.outcome import parked
from hourbridge.mapper.rules.people import linked_vendor, person_rule
from hourbridge.mapper.rules.subject import Subject


def payee_of(
    book: CompiledBook,
    source: str,
    expense: Expense,
    subject: Subject,
    category: ExpenseMapping | None,
) -> LedgerReference | Reason:
    """Return the ledger's vendor to whom an expense is owed, or what that waits for."""
    named = term(expense.vendor_id, expense.vendor_name)
    employee = _employee(book, source, expense, subject)
    if expense.payment_source == "employee" or expense.reimbursable:
        return employee or _no_employee(subject)
    if named.keys:
        return linked_vendor(book, subject, named) or _no_vendor(named.label)
    stated = expense.payment_source == "vendor_bill"
    by_rule = category.vendor if category is not None else None
    return by_rule or (None if stated else employee) or _no_vendor(None)


def _employee(
    book: CompiledBook, source: str, expense: Expense, subject: Subject
) -> LedgerReference | None:
    day = expense.expense_date
    person = person_rule(book, source, subject, day)
    if person is not None and person.vendor is not None:
        return person.vendor
    terms = first_match(book.subcontractors, source, subject.staff, day)
    return terms.vendor if terms is not None else None


def _no_employee(subject: Subject) -> Reason:
    label = subject.staff.label or "(none)"
    detail = f"no staff rule says which vendor of the ledger {label!r} is, who paid this"
    return parked("no_mapping", detail, f"staff:{label}")


def _no_vendor(label: str | None) -> Reason:
    detail = (
        f"nobody in the configuration says which vendor of the ledger {label!r} is"
        if label
        else "the expense names nobody who is to be paid, nor does its category's rule"
    )
    return parked("no_mapping", detail, f"vendor:{label or '(none)'}")
