"""From an expense to its charges: what the client pays for it, and what we owe for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from hourbridge.billing.expenses import split_markup
from hourbridge.common.book import (
    AccountRole,
    ExpenseMapping,
    ExpensePolicy,
    LedgerReference,
    Workflow,
    ledger_account,
)
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import Charge, ChargedCost, MappingOutcome, Reason
from hourbridge.common.messages.records import Expense
from hourbridge.mapper.rules.case import Case
from hourbridge.mapper.rules.engagement import Engagement
from hourbridge.mapper.rules.expense_costs import expense_costs
from hourbridge.mapper.rules.expense_terms import (
    ClientPrice,
    Spent,
    client_price,
    expense_policy,
    parts,
    spent,
)
from hourbridge.mapper.rules.form_fields import form_fields
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.names import term
from hourbridge.mapper.rules.outcome import Mapped, skipped
from hourbridge.mapper.rules.resolve import Resolution, linked_class, resolve, resolve_category
from hourbridge.mapper.rules.subject import Subject
from hourbridge.mapper.rules.warnings import expense_warnings

PART = "expense"
"""The client's part of an expense; charge ids derive from it."""
MARKUP = "markup"
"""What the client pays above a cost that is only passed on: a charge, so a line, of its own."""


@dataclass(frozen=True, slots=True)
class Part:
    """One client's part of an expense: all of it, unless several clients share it."""

    case: Case[Expense]
    money: Spent
    policy: ExpensePolicy
    key: str | None = None
    """The client's name in the mapping, where several share."""

    def charge_id(self, *what: str) -> str:
        """Return the id of a charge of this part; each client is charged at most once."""
        shared = () if self.key is None else (self.key,)
        return derive_id(self.case.record_id, *what, *shared)


def map_expense(
    book: CompiledBook,
    source: str,
    record_id: str,
    expense: Expense,
    subject: Subject,
    *,
    unpaid: Reason | None = None,
) -> Mapped:
    """Return the charges of an approved expense, or every reason why there are none.

    ``unpaid`` says that the client doesn't pay it, by the source's own word; somebody may be owed
    for it nevertheless.
    """
    found = resolve(book, source, subject, expense.expense_date)
    project = found.project
    if project is None or not project.shared_over:
        policy = expense_policy(book.configuration, found.client, project)
        case = Case(book, record_id, expense, subject, found)
        return _map_part(Part(case, spent(expense), policy), unpaid)
    pieces = []
    for client, money in parts(expense, project).items():
        named = replace(subject, client=term(None, client))
        own = resolve(book, source, named, expense.expense_date)
        policy = expense_policy(book.configuration, own.client, project)
        case = Case(book, record_id, expense, named, own)
        pieces.append(_map_part(Part(case, money, policy, client), unpaid))
    return _together(pieces, found, subject)


def _together(pieces: Sequence[Mapped], found: Resolution, subject: Subject) -> Mapped:
    """Return the parts of a shared expense as one: it waits as a whole, or goes on as a whole."""
    outcomes = {piece.outcome for piece in pieces}
    reasons = tuple(dict.fromkeys(reason for piece in pieces for reason in piece.reasons))
    outcome = MappingOutcome.CHARGED
    if MappingOutcome.PARKED in outcomes:
        outcome = MappingOutcome.PARKED
        reasons = tuple(reason for reason in reasons if reason.waits_for is not None)
    elif MappingOutcome.CHARGED not in outcomes:
        outcome = MappingOutcome.SKIPPED
    is_charged = outcome is MappingOutcome.CHARGED
    return Mapped(
        outcome=outcome,
        reasons=() if is_charged else reasons,
        charges=tuple(c for piece in pieces for c in piece.charges) if is_charged else (),
        project=found.project_label,
        consulted=subject.consulted,
    )


def _map_part(part: Part, unpaid: Reason | None) -> Mapped:
    case, expense = part.case, part.case.record
    found = case.found
    resolve_category(case.book, term(expense.category_id, expense.category_name), found)
    category = found.category
    unpaid = unpaid or case.unpaid(("category", category.billable if category else None))
    terms = case.terms
    if unpaid is not None and not _is_cost_billed(part, terms):
        return case.without_charges(unpaid)
    if found.missing or terms is None or category is None:
        return case.without_charges(*found.missing)
    price = _price(part, terms, category, unpaid)
    charges = _client_charges(part, terms, category, price)
    costs: tuple[Charge, ...] = ()
    if part.policy.bill_costs:
        owed = expense_costs(
            case, part.money, part.policy, _template(part, terms, category), charges
        )
        if isinstance(owed, Reason):
            return case.without_charges(owed)
        costs = owed
    if not charges and not costs:
        nothing = skipped("zero_amount", "the client pays nothing")
        return case.without_charges(unpaid or nothing)
    return Mapped(
        outcome=MappingOutcome.CHARGED,
        charges=(*charges, *costs),
        client=found.client_label,
        project=found.project_label,
        consulted=case.subject.consulted,
    )


