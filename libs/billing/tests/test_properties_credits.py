"""A credit mirrors its invoice: in parts or whole, in any order, to the last cent."""

from __future__ import annotations

import random
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hourbridge.billing.assembly import PricedLine, assemble
from hourbridge.billing.corrections import PostedLine, Sum, line_delta
from hourbridge.billing.currencies.stamping import at_rate, restamped
from hourbridge.billing.journal.postings import postings_of
from hourbridge.billing.tax_credits import StandingTax, credit_taxes
from hourbridge.billing.taxes import Taxed, TaxTerms, tax_lines, terms_of
from hourbridge.common.messages.events import Charge, Document, DocumentKind, DocumentLine
from hourbridge.common.money import RoundingMode
from tests.support.charge_strategies import amounts, charges, currencies, percentages
from tests.support.journals import USD, document, line, rate

NOTHING = Decimal(0)
CODES = ("VAT", "GST")
modes = st.sampled_from([RoundingMode.HALF_UP, RoundingMode.HALF_EVEN, RoundingMode.DOWN])
seeds = st.integers(0, 10**6)


@given(charges(discounted=True), seeds)
def test_lines_corrected_step_by_step_end_where_they_should(
    entries: list[Charge], seed: int
) -> None:
    """Credits less additions come to what was posted less what is right now, whatever the steps."""
    chance = random.Random(seed)
    for priced in assemble(entries).lines:
        standing, credited, added = _posted(priced), NOTHING, NOTHING
        staying = list(priced.charges)
        while staying:
            staying = _changed(staying, chance)
            delta = line_delta(standing, staying)
            if delta is None:
                continue
            assert delta.amount > 0
            sign = 1 if delta.direction == "credit" else -1
            credited += delta.amount if sign > 0 else NOTHING
            added += delta.amount if sign < 0 else NOTHING
            standing = PostedLine(
                standing.line_id,
                standing.basis,
                Sum(
                    standing.standing.amount - sign * delta.amount,
                    standing.standing.seconds - sign * delta.seconds,
                ),
            )
            assert line_delta(standing, staying) is None, "the same correction twice is one"
        assert credited - added == priced.amount
        assert standing.standing.amount == 0


@given(charges())
def test_an_unchanged_line_needs_no_correction(entries: list[Charge]) -> None:
    for priced in assemble(entries).lines:
        assert line_delta(_posted(priced), list(priced.charges)) is None


@st.composite
def invoices(draw: st.DrawFn) -> tuple[str, Taxed]:
    """Draw a taxed invoice of several lines and codes."""
    currency = draw(currencies)
    found = draw(st.lists(amounts(currency, "0", "9999"), min_size=1, max_size=8))
    lines = [
        line(str(amount), position=at, tax_code=draw(st.sampled_from([None, *CODES])))
        for at, amount in enumerate(found, start=1)
    ]
    terms = {
        code: TaxTerms(
            code, draw(percentages), draw(st.sampled_from(["document", "line"])), draw(modes), None
        )
        for code in CODES
    }
    return currency, tax_lines(lines, terms, currency)


@given(invoices(), seeds)
def test_credits_of_an_invoice_in_any_parts_sum_to_it(
    invoice: tuple[str, Taxed], seed: int
) -> None:
    currency, taxed = invoice
    chance = random.Random(seed)
    standing = {
        each.line_id: StandingTax(each.tax_code or "", each.amount, each.tax_amount or NOTHING)
        for each in taxed.lines
    }
    total = tax = NOTHING
    while any(left.taxable for left in standing.values()):
        parts = _some(taxed, standing, chance)
        credit = credit_taxes(parts, taxed.taxes, standing, currency)
        taken = sum((each.amount for each in credit.taxes), NOTHING)
        assert taken == sum((each.tax_amount or NOTHING for each in credit.lines), NOTHING)
        for (line_id, _), each in zip(parts, credit.lines, strict=True):
            left = standing[line_id]
            standing[line_id] = StandingTax(
                left.code, left.taxable - each.amount, left.tax - (each.tax_amount or NOTHING)
            )
        total, tax = total + credit.total, tax + taken
        assert total <= taxed.total
    assert (total, tax) == (taxed.total, sum((each.amount for each in taxed.taxes), NOTHING))


@given(invoices())
def test_taxing_again_replaces_what_was_there(invoice: tuple[str, Taxed]) -> None:
    currency, taxed = invoice
    bare = tax_lines(taxed.lines, {}, currency)
    assert bare.taxes == ()
    assert {each.tax_amount for each in bare.lines} <= {None}
    assert [step for each in bare.lines for step in each.roundings] == []
    assert tax_lines(bare.lines, terms_of(taxed.taxes), currency).total == taxed.total


@given(invoices(), st.decimals(Decimal("0.0001"), Decimal(500), places=4, allow_nan=False))
def test_the_journal_of_a_full_credit_is_the_invoice_s_negated(
    invoice: tuple[str, Taxed], value: Decimal
) -> None:
    currency, taxed = invoice
    home = _as_document(currency, taxed)
    for each in (home, at_rate(home, rate(str(value))) if currency != "USD" else home):
        credit = each.model_copy(update={"kind": DocumentKind.CREDIT_MEMO})
        credit = restamped(credit)
        moved = [(p.role, p.amount, p.base_amount) for p in postings_of(each, USD)]
        back = [(p.role, -p.amount, -p.base_amount) for p in postings_of(credit, USD)]
        assert moved == back


def _posted(priced: PricedLine) -> PostedLine:
    return PostedLine("l", priced.basis, Sum(priced.amount, priced.price.billed_seconds))


def _changed(staying: list[Charge], chance: random.Random) -> list[Charge]:
    """Take one charge away, or shorten or lengthen it."""
    at = chance.randrange(len(staying))
    charge = staying[at]
    if chance.random() < 0.5:
        return [*staying[:at], *staying[at + 1 :]]
    if charge.kind == "expense":
        amount = (charge.amount or NOTHING) - chance.choice((1, -1))
        changed = charge.model_copy(update={"amount": amount})
    else:
        seconds = max(charge.billable_seconds + chance.randint(-4000, 2000), 0)
        changed = charge.model_copy(update={"billable_seconds": seconds})
    return [*staying[:at], changed, *staying[at + 1 :]]


def _some(
    taxed: Taxed, standing: dict[str, StandingTax], chance: random.Random
) -> list[tuple[str, DocumentLine]]:
    """Return a part of what is left of some lines: half of it, or all."""
    parts = []
    for each in taxed.lines:
        left = standing[each.line_id].taxable
        if left == 0 or chance.random() < 0.4:
            continue
        half = (left / 2).quantize(left) if chance.random() < 0.5 else left
        amount = half or left
        parts.append((each.line_id, each.model_copy(update={"amount": amount})))
    return parts


def _as_document(currency: str, taxed: Taxed) -> Document:
    return document(lines=taxed.lines, taxes=taxed.taxes, total=taxed.total, currency=currency)
