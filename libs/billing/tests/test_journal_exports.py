"""The exports, before hledger and beancount themselves."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from hourbridge.billing.journal.beancount import to_beancount
from hourbridge.billing.journal.hledger import to_hledger
from hourbridge.billing.journal.presentation import (
    Declarations,
    Price,
    amount_text,
    half_unit_text,
    sample_text,
)
from hourbridge.common.book.accounts import AccountRole as Role
from hourbridge.common.messages.documents import Settlement
from hourbridge.common.messages.events import Document, DocumentKind, DocumentStatus
from tests.support.journals import (
    DAY,
    document,
    entries_of,
    judged,
    line,
    posting,
    rate,
    tax,
    write_journals,
)
from tests.support.oracles import (
    beancount_rows,
    check_beancount,
    check_hledger,
    hledger_balances,
    hledger_register,
)

D = Decimal
FEBRUARY_27, FEBRUARY_28 = date(2026, 2, 27), date(2026, 2, 28)
MARCH_1, MARCH_31 = date(2026, 3, 1), date(2026, 3, 31)


def euro_invoice() -> Document:
    return document(
        lines=[line("10000.00", base_amount=D("11919.00"))],
        currency="EUR",
        base_total=D("11919.00"),
        exchange=rate("1.1919"),
    )


def revaluation(number: str, day: date, amount: str) -> Document:
    return document(
        DocumentKind.JOURNAL_ENTRY,
        number=number,
        document_date=day,
        purpose="revaluation" if amount.startswith("-") else "revaluation_reversal",
        customer=None,
        client="",
        postings=(
            posting(Role.RECEIVABLE_REVALUATION, amount),
            posting(Role.FX_UNREALIZED, str(-D(amount))),
        ),
    )


def euro_payment(amount: str, bank: str, carried: str, value: str, day: date) -> Document:
    return document(
        DocumentKind.PAYMENT,
        number=f"HBP-{amount}",
        document_date=day,
        currency="EUR",
        postings=(
            posting(Role.BANK, amount, bank),
            posting(Role.RECEIVABLE, f"-{amount}", f"-{carried}"),
            posting(Role.FX_REALIZED, "0", str(D(carried) - D(bank))),
        ),
        exchange=rate(value, day=day),
        settles=(Settlement(document_id="document-HB-1", number="HB-1", amount=D(amount)),),
    )


def test_invoice_revaluation_and_payment_as_hledger_sees_them(tmp_path: Path) -> None:
    """Market less cost is what the revaluation says; the months are those of the textbook."""
    rated = document(
        number="HB-2",
        lines=[line("1.00", base_amount=D("1.18"))],
        document_date=FEBRUARY_27,
        currency="EUR",
        base_total=D("1.18"),
        exchange=rate("1.1805", day=FEBRUARY_27),
    )
    ledger, beans = judged(
        entries_of(
            [
                euro_invoice(),
                rated,
                revaluation("HBJ-1", FEBRUARY_28, "-114.00"),
                revaluation("HBJ-2", MARCH_1, "114.00"),
                euro_payment("10000.00", "11498.00", "11919.00", "1.1498", MARCH_31),
            ]
        ),
        tmp_path,
    )
    at_cost = hledger_balances(ledger, "-e", "2026-03-01", "-B", "Assets")
    carried = at_cost["Assets:Receivable", "USD"] + at_cost["Assets:Receivable-Revaluation", "USD"]
    market = hledger_balances(ledger, "-e", "2026-03-01", "-X", "USD", "Assets:Receivable$")
    assert carried == market["Assets:Receivable", "USD"] == D("11806.18")
    months = hledger_balances(ledger, "Income:FX", "-b", "2026-02-01", "-e", "2026-03-01")
    assert months == {("Income:FX-Unrealized", "USD"): D("114.00")}
    everything = hledger_balances(ledger, "-B", "Assets:Rec", "Income:FX")
    assert everything == {
        ("Assets:Receivable", "USD"): D("1.18"),
        ("Income:FX-Realized", "USD"): D("421.00"),
    }
    (row,) = beancount_rows(beans, "select sum(position) where account = 'Income:FX-Unrealized'")
    assert row == [""], "reversed"


def test_partial_payments_as_both_see_them(tmp_path: Path) -> None:
    ledger, _ = judged(
        entries_of(
            [
                euro_invoice(),
                euro_payment("4000.00", "4722.00", "4767.60", "1.1805", FEBRUARY_27),
                euro_payment("6000.00", "6898.80", "7151.40", "1.1498", MARCH_31),
            ]
        ),
        tmp_path,
    )
    assert hledger_balances(ledger, "-B", "Assets:Rec", "Income:FX") == {
        ("Income:FX-Realized", "USD"): D("298.20")
    }
    assert hledger_balances(ledger, "Assets:Receivable") == {}


@pytest.mark.parametrize(
    ("currency", "amount", "base", "base_currency"),
    [
        ("JPY", "1853", "12.03", "USD"),
        ("KWD", "13.717", "44.61", "USD"),
        ("USD", "33.33", "4851", "JPY"),
        ("JPY", "33333", "222.222", "KWD"),
        ("CLF", "1.2345", "51.33", "USD"),
    ],
)
def test_currencies_of_all_precisions(
    tmp_path: Path, currency: str, amount: str, base: str, base_currency: str
) -> None:
    invoice = document(
        lines=[line(amount, base_amount=D(base))],
        currency=currency,
        base_total=D(base),
        exchange=rate("0.5", base=base_currency),
    )
    ledger, beans = judged(entries_of([invoice]), tmp_path, base=base_currency)
    assert hledger_balances(ledger, "-B") == {
        ("Assets:Receivable", base_currency): D(base),
        ("Income:Services", base_currency): D(f"-{base}"),
    }
    (row,) = beancount_rows(beans, "select sum(number) where account = 'Assets:Receivable'")
    assert row == [amount]


@pytest.mark.parametrize("base_currency", ["USD", "JPY", "KWD"])
@pytest.mark.parametrize("program", ["hledger", "beancount"])
def test_the_smallest_error_is_noticed(tmp_path: Path, base_currency: str, program: str) -> None:
    """The judges are not lenient: one smallest unit too much, and they refuse."""
    unit = {"USD": "0.01", "JPY": "1", "KWD": "0.001"}[base_currency]
    invoice = document(
        lines=[line("33.33", base_amount=D(4851))],
        currency="EUR",
        base_total=D(4851),
        exchange=rate("145.5445", base=base_currency),
    )
    (entry,) = entries_of([invoice])
    first, second = entry.postings
    wrong = second.model_copy(update={"base_amount": second.base_amount + D(unit)})
    spoiled = entry.model_copy(update={"postings": (first, wrong)})
    ledger, beans = write_journals([spoiled], tmp_path, base=base_currency)
    judge = {"hledger": (check_hledger, ledger), "beancount": (check_beancount, beans)}
    check, journal = judge[program]
    with pytest.raises(AssertionError, match="refuses"):
        check(journal)


def test_balances_left_in_one_currency_alone(tmp_path: Path) -> None:
    """A residue in the book's currency alone, one in the foreign alone, one of unlike signs."""

    def cleared(number: str, amount: str, base: str) -> Document:
        return document(
            DocumentKind.JOURNAL_ENTRY,
            number=number,
            currency="EUR",
            purpose="residue",
            postings=(
                posting(Role.RECEIVABLE, amount, base),
                posting(Role.FX_REALIZED, str(-D(amount)), str(-D(base))),
            ),
        )

    entries = entries_of(
        [
            cleared("HBJ-1", "0.00", "500.00"),
            cleared("HBJ-2", "5.00", "0.00"),
            cleared("HBJ-3", "-2.00", "0.03"),
            cleared("HBJ-4", "7.00", "-0.02"),
            cleared("HBJ-5", "-1.00", "-0.50"),
        ]
    )
    ledger, _ = judged(entries, tmp_path)
    assert hledger_balances(ledger, "Assets:Receivable") == {
        ("Assets:Receivable", "EUR"): D("9.00"),
        ("Assets:Receivable", "USD"): D("500.01"),
    }
    text = ledger.read_text()
    for shown in (
        "Assets:Receivable  500.00 USD",
        "Assets:Receivable  5.00 EUR @@ 0.00 USD",
        "Assets:Receivable  -2.00 EUR @@ 0.00 USD\n    Assets:Receivable  0.03 USD",
        "Assets:Receivable  7.00 EUR @@ 0.00 USD\n    Assets:Receivable  -0.02 USD",
        "Assets:Receivable  -1.00 EUR @@ 0.50 USD",
    ):
        assert f"{shown}\n" in text
    assert hledger_register(ledger, "tag:purpose=residue") == [f"HBJ-{n}" for n in range(1, 6)]


