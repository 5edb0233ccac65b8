"""What a person should look at before a charge is billed: thin descriptions, missing receipts."""

from __future__ import annotations

from hourbridge.common.book import ExpensePolicy
from hourbridge.common.messages.records import Expense, TimeEntry

DESCRIPTION_THIN = "description_thin"
RECEIPT_MISSING = "receipt_missing"


def time_warnings(
    entry: TimeEntry, policy: ExpensePolicy, found: tuple[str, ...] = ()
) -> tuple[str, ...] | None:
    """Return what is doubtful of an entry, with what was ``found`` so far; None if nothing is."""
    if _is_thin(entry.notes, policy):
        found = (*found, DESCRIPTION_THIN)
    return found or None


def expense_warnings(expense: Expense, policy: ExpensePolicy) -> tuple[str, ...] | None:
    """Return what is doubtful of an expense, None if nothing is.

    A receipt is missed above the policy's amount, which is taken in the expense's own currency.
    """
    found: list[str] = []
    least = policy.receipt_required_above
    if least is not None and abs(expense.amount_in) > least and not expense.receipts:
        found.append(RECEIPT_MISSING)
    if _is_thin(expense.notes or expense.merchant_text, policy):
        found.append(DESCRIPTION_THIN)
    return tuple(found) or None


def _is_thin(text: str | None, policy: ExpensePolicy) -> bool:
    least = policy.description_characters_min
    return least > 0 and len((text or "").strip()) < least
