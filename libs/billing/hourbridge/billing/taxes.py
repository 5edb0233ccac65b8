"""Tax of documents: rounded once per rate over the document, or per line, as the rule says.

A code without a rule on the document's date is the ledger's own business: no tax of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from hourbridge.billing.allocation import spread
from hourbridge.billing.amounts import money_step
from hourbridge.common.book import LedgerReference, TaxRule
from hourbridge.common.messages.events import DocumentLine, RoundingStep, TaxAmount
from hourbridge.common.money import EXACT, RoundingMode, round_money

_HUNDRED = Decimal(100)
NOTHING = Decimal(0)


@dataclass(frozen=True)
class TaxTerms:
    """How one code is taxed on a document."""

    code: str
    percent: Decimal
    method: Literal["document", "line"]
    mode: RoundingMode
    ledger_code: LedgerReference | None
    named: str | None = None

    def exact(self, amount: Decimal) -> Decimal:
        """Return the tax on ``amount``, unrounded."""
        return EXACT.divide(EXACT.multiply(amount, self.percent), _HUNDRED)

    def rounded(self, amount: Decimal, currency: str) -> Decimal:
        """Return the tax on ``amount`` at the currency's minor units."""
        return round_money(self.exact(amount), currency, self.mode)


@dataclass(frozen=True)
class Taxed:
    """The lines of a document with their tax, and the tax by code."""

    lines: tuple[DocumentLine, ...]
    taxes: tuple[TaxAmount, ...]

    @property
    def total(self) -> Decimal:
        """Return lines plus tax."""
        tax = sum((tax.amount for tax in self.taxes), NOTHING)
        return sum((line.amount for line in self.lines), tax)


def terms_on(rules: Iterable[TaxRule], day: date, version: int) -> dict[str, TaxTerms]:
    """Return how each code is taxed on a document of ``day``; the rule that began last holds."""
    held = [rule for rule in rules if rule.holds_on(day)]
    held.sort(key=lambda rule: rule.effective_from or date.min)
    return {
        rule.code: TaxTerms(
            code=rule.code,
            percent=rule.percent,
            method=rule.method,
            mode=rule.mode,
            ledger_code=rule.ledger_code,
            named=f"tax:{rule.code} v{version}",
        )
        for rule in held
    }


def terms_of(taxes: Iterable[TaxAmount]) -> dict[str, TaxTerms]:
    """Return how a document was taxed: what corrects it is taxed alike."""
    return {
        tax.code: TaxTerms(
            tax.code,
            tax.percent,
            tax.method,
            tax.mode or RoundingMode.HALF_UP,
            tax.ledger_code,
            f"tax:{tax.code} of the document",
        )
        for tax in taxes
    }


def tax_lines(lines: Sequence[DocumentLine], terms: Mapping[str, TaxTerms], currency: str) -> Taxed:
    """Return ``lines`` with their tax; whatever tax they had before is replaced.

    With method ``document`` a line's part is for show and for ledgers that want one: the parts
    sum to the document's tax by largest remainder.
    """
    untaxed = tuple(_untaxed(line) for line in lines)
    shares: dict[int, tuple[Decimal, tuple[RoundingStep, ...]]] = {}
    taxes = []
    for code in _codes(untaxed, terms):
        at = [place for place, line in enumerate(untaxed) if line.tax_code == code]
        amounts = [untaxed[place].amount for place in at]
        found = parts_of(terms[code], amounts, currency)
        taxes.append(tax_amount(terms[code], sum(amounts, NOTHING), sum(found, NOTHING)))
        for place, amount, part in zip(at, amounts, found, strict=True):
            shares[place] = part, _steps(terms[code], amount, part, currency)
    return Taxed(
        tuple(
            _with_tax(line, *shares[place]) if place in shares else line
            for place, line in enumerate(untaxed)
        ),
        tuple(taxes),
    )


def parts_of(terms: TaxTerms, amounts: Sequence[Decimal], currency: str) -> list[Decimal]:
    """Return the tax of each line of one code."""
    if terms.method == "line":
        return [terms.rounded(amount, currency) for amount in amounts]
    return spread(terms.rounded(sum(amounts, NOTHING), currency), amounts, currency)


def tax_amount(terms: TaxTerms, taxable: Decimal, amount: Decimal) -> TaxAmount:
    """Return the tax of one code on a document."""
    return TaxAmount(
        code=terms.code,
        percent=terms.percent,
        taxable=taxable,
        amount=amount,
        method=terms.method,
        mode=None if terms.mode is RoundingMode.HALF_UP else terms.mode,
        ledger_code=terms.ledger_code,
    )


def with_parts(
    lines: Sequence[DocumentLine], parts: Mapping[int, Decimal]
) -> tuple[DocumentLine, ...]:
    """Return ``lines`` with the tax that is given for their places."""
    return tuple(
        _with_tax(_untaxed(line), parts[place], ()) if place in parts else _untaxed(line)
        for place, line in enumerate(lines)
    )


def _codes(lines: Sequence[DocumentLine], terms: Mapping[str, TaxTerms]) -> list[str]:
    """Return the codes that are taxed, in the order of the lines."""
    codes = (line.tax_code for line in lines)
    return list(dict.fromkeys(code for code in codes if code is not None and code in terms))


def _untaxed(line: DocumentLine) -> DocumentLine:
    steps = tuple(step for step in line.roundings if step.step != "tax")
    if line.tax_amount is None and len(steps) == len(line.roundings):
        return line
    return line.model_copy(update={"tax_amount": None, "roundings": steps})


def _with_tax(line: DocumentLine, part: Decimal, steps: tuple[RoundingStep, ...]) -> DocumentLine:
    return line.model_copy(update={"tax_amount": part, "roundings": (*line.roundings, *steps)})


def _steps(
    terms: TaxTerms, amount: Decimal, part: Decimal, currency: str
) -> tuple[RoundingStep, ...]:
    exact = terms.exact(amount)
    if exact == part:
        return ()
    of = "line" if terms.method == "line" else "document"
    mode = terms.mode if terms.method == "line" else "largest_remainder"
    return (money_step("tax", of, mode, currency, exact, part, policy=terms.named),)
