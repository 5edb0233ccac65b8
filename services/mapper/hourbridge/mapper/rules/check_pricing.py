"""Whether policies about money can be applied: what can't fails when it is saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from hourbridge.common.book import (
    BookConfiguration,
    CapPolicy,
    DatedPolicies,
    Effective,
    InvoicingPolicy,
    PolicyOverrides,
    RoundingPolicy,
    RoundingScope,
    TaxRule,
)
from hourbridge.common.money import round_money
from hourbridge.mapper.rules.findings import Finding, warning
from hourbridge.mapper.rules.names import normal

_HUNDRED = Decimal(100)


@dataclass(frozen=True)
class _Scope:
    """Where policies stand, and the currency that they are about."""

    where: str
    currency: str


def check_pricing(book: BookConfiguration) -> Iterator[Finding]:
    """Find policies that contradict themselves, each other or their currency."""
    own = _Scope("", book.currency)
    yield from _rounding(own, book.rounding)
    yield from _invoicing(own, book.invoicing)
    yield from _dated(book)
    yield from _taxes(book.taxes)
    yield from _tax_codes(book)
    for scope, rule in _overrides(book):
        if rule.rounding is not None:
            yield from _rounding(scope, rule.rounding)
        if rule.invoicing is not None:
            yield from _invoicing(scope, rule.invoicing)
        if rule.flat_fee is not None:
            yield from _precise(scope, "flat_fee.amount", rule.flat_fee.amount)
        if rule.cap is not None:
            yield from _cap(scope, rule.cap, has_fee=rule.flat_fee is not None)


def _overrides(book: BookConfiguration) -> Iterator[tuple[_Scope, PolicyOverrides]]:
    currencies = {normal(rule.client): rule.currency or book.currency for rule in book.clients}
    for index, client in enumerate(book.clients):
        yield _Scope(f"clients[{index}].", client.currency or book.currency), client
    for index, project in enumerate(book.projects):
        owner = normal(project.client) if project.client else ""
        yield _Scope(f"projects[{index}].", currencies.get(owner, book.currency)), project


def _rounding(scope: _Scope, policy: RoundingPolicy) -> Iterator[Finding]:
    where = f"{scope.where}rounding"
    if policy.billable_percent is not None and policy.billable_percent == 0:
        detail = "a part of 0 % bills nothing; the workflow non_billable says so clearly"
        yield Finding("billable_percent", f"{where}.billable_percent", detail)
    if policy.day_key is not None and policy.scope is not RoundingScope.DAY:
        detail = f"whose day is added up is only asked with scope day, not {policy.scope.value}"
        yield Finding("day_key_unused", f"{where}.day_key", detail)
    if policy.minimum_of is not None and policy.minimum_seconds == 0:
        detail = "there is no minimum that it could apply to"
        yield Finding("minimum_of_unused", f"{where}.minimum_of", detail)


def _invoicing(scope: _Scope, policy: InvoicingPolicy) -> Iterator[Finding]:
    discount = policy.discount
    if discount is None:
        return
    where = f"{scope.where}invoicing.discount.value"
    if discount.kind == "amount":
        yield from _precise(scope, "invoicing.discount.value", discount.value)
    elif discount.value > _HUNDRED:
        yield Finding("discount_too_large", where, f"{discount.value} % is more than everything")


def _cap(scope: _Scope, cap: CapPolicy, *, has_fee: bool) -> Iterator[Finding]:
    yield from _precise(scope, "cap.amount", cap.amount)
    yield from _precise(scope, "cap.already_billed", cap.already_billed)
    if cap.term is not None and cap.already_billed:
        detail = "what was billed before can't be given to one of many terms"
        yield Finding("cap_already_billed", f"{scope.where}cap.already_billed", detail)
    if has_fee:
        detail = "a fixed fee is billed whole and can't be cut at a cap"
        yield Finding("cap_with_flat_fee", f"{scope.where}cap", detail)


def _precise(scope: _Scope, what: str, amount: Decimal) -> Iterator[Finding]:
    if round_money(amount, scope.currency) != amount:
        detail = f"{amount} is finer than the minor unit of {scope.currency}"
        yield Finding("amount_precision", f"{scope.where}{what}", detail)


def _dated(book: BookConfiguration) -> Iterator[Finding]:
    """A dated policy replaces the book's; two of a kind must not hold on one day."""
    for index, policies in enumerate(book.policies):
        where = f"policies[{index}]."
        scope = _Scope(where, book.currency)
        if policies.rounding is not None:
            yield from _rounding(scope, policies.rounding)
        if policies.invoicing is not None:
            yield from _invoicing(scope, policies.invoicing)
        if policies == DatedPolicies(
            effective_from=policies.effective_from, effective_to=policies.effective_to
        ):
            yield Finding("policy_empty", where.rstrip("."), "sets no policy")
    for name in ("rounding", "invoicing", "corrections"):
        setting = [
            (index, policies)
            for index, policies in enumerate(book.policies)
            if getattr(policies, name) is not None
        ]
        yield from _one_at_a_time("policies", name, setting)


def _taxes(taxes: Sequence[TaxRule]) -> Iterator[Finding]:
    for code in sorted({rule.code for rule in taxes}):
        rules = [(index, rule) for index, rule in enumerate(taxes) if rule.code == code]
        yield from _one_at_a_time("taxes", f"tax {code!r}", rules)
        yield from _gaps(code, rules)


def _one_at_a_time(
    group: str, what: str, rules: Sequence[tuple[int, Effective]]
) -> Iterator[Finding]:
    in_order = sorted(rules, key=lambda item: item[1].effective_from or date.min)
    for (first, earlier), (second, later) in pairwise(in_order):
        where = f"{group}[{second}]"
        if earlier.effective_from == later.effective_from:
            detail = f"{what} begins on the same day as {group}[{first}]"
            yield Finding("duplicate_rule", where, detail)
        elif earlier.effective_to and earlier.effective_to >= (later.effective_from or date.min):
            detail = f"{what}: {group}[{first}] holds through {earlier.effective_to}"
            yield Finding("overlapping_dates", where, detail)


def _gaps(code: str, rules: Sequence[tuple[int, TaxRule]]) -> Iterator[Finding]:
    in_order = sorted(rules, key=lambda item: item[1].effective_from or date.min)
    for (_, earlier), (second, later) in pairwise(in_order):
        if earlier.effective_to is None or later.effective_from is None:
            continue
        if earlier.effective_to + timedelta(days=1) < later.effective_from:
            detail = f"no rate for {code!r} between {earlier.effective_to} and the next rule"
            yield warning("tax_gap", f"taxes[{second}]", detail)


def _tax_codes(book: BookConfiguration) -> Iterator[Finding]:
    """Where the book knows taxes, a code without one is left to the ledger."""
    if not book.taxes:
        return
    known = {rule.code for rule in book.taxes}
    named: list[tuple[str, str | None]] = [("tax_code", book.tax_code)]
    for group in ("clients", "projects", "tasks", "expenses"):
        rules = getattr(book, group)
        named += [(f"{group}[{n}].tax_code", rule.tax_code) for n, rule in enumerate(rules)]
    for where, code in named:
        if code is not None and code not in known:
            detail = f"no rule in taxes for {code!r}: its tax is left to the ledger"
            yield warning("unknown_tax_code", where, detail)