def test_our_ids_are_found_by_both_programs(tmp_path: Path) -> None:
    paid = euro_payment("10000.00", "11919.00", "11919.00", "1.1919", DAY)
    reversed_later = document(
        number="HB-9", lines=[line("5.00")], taxes=(tax("1.00"),), memo="a memo"
    )
    withdrawn = reversed_later.model_copy(update={"version": 3, "status": DocumentStatus.WITHDRAWN})
    ledger, beans = judged(entries_of([euro_invoice(), paid, reversed_later, withdrawn]), tmp_path)
    assert hledger_register(ledger, "tag:kind=payment") == ["HBP-10000.00"]
    assert hledger_register(ledger, "tag:settles=HB-1") == ["HBP-10000.00"]
    assert hledger_register(ledger, "tag:document=document-HB-1") == ["HB-1"]
    assert hledger_register(ledger, "tag:reverses=.") == ["HB-9"]
    linked = beancount_rows(beans, "select distinct entry_meta('number') where 'HB-1' in links")
    assert sorted(linked) == [["HB-1"], ["HBP-10000.00"]]
    for condition, title in (
        ("IS NULL", "invoice HB-9"),
        ("IS NOT NULL", "reversal of invoice HB-9"),
    ):
        titles = f"select distinct narration where entry_meta('reverses') {condition}"
        assert [title] in beancount_rows(beans, f"{titles} and 'HB-9' in links")
    (memo,) = beancount_rows(
        beans,
        "select distinct entry_meta('memo') where 'HB-9' in links and narration ~ '^invoice'",
    )
    assert memo == ["a memo"]
    assert "HB-9) Acme | invoice HB-9 - a memo\n" in ledger.read_text()