def _is_cost_billed(part: Part, terms: Engagement | None) -> bool:
    """Return whether somebody is owed for what no client pays.

    Costs without any client are the firm's own and entered where they arise.
    """
    has_client = terms is not None or bool(part.case.found.client_term.keys)
    return part.policy.bill_costs and has_client


def _price(
    part: Part, terms: Engagement, category: ExpenseMapping, unpaid: Reason | None
) -> ClientPrice:
    if unpaid is not None:
        return ClientPrice(Decimal(0), None)
    at_cost = terms.workflow is Workflow.PASS_THROUGH
    return client_price(part.case.record, category, part.policy, part.money, at_cost=at_cost)


def _client_charges(
    part: Part, terms: Engagement, category: ExpenseMapping, price: ClientPrice
) -> tuple[Charge, ...]:
    """Return what the client pays: one charge, or two where an agent's markup is kept apart."""
    if price.amount == 0:
        return ()
    whole = _template(part, terms, category).model_copy(
        update={"amount": price.amount, "cost": _cost(part, price)}
    )
    if part.policy.treatment == "principal":
        return (whole,)
    whole = whole.model_copy(
        update={"account": _account(part, AccountRole.REIMBURSABLE) or whole.account}
    )
    split = split_markup(price.amount, part.money.cost(part.policy).net)
    if split.markup == 0:
        return (whole,)
    percent = f" {price.markup_percent.normalize():f}%" if price.markup_percent else ""
    revenue = _account(part, AccountRole.MARKUP_REVENUE)
    markup = whole.model_copy(
        update={
            "charge_id": part.charge_id(PART, MARKUP),
            "item": None if revenue else category.item,
            "account": revenue or category.account,
            "amount": split.markup,
            "warnings": None,
            "description": f"Markup{percent}: {whole.description or whole.task or 'expense'}",
            "cost": _cost(part, price).model_copy(
                update={"amount": Decimal(0), "tax": None, "receipts": ()}
            ),
        }
    )
    if split.passed_on == 0:
        return (markup,)
    return whole.model_copy(update={"amount": split.passed_on}), markup


def _account(part: Part, role: AccountRole) -> LedgerReference | None:
    """Return the ledger's account of a role, if the book names one."""
    return ledger_account(part.case.book.configuration.accounts, role)


def _cost(part: Part, price: ClientPrice) -> ChargedCost:
    expense, book = part.case.record, part.case.book.configuration
    cost = part.money.cost(part.policy)
    terms = part.case.terms
    is_foreign = terms is not None and terms.currency != expense.currency
    by_own_date = book.currencies.lock == "transaction_date"
    return ChargedCost(
        amount=cost.net,
        currency=expense.currency,
        tax=cost.tax or None,
        treatment=part.policy.treatment,
        markup_percent=price.markup_percent,
        converted_at=expense.expense_date if is_foreign and by_own_date else None,
        share=part.money.share,
        receipts=expense.receipts,
    )


def _template(part: Part, terms: Engagement, category: ExpenseMapping) -> Charge:
    """Return a charge of this part without an amount.

    All parts come from validated models, so it isn't validated again.
    """
    case, expense, subject = part.case, part.case.record, part.case.subject
    return Charge.of_valid(
        charge_id=part.charge_id(PART),
        kind="expense",
        workflow=terms.workflow,
        customer=terms.customer,
        job=terms.job,
        item=category.item,
        account=category.account,
        class_ref=terms.class_ref or linked_class(case.found, expense.class_id),
        tax_code=category.tax_code or terms.tax_code,
        terms=terms.terms,
        work_date=expense.expense_date,
        worked_seconds=0,
        billable_seconds=0,
        amount=None,
        rate=None,
        currency=terms.currency,
        flat_fee=None,
        flat_fee_scope=terms.flat_fee_scope,
        staff=subject.staff.label,
        task=expense.category_name or expense.category_id,
        project=case.found.project_label,
        project_rule=case.found.project_rule,
        client=case.found.client_label or "",
        description=expense.notes or expense.merchant_text,
        email=terms.email,
        rounding=terms.rounding,
        rounding_origin=terms.rounding_origin,
        invoicing=terms.invoicing,
        invoicing_origin=terms.invoicing_origin,
        ledger=case.book.configuration.ledger,
        payable=None,
        cost=None,
        cost_rate=None,
        write_down=None,
        span=None,
        retainer=terms.retainer,
        department=terms.department,
        custom_fields=form_fields(case.book, expense),
        email_invoice=terms.email_invoice or None,
        document_number=None,
        warnings=expense_warnings(expense, part.policy),
    )
