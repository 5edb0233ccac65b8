"""What is split sums to what was split; what was worked is billed, rounded, or written down."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from hourbridge.billing.allocation import spread
from hourbridge.billing.assembly import Assembly, PricedLine, assemble
from hourbridge.billing.basis import charge_kind
from hourbridge.billing.currencies.conversion import spread as spread_exact
from hourbridge.billing.discounts import document_discount
from hourbridge.billing.taxes import TaxTerms, tax_lines
from hourbridge.common.messages.events import Charge, DocumentLine
from hourbridge.common.money import (
    EXACT,
    RoundingMode,
    allocate,
    minor_unit_digits,
    round_money,
)
from tests.support.charge_strategies import (
    CURRENCIES,
    amounts,
    carrying_policies,
    charges,
    currencies,
    percentages,
)
from tests.support.journals import line

D = Decimal
NOTHING = D(0)
_TIME_STEPS = {"minimum", "increment", "billable_part"}


def unit_of(currency: str) -> Decimal:
    return D(1).scaleb(-minor_unit_digits(currency))


@st.composite
def split(draw: st.DrawFn) -> tuple[str, Decimal, list[Decimal]]:
    """Draw a currency, a total of either sign, and weights of which some are not zero."""
    currency = draw(currencies)
    total = draw(amounts(currency, "-99999", "99999"))
    weights = draw(
        st.lists(st.decimals(0, 10**6, places=3, allow_nan=False), min_size=1, max_size=20)
    )
    assume(any(weights))
    return currency, total, weights


@given(split())
def test_parts_sum_to_the_whole_and_are_near_their_share(
    case: tuple[str, Decimal, list[Decimal]],
) -> None:
    currency, total, weights = case
    whole = sum(weights, NOTHING)
    for parts in (
        spread(total, weights, currency),
        list(allocate(total, list(_keyed(weights)), currency).values()),
    ):
        assert sum(parts, NOTHING) == total
        for part, weight in zip(parts, weights, strict=True):
            exact = EXACT.divide(EXACT.multiply(total, weight), whole)
            assert abs(part - exact) < unit_of(currency)
            assert part == round_money(part, currency)
            assert weight or part == 0


@given(split())
def test_a_negative_total_is_split_as_the_positive_one(
    case: tuple[str, Decimal, list[Decimal]],
) -> None:
    currency, total, weights = case
    mirrored = [-part for part in spread(-total, weights, currency)]
    assert spread(total, weights, currency) == mirrored
    back = allocate(-total, list(_keyed(weights)), currency)
    assert allocate(total, list(_keyed(weights)), currency) == {
        key: -part for key, part in back.items()
    }


def test_less_than_one_is_split_as_its_opposite_too() -> None:
    assert spread(D("-0.05"), [D(1)] * 3, "USD") == [D("-0.02"), D("-0.02"), D("-0.01")]


@given(split(), st.randoms(use_true_random=False))
def test_keys_decide_ties_not_the_order_of_weights(
    case: tuple[str, Decimal, list[Decimal]], chance: object
) -> None:
    currency, total, weights = case
    shuffled = list(_keyed(weights))
    chance.shuffle(shuffled)  # type: ignore[attr-defined] - hypothesis gives a Random
    assert allocate(total, shuffled, currency) == allocate(total, list(_keyed(weights)), currency)


@given(split(), st.decimals(D("0.000001"), D(1000), places=6, allow_nan=False))
def test_base_amounts_sum_to_the_document_s(
    case: tuple[str, Decimal, list[Decimal]], rate: Decimal
) -> None:
    currency, total, weights = case
    base = round_money(EXACT.multiply(total, rate), currency)
    parts = spread(total, weights, currency)
    keyed = [(f"{at:03}", EXACT.multiply(part, rate)) for at, part in enumerate(parts)]
    shares = spread_exact(base, keyed, currency)
    assert sum(shares, NOTHING) == base
    for share, (_, exact) in zip(shares, keyed, strict=True):
        assert abs(share - exact) <= unit_of(currency)


@given(
    currency=currencies,
    percent=percentages,
    mode=st.sampled_from([RoundingMode.HALF_UP, RoundingMode.HALF_EVEN, RoundingMode.DOWN]),
    method=st.sampled_from(["document", "line"]),
    data=st.data(),
)
def test_tax_of_lines_sums_to_the_document_s(
    currency: str, percent: Decimal, mode: RoundingMode, method: str, data: st.DataObject
) -> None:
    found = data.draw(st.lists(amounts(currency, "-99", "9999"), max_size=10))
    lines = [_taxable(amount, at) for at, amount in enumerate(found, start=1)]
    terms = TaxTerms("VAT", percent, method, mode, None)  # type: ignore[arg-type] - drawn
    taxed = tax_lines(lines, {"VAT": terms}, currency)
    tax = sum((each.amount for each in taxed.taxes), NOTHING)
    assert sum((each.tax_amount or NOTHING for each in taxed.lines), NOTHING) == tax
    assert taxed.total == sum(found, NOTHING) + tax
    exact = EXACT.divide(EXACT.multiply(sum(found, NOTHING), percent), D(100))
    roundings = max(len(lines), 1) if method == "line" else 1
    assert abs(tax - exact) < unit_of(currency) * roundings or sum(found, NOTHING) == 0


@given(charges(discounted=True))
def test_discounts_of_lines_sum_to_the_document_s(entries: list[Charge]) -> None:
    assembly = assemble(entries)
    if assembly.discount is None:
        return
    listed = sum((line.price.amount for line in assembly.lines), NOTHING)
    taken = document_discount(assembly.discount, listed, entries[0].currency)
    assert listed - assembly.total == taken
    assert 0 <= taken <= max(listed, NOTHING)


# --- worked = billed + rounded away + written down + not billed ---------------------------------


@given(charges(expenses=False))
def test_worked_time_is_billed_rounded_or_written_down(entries: list[Charge]) -> None:
    """To the second, over a document of any policy: nothing is lost, nothing is invented."""
    assembly = assemble(entries)
    worked = sum(charge.worked_seconds for charge in entries)
    before = sum(charge.write_down.seconds for charge in entries if charge.write_down)
    billed = sum(line.price.billed_seconds for line in assembly.lines)
    residue = sum((_time_residue(line) for line in assembly.lines), NOTHING)
    assert worked == billed + residue + before + _leaked_seconds(assembly)


@given(charges(expenses=False))
def test_the_same_holds_for_every_line(entries: list[Charge]) -> None:
    for each in assemble(entries).lines:
        billable = sum(charge.billable_seconds for charge in each.charges)
        assert billable == each.price.billed_seconds + _time_residue(each)


@given(charges())
def test_only_work_takes_time(entries: list[Charge]) -> None:
    for each in assemble(entries).lines:
        if each.basis.kind == "expense":
            assert (each.price.billed_seconds, each.price.worked_seconds) == (0, 0)


@given(charges(carrying_policies, expenses=False))
def test_carried_quantities_lose_nothing(entries: list[Charge]) -> None:
    """Hours on the lines, and what the last line of each price passes on, are the time billed."""
    assembly = assemble(entries)
    shown = sum((line.price.quantity * 3600 for line in assembly.lines), NOTHING)
    billed = sum(line.price.billed_seconds for line in assembly.lines)
    last: dict[str, Decimal] = {}
    for each in assembly.lines:
        assert each.basis.carry_in_seconds == last.get(each.basis.carry_key, NOTHING)
        last[each.basis.carry_key] = each.price.carry_out_seconds
    assert shown + sum(last.values(), NOTHING) == billed
    longest = 1800 if any(entry.rounding.quantity_decimals == 0 for entry in entries) else 180
    assert all(abs(residue) <= longest for residue in last.values())


@given(charges(discounted=True))
def test_money_is_the_exact_price_less_what_its_roundings_say(entries: list[Charge]) -> None:
    for each in assemble(entries).lines:
        exact = _exact_price(each)
        money = [step for step in each.price.roundings if step.step == "money"]
        residue = sum((step.residue for step in money), NOTHING)
        assert len(money) <= 1
        assert abs(exact - residue - each.price.amount) < D("1e-9")
        assert abs(residue) <= unit_of(each.basis.currency)
        discount = each.discount.discount if each.discount else NOTHING
        assert each.amount == each.price.amount - discount


@given(charges(discounted=True), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(entries: list[Charge], chance: object) -> None:
    shuffled = list(entries)
    chance.shuffle(shuffled)  # type: ignore[attr-defined] - hypothesis gives a Random
    assert assemble(shuffled) == assemble(entries)


@given(charges())
def test_every_charge_has_one_place(entries: list[Charge]) -> None:
    assembly = assemble(entries)
    places = Counter(c.charge_id for each in assembly.lines for c in each.charges)
    places.update(charge_id for leak in assembly.leakage for charge_id in leak.charge_ids)
    assert places == Counter(charge.charge_id for charge in entries)


def test_the_strategies_draw_every_precision() -> None:
    assert {minor_unit_digits(currency) for currency in CURRENCIES} == {0, 2, 3, 4}


def _keyed(weights: Sequence[Decimal]) -> Sequence[tuple[str, Decimal]]:
    return [(f"{at:03}", weight) for at, weight in enumerate(weights)]


def _taxable(amount: Decimal, position: int) -> DocumentLine:
    return line(str(amount), position=position, tax_code="VAT")


def _time_residue(each: PricedLine) -> Decimal:
    steps = [step for step in each.price.roundings if step.step in _TIME_STEPS]
    return sum((step.residue for step in steps), NOTHING)


def _leaked_seconds(assembly: Assembly) -> int:
    return sum(leaked.seconds for leaked in assembly.leakage)


def _exact_price(each: PricedLine) -> Decimal:
    if charge_kind(each.charges[0]) == "expense":
        return sum((charge.amount or NOTHING for charge in each.charges), NOTHING)
    rate = each.basis.rate or NOTHING
    return EXACT.divide(EXACT.multiply(D(each.price.billed_seconds), rate), D(3600))
