"""What holds for an expense: its policy, what it cost, and what the client is to pay for it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hourbridge.billing.expenses import Cost, cost_of, no_more_than, shared, with_markup
from hourbridge.common.book import (
    BookConfiguration,
    ClientMapping,
    ExpenseMapping,
    ExpensePolicy,
    ProjectMapping,
)
from hourbridge.common.messages.records import Expense
from hourbridge.common.money import EXACT


def expense_policy(
    book: BookConfiguration, client: ClientMapping | None, project: ProjectMapping | None
) -> ExpensePolicy:
    """Return the client's policy, else the project's, else the book's."""
    own = client.expense_policy if client is not None else None
    return own or (project and project.expense_policy) or book.expense_policy


@dataclass(frozen=True, slots=True)
class Spent:
    """An expense's money, or one client's part of it; all in the expense's currency."""

    gross: Decimal
    tax: Decimal
    """Contained in ``gross``."""
    payable: Decimal | None
    """What is owed to whoever paid, where the source states another amount than ``gross``."""
    stated: Decimal | None
    """What the source states for the client; its markup is in it."""
    share: str | None = None
    """Which part of a shared expense this is."""

    def cost(self, policy: ExpensePolicy) -> Cost:
        """Return what it cost; tax that is recovered is no part of it."""
        recoverable = policy.recoverable_tax
        return cost_of(self.gross, self.tax, tax_included=True, recoverable=recoverable)


def spent(expense: Expense) -> Spent:
    """Return the money of a whole expense."""
    tax = expense.tax_amount or Decimal(0)
    whole = cost_of(expense.amount_in, tax, tax_included=expense.tax_included, recoverable=True)
    stated = expense.amount_billable
    unit = expense.unit
    if stated is None and unit is not None and unit.sell_rate is not None:
        stated = EXACT.multiply(unit.quantity, unit.sell_rate)
    return Spent(whole.gross, tax, expense.amount_payable or None, stated)


def parts(expense: Expense, project: ProjectMapping) -> dict[str, Spent]:
    """Return each client's part of a shared expense, by the client's name in the mapping.

    Every amount is split for itself to the minor unit, by largest remainder, ties to the first
    name: the parts sum to the whole.
    """
    whole = spent(expense)
    weights = [(part.client, part.weight) for part in project.shared_over]
    total = sum((weight for _, weight in weights), Decimal(0))
    gross, tax, payable, stated = (
        None if amount is None else shared(amount, weights, expense.currency)
        for amount in (whole.gross, whole.tax, whole.payable, whole.stated)
    )
    return {
        client: Spent(
            gross=gross[client] if gross else whole.gross,
            tax=tax[client] if tax else whole.tax,
            payable=payable[client] if payable else None,
            stated=stated[client] if stated else None,
            share=f"{weight}/{total}",
        )
        for client, weight in weights
    }


@dataclass(frozen=True, slots=True)
class ClientPrice:
    """What a client pays, unrounded, and the percentage that made it so."""

    amount: Decimal
    markup_percent: Decimal | None


def client_price(
    expense: Expense,
    category: ExpenseMapping,
    policy: ExpensePolicy,
    money: Spent,
    *,
    at_cost: bool,
) -> ClientPrice:
    """Return what the client pays for its part, unrounded and with its sign.

    A pass-through engagement pays the cost and no more. Otherwise the amount that the source
    states for the client holds (its markup is in it), else units at their sell rate, else the cost
    with a markup: the source's, else the policy's, else the category's.
    """
    cost = money.cost(policy).net
    if at_cost:
        return ClientPrice(no_more_than(cost, money.stated), None)
    if money.stated is not None:
        return ClientPrice(money.stated, None)
    percents = (expense.markup_percent, policy.markup_percent, category.markup_percent)
    percent = next(percent for percent in percents if percent is not None)
    return ClientPrice(with_markup(cost, percent), percent or None)
