"""Tax of credits: what is taken back never exceeds what was charged, and the last credit takes
what is left, so that an invoice credited in parts is credited exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hourbridge.billing.allocation import spread
from hourbridge.billing.taxes import Taxed, TaxTerms, parts_of, tax_amount, terms_of, with_parts
from hourbridge.common.messages.events import DocumentLine, TaxAmount

NOTHING = Decimal(0)


@dataclass(frozen=True)
class StandingTax:
    """What stands of a taxed line: posted, less what was credited, plus what was supplemented."""

    code: str
    taxable: Decimal
    tax: Decimal


def credit_taxes(
    credits: Sequence[tuple[str, DocumentLine]],
    taxes: Iterable[TaxAmount],
    standing: Mapping[str, StandingTax],
    currency: str,
) -> Taxed:
    """Return the lines of a credit with the tax that they take back.

    ``credits`` pairs each line with the id of the line that it credits; ``taxes`` says how the
    invoice was taxed; ``standing`` what is left of the invoice's lines before this credit.
    """
    terms = terms_of(taxes)
    lines = [line for _, line in credits]
    parts: dict[int, Decimal] = {}
    found = []
    for code in dict.fromkeys(line.tax_code for line in lines):
        if code is None or code not in terms:
            continue
        at = [place for place, line in enumerate(lines) if line.tax_code == code]
        shares = _shares([credits[place] for place in at], terms[code], standing, currency)
        parts |= dict(zip(at, shares, strict=True))
        taxable = sum((lines[place].amount for place in at), NOTHING)
        found.append(tax_amount(terms[code], taxable, sum(shares, NOTHING)))
    return Taxed(with_parts(lines, parts), tuple(found))


def _shares(
    credits: Sequence[tuple[str, DocumentLine]],
    terms: TaxTerms,
    standing: Mapping[str, StandingTax],
    currency: str,
) -> list[Decimal]:
    """Return the tax of each credited line of one code."""
    amounts = [line.amount for _, line in credits]
    shares = parts_of(terms, amounts, currency)
    if terms.method == "line":
        shares = [
            _of_line(line.amount, share, standing.get(line_id))
            for (line_id, line), share in zip(credits, shares, strict=True)
        ]
    wanted = sum(shares, NOTHING)
    left = [each for each in standing.values() if each.code == terms.code]
    taxable = sum((each.taxable for each in left), NOTHING)
    tax = sum((each.tax for each in left), NOTHING)
    due = tax if sum(amounts, NOTHING) >= taxable else min(wanted, tax)
    return shares if due == wanted else spread(due, amounts, currency)


def _of_line(amount: Decimal, share: Decimal, left: StandingTax | None) -> Decimal:
    """Return a line's own tax: all that is left of it with the rest of the line, never more."""
    if left is None:
        return share
    return left.tax if amount >= left.taxable else min(share, left.tax)
