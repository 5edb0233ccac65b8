"""From an expense to its charge: what the client pays for it."""

from __future__ import annotations

from decimal import Decimal

from hourbridge.common.book import ExpenseMapping, Workflow
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import Charge, MappingOutcome
from hourbridge.common.messages.records import Expense
from hourbridge.common.money import EXACT
from hourbridge.mapper.rules.case import Case
from hourbridge.mapper.rules.engagement import Engagement
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.names import term
from hourbridge.mapper.rules.outcome import Mapped, parked, skipped
from hourbridge.mapper.rules.resolve import resolve, resolve_category
from hourbridge.mapper.rules.subject import Subject

PART = "expense"
"""The one part of an expense; charge ids derive from it."""
_HUNDRED = Decimal(100)


def map_expense(
    book: CompiledBook, source: str, record_id: str, expense: Expense, subject: Subject
) -> Mapped:
    """Return the one charge of an approved expense, or every reason why there is none."""
    day = expense.expense_date
    case = Case(book, record_id, expense, subject, resolve(book, source, subject, day))
    resolve_category(book, term(expense.category_id, expense.category_name), case.found)
    category = case.found.category
    unpaid = case.unpaid(("category", category.billable if category else None))
    if unpaid is not None:
        return case.without_charges(unpaid)
    terms = case.terms
    if terms is not None and terms.currency != expense.currency:
        _note_currency(case, terms)
    if case.found.missing or terms is None or category is None:
        return case.without_charges(*case.found.missing)
    amount = billed_amount(expense, category, at_cost=terms.workflow is Workflow.PASS_THROUGH)
    if amount == 0:
        return case.without_charges(skipped("zero_amount", "the client pays nothing"))
    charge = _charge(case, terms, category, amount)
    return Mapped(
        outcome=MappingOutcome.CHARGED,
        charges=(charge,),
        client=charge.client,
        project=charge.project,
        consulted=case.subject.consulted,
    )


def billed_amount(expense: Expense, category: ExpenseMapping, *, at_cost: bool) -> Decimal:
    """Return what the client pays, unrounded and with its sign.

    A pass-through engagement pays the cost and no more. Otherwise the amount that the source
    states for the client holds (its markup is in it), else units at their sell rate, else the
    cost with the source's markup or, if it states none, the category's.
    """
    if at_cost:
        stated = expense.amount_billable
        return expense.amount_in if stated is None else min(stated, expense.amount_in, key=abs)
    if expense.amount_billable is not None:
        return expense.amount_billable
    if expense.unit is not None and expense.unit.sell_rate is not None:
        return EXACT.multiply(expense.unit.quantity, expense.unit.sell_rate)
    markup = expense.markup_percent
    percent = category.markup_percent if markup is None else markup
    factor = EXACT.add(_HUNDRED, percent)
    return EXACT.divide(EXACT.multiply(expense.amount_in, factor), _HUNDRED)


def _note_currency(case: Case[Expense], terms: Engagement) -> None:
    pair = f"{case.record.currency}->{terms.currency}"
    detail = (
        f"the expense is in {case.record.currency}, the client is billed in {terms.currency}; "
        "no exchange rate is configured"
    )
    case.found.missing.append(parked("no_rate", detail, f"rate:{pair}"))


def _charge(
    case: Case[Expense], terms: Engagement, category: ExpenseMapping, amount: Decimal
) -> Charge:
    """Return the charge. All parts come from validated models, so it isn't validated again."""
    expense, subject = case.record, case.subject
    return Charge.of_valid(
        charge_id=derive_id(case.record_id, PART),
        kind="expense",
        workflow=terms.workflow,
        customer=terms.customer,
        job=terms.job,
        item=category.item,
        account=category.account,
        class_ref=terms.class_ref,
        tax_code=terms.tax_code,
        terms=terms.terms,
        work_date=expense.expense_date,
        worked_seconds=0,
        billable_seconds=0,
        amount=amount,
        rate=None,
        currency=terms.currency,
        flat_fee=None,
        flat_fee_scope=terms.flat_fee_scope,
        staff=subject.staff.label,
        task=expense.category_name or expense.category_id,
        project=case.found.project_label,
        client=case.found.client_label or "",
        description=expense.notes or expense.merchant_text,
        email=terms.email,
        rounding=terms.rounding,
        invoicing=terms.invoicing,
        ledger=case.book.configuration.ledger,
        payable=None,
        cost=None,
        cost_rate=None,
        write_down=None,
        span=None,
        retainer=None,
        warnings=None,
    )
