"""From two documents that should agree to the one cause for which they don't: pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hourbridge.common.money import EXACT, RoundingMode, minor_unit_digits, round_digits
from hourbridge.reconciler.causes import Cause
from hourbridge.reconciler.compare import (
    Difference,
    ExpectedDocument,
    ExpectedLine,
    FieldDifference,
    FoundDocument,
    differing_fields,
)
from hourbridge.reconciler.exchange import exchange_difference
from hourbridge.reconciler.rounding import PricedLine, explain_total

_CAUSE_OF_RULE = {
    "currency_precision": Cause.TARGET_CURRENCY_PRECISION,
    "half_even": Cause.TARGET_ROUNDING,
    "quantity_decimals": Cause.TARGET_QUANTITY_PRECISION,
    "document_rounding": Cause.TARGET_ROUNDING,
    "line_grouping": Cause.LINE_GROUPING,
}
"""In order: where several ways of rounding fit, the first one names the cause."""
_HUNDRED = Decimal(100)


def judge(expected: ExpectedDocument, found: FoundDocument | None) -> Difference | None:
    """Return the one difference between a posted document and the ledger's, None if they agree.

    A deleted or void document counts with its whole total. What the ledger made of our statement
    when we posted it has its own causes, apart from what somebody changed later.
    """
    if found is None:
        return Difference(Cause.TARGET_DELETED, -expected.total)
    if found.is_void:
        return Difference(Cause.TARGET_VOID, found.total - expected.total)
    fields = tuple(differing_fields(expected, found))
    if not fields:
        return exchange_difference(expected, found)
    if found.total == expected.posted_total != expected.total:
        own = _own_arithmetic(expected, found, fields)
        if own is not None:
            return own
    return Difference(Cause.TARGET_EDIT, found.total - expected.total, fields)


def _own_arithmetic(
    expected: ExpectedDocument, found: FoundDocument, fields: tuple[FieldDifference, ...]
) -> Difference | None:
    """Return the difference if it is one that the ledger's way of reckoning leads to."""
    names = {item.field.rpartition(".")[2] for item in fields}
    amount = found.total - expected.total
    if names <= {"total", "tax"} and _is_other_tax_scope(expected, found, amount):
        return Difference(Cause.TAX_SCOPE, amount, fields, (_other_method(expected),))
    if names <= {"total", "amount", "quantity", "unit_price", "lines"} and expected.is_computed:
        rules = _rules(expected, found)
        if rules:
            is_merged = len(found.lines) < len(expected.lines)
            return Difference(_cause_of(rules, is_merged=is_merged), amount, fields, rules)
    is_small = names <= {"total", "tax", "amount"} and _only_small(expected, found)
    if is_small or names <= {"total", "tax"}:
        return Difference(Cause.TARGET_TOTAL, amount, fields)
    return None


def _rules(expected: ExpectedDocument, found: FoundDocument) -> tuple[str, ...]:
    """Return the ways of rounding that lead from our lines to the ledger's amounts."""
    if not _only_small(expected, found):
        return ()
    lines = [_priced(line, expected.currency) for line in expected.lines]
    net = found.total - (expected.tax if found.tax is None else found.tax)
    return explain_total(lines, net, expected.currency)


def _priced(line: ExpectedLine, currency: str) -> PricedLine:
    """Return what a line charges; one that was discounted or capped is one unit of its amount."""
    if line.quantity is not None and line.unit_price is not None:
        unit = Decimal(1).scaleb(-minor_unit_digits(currency))
        if abs(EXACT.multiply(line.quantity, line.unit_price) - line.amount) < unit:
            return PricedLine(str(line.item_id), line.quantity, line.unit_price)
    return PricedLine(str(line.item_id), Decimal(1), line.amount)


def _only_small(expected: ExpectedDocument, found: FoundDocument) -> bool:
    """Return whether each amount differs by no more than a line's rounding can."""
    unit = Decimal(1).scaleb(-minor_unit_digits(expected.currency))
    coarse = max(unit, Decimal("0.01"))  # some ledgers keep every currency at two decimals
    if len(expected.lines) == len(found.lines):
        pairs = zip(expected.lines, found.lines, strict=True)
        if any(abs(ours.amount - theirs.amount) > coarse for ours, theirs in pairs):
            return False
    return abs(found.total - expected.total) <= coarse * max(len(expected.lines), 1)


def _cause_of(rules: Sequence[str], *, is_merged: bool) -> Cause:
    if is_merged and "line_grouping" in rules:
        return Cause.LINE_GROUPING
    named = (cause for rule, cause in _CAUSE_OF_RULE.items() if rule in rules)
    return next(named, Cause.TARGET_ROUNDING)


def _is_other_tax_scope(
    expected: ExpectedDocument, found: FoundDocument, difference: Decimal
) -> bool:
    """Return whether the other of the two methods gives the ledger's tax."""
    if not expected.taxes or difference == 0:
        return False
    theirs = expected.tax + difference
    if found.tax is not None and found.tax != theirs:
        return False
    return _tax(expected, _other_method(expected)) == theirs


def _other_method(expected: ExpectedDocument) -> str:
    return "document" if expected.taxes[0].method == "line" else "line"


def _tax(expected: ExpectedDocument, method: str) -> Decimal:
    total = Decimal(0)
    digits = minor_unit_digits(expected.currency)
    for tax in expected.taxes:
        mode = RoundingMode(tax.mode or RoundingMode.HALF_UP)
        amounts = [line.amount for line in expected.lines if line.tax_code == tax.code]
        if method == "document":
            amounts = [sum(amounts, Decimal(0))]
        for amount in amounts:
            exact = EXACT.divide(EXACT.multiply(amount, tax.percent), _HUNDRED)
            total += round_digits(exact, digits, mode)
    return total