def test_words_of_people_cannot_break_an_export(tmp_path: Path) -> None:
    nasty = 'x; date:2020-13-45, [2019/02/30] "quoted" \\ back | (code)\n; y: *!\t=\x00 #tag ^l'
    bad = document(lines=[line("5.00")], client=nasty, customer=None, memo=nasty, purpose=nasty)
    worse = bad.model_copy(update={"document_id": nasty, "number": "N 1)x"})
    ledger, beans = judged(entries_of([bad, worse]), tmp_path)
    assert hledger_balances(ledger, "Income") == {("Income:Services", "USD"): D("-10.00")}
    (row,) = beancount_rows(beans, "select distinct payee")
    assert row[0].startswith('x; date:2020-13-45, [2019/02/30] "quoted" \\ back | (code) ; y')


def test_each_rate_is_told_once(tmp_path: Path) -> None:
    first = euro_invoice()
    second = first.model_copy(update={"document_id": "other", "number": "HB-2"})
    ledger, beans = judged(entries_of([first, second]), tmp_path)
    assert ledger.read_text().count("P 2026-01-30 EUR 1.1919 USD") == 1
    assert beans.read_text().count("2026-01-30 price EUR 1.1919 USD") == 1


def test_declared_rates_come_first_and_are_not_told_again_by_entries() -> None:
    entries = entries_of([euro_invoice()])
    own = Price(date(2026, 1, 30), "EUR", "USD", D("1.1919"))
    month_end = Price(date(2026, 1, 31), "EUR", "USD", D("1.1805"))
    declared = Declarations.of("acme", entries, "USD", [month_end, own])
    ledger, beans = "".join(to_hledger(entries, declared)), "".join(to_beancount(entries, declared))
    for text, told in ((ledger, "P 2026-01-{} EUR"), (beans, "2026-01-{} price EUR")):
        places = [text.index(told.format(day)) for day in (31, 30)]
        assert places == sorted(places)
        assert [text.count(told.format(day)) for day in (31, 30)] == [1, 1]
        assert places[-1] < text.index("HB-1")


def test_a_rate_older_than_its_document_comes_after_the_declarations(tmp_path: Path) -> None:
    sunday = euro_invoice().model_copy(update={"document_date": date(2026, 2, 1)})
    _, beans = judged(entries_of([sunday]), tmp_path)
    assert "2026-01-30 open Assets:Receivable" in beans.read_text()


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1.5", "USD", "1.50"),
        ("1.004", "USD", "1.004"),
        ("1.006", "USD", "1.006"),
        ("7", "JPY", "7"),
        ("-7.1", "KWD", "-7.100"),
    ],
)
def test_amounts_have_their_currency_s_decimals(amount: str, currency: str, text: str) -> None:
    assert amount_text(D(amount), currency) == text


@pytest.mark.parametrize(
    ("currency", "sample", "half"),
    [("JPY", "1000.", "0.5"), ("USD", "1000.00", "0.005"), ("CLF", "1000.0000", "0.00005")],
)
def test_currencies_are_declared_with_their_decimals(currency: str, sample: str, half: str) -> None:
    assert (sample_text(currency), half_unit_text(currency)) == (sample, half)


def test_an_empty_journal_is_valid(tmp_path: Path) -> None:
    judged([], tmp_path)
    declared = Declarations.of("office", [])
    assert "".join(to_hledger([], declared)).count("\n") == 1
    assert "operating_currency" not in "".join(to_beancount([], declared))
