"""Tax, exchange rates and the arithmetic of other ledgers, as read back after posting."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from hourbridge.common.book import LedgerReference
from hourbridge.common.book.accounts import AccountRole
from hourbridge.common.errors import LedgerRejected
from hourbridge.common.messages.events import (
    DocumentKind,
    ExchangeRateUsed,
    Posting,
    Settlement,
    TaxAmount,
)
from hourbridge.connectors.ledger import LedgerWrite, SettledInLedger, WriteKind
from hourbridge.connectors.opening import open_ledger
from hourbridge.sandbox.quickbooks_online import CompanySeed, seed_company
from hourbridge.sandbox.quickbooks_online.general_ledger import trial_balance

pytestmark = pytest.mark.database
REALM = "4620816365000000001"
FOREIGN = {
    "customers": {"Lyon SARL": [], "Home Inc": []},
    "customer_currencies": {"Lyon SARL": "EUR"},
}
LYON = LedgerReference(name="Lyon SARL")


@pytest.fixture
def company(sandbox, connections_store, new_connection):
    """Open a company with further parts of a seed, and connect to it."""
    from cryptography.fernet import Fernet

    from hourbridge.common.book import LedgerBinding
    from hourbridge.connectors.connections import ConnectionStore

    with contextlib.ExitStack() as stack:

        def start(**seed):
            seed = {"customers": {"O'Neil & Sons": []}, "items": ["Consulting"]} | seed
            token = seed_company(sandbox.world, CompanySeed(REALM, **seed))
            connections = ConnectionStore(connections_store, [Fernet.generate_key().decode()])
            secret = type(new_connection.refresh_token)(token)
            connections.save(replace(new_connection, refresh_token=secret), actor="test")
            binding = LedgerBinding(connection="main", company_id=REALM)
            return stack.enter_context(contextlib.closing(open_ledger(binding, connections)))

        yield start


def priced(line, *amounts, **changes):
    return tuple(
        line(
            line_id=f"l{n}",
            position=n,
            quantity=Decimal(1),
            unit_price=Decimal(amount),
            amount=Decimal(amount),
            **changes,
        )
        for n, amount in enumerate(amounts, start=1)
    )


def taxed(document, line, amounts, tax, percent="7.75", **changes):
    lines = priced(line, *amounts, tax_code="CA")
    net = sum((one.amount for one in lines), Decimal(0))
    amount = TaxAmount(
        code="CA",
        percent=Decimal(percent),
        taxable=net,
        amount=Decimal(tax),
        method="document",
    )
    return document(lines=lines, taxes=(amount,), total=net + Decimal(tax), **changes)


def rate(value, currency="USD"):
    return ExchangeRateUsed(
        rate_id="r1",
        source="ecb",
        base_currency=currency,
        value=Decimal(value),
        wanted_date=date(2026, 1, 31),
        rate_date=date(2026, 1, 30),
    )


def test_tax_is_stated_by_code_and_read_back(company, document, line, create, books):
    ledger = company(tax_codes={"CA": "7.75"})
    posted = ledger.write(create(taxed(document, line, ["20.05", "20.05"], "3.11")))
    (stored,) = books.stored()
    assert stored["TxnTaxDetail"]["TotalTax"] == Decimal("3.11")
    codes = {
        one.get("SalesItemLineDetail", {}).get("TaxCodeRef", {}).get("value")
        for one in stored["Line"][:-1]
    }
    assert codes == {"TAX"}
    assert (posted.tax_total, posted.total) == (Decimal("3.11"), Decimal("43.21"))


@pytest.mark.parametrize(
    ("arithmetic", "tax"),
    [
        ({}, "3.11"),  # 40.10 x 7.75 % = 3.10775
        ({"keeps_given_tax": False}, "3.11"),
        ({"keeps_given_tax": False, "tax_scope": "line"}, "3.10"),  # 2 x 1.553875
    ],
)
def test_the_ledger_may_round_tax_by_the_line(company, document, line, create, arithmetic, tax):
    ledger = company(tax_codes={"CA": "7.75"}, arithmetic=arithmetic)
    posted = ledger.write(create(taxed(document, line, ["20.05", "20.05"], "3.11")))
    assert (posted.tax_total, posted.total) == (Decimal(tax), Decimal("40.10") + Decimal(tax))


def test_automated_tax_has_its_own_opinion(company, document, line, create):
    ledger = company(tax_codes={"NY": "8.875", "CA": "7.75"}, automated_tax=True)
    posted = ledger.write(create(taxed(document, line, ["100.00"], "7.75")))
    assert posted.tax_total == Decimal("8.88")


def test_a_ledger_elsewhere_has_a_code_per_line(company, document, line, create, books):
    ledger = company(tax_codes={"CA": "20"}, country="GB")
    stated = taxed(document, line, ["10.00", "5.00"], "3.00", "20")
    free = stated.lines[1].model_copy(update={"tax_code": None})
    stated = stated.model_copy(
        update={
            "lines": (stated.lines[0], free),
            "total": Decimal("17.00"),
            "taxes": (stated.taxes[0].model_copy(update={"amount": Decimal("2.00")}),),
        }
    )
    posted = ledger.write(create(stated))
    assert (posted.tax_total, posted.total) == (2, 17)
    assert (
        books.stored()[0]["TxnTaxDetail"]["TaxLine"][0]["TaxLineDetail"]["NetAmountTaxable"] == 10
    )


def test_two_codes_on_one_document_are_refused_in_the_united_states(
    company, document, line, create
):
    ledger = company(tax_codes={"CA": "7.75", "NY": "8.875"})
    stated = taxed(document, line, ["10.00"], "0.78")
    both = stated.model_copy(
        update={"taxes": (*stated.taxes, stated.taxes[0].model_copy(update={"code": "NY"}))}
    )
    with pytest.raises(LedgerRejected, match="one tax code"):
        ledger.write(create(both))


def test_an_unknown_tax_code_is_refused(company, document, line, create):
    ledger = company(tax_codes={"OTHER": "1"})
    with pytest.raises(LedgerRejected) as refused:
        ledger.write(create(taxed(document, line, ["10.00"], "0.78")))
    assert refused.value.reason_code == "reference_unknown"


def foreign(document, line, amounts, value, base, **changes):
    fields = {"customer": LYON, "currency": "EUR", "exchange": rate(value)}
    lines = priced(line, *amounts)
    return document(lines=lines, base_total=Decimal(base), **(fields | changes))


def test_a_foreign_invoice_carries_our_rate(company, document, line, create, sandbox):
    ledger = company(**FOREIGN)
    stated = foreign(document, line, ["10.10", "10.10", "10.10"], "1.0833", "32.82")
    posted = ledger.write(create(stated))
    assert posted.exchange_rate == Decimal("1.0833")
    assert (posted.total, posted.base_total, posted.currency) == (
        Decimal("30.30"),
        Decimal("32.82"),
        "EUR",
    )
    balances = trial_balance(sandbox.world.companies[REALM])
    assert balances["Accounts Receivable (A/R) - EUR"] == Decimal("32.82")
    assert balances["Services"] == Decimal("-32.82")


def test_rates_of_several_days_are_sent_as_the_one_that_gives_our_total(
    company, document, line, create
):
    ledger = company(**FOREIGN)
    # 100.00 at 1.10 and 50.00 at 1.20: 170.00; neither rate alone gives that.
    stated = foreign(document, line, ["100.00", "50.00"], "1.10", "170.00")
    assert ledger.write(create(stated)).base_total == Decimal("170.00")


def test_an_inverse_rate_loses_cents_and_says_so(company, document, line, create):
    ledger = company(**FOREIGN, arithmetic={"rate_inverse_decimals": 6})
    posted = ledger.write(create(foreign(document, line, ["2000000.00"], "1.1805", "2361000.00")))
    # 1 / 1.1805 = 0.847099 with six decimals
    assert posted.base_total == Decimal("2360999.13")
    assert posted.exchange_rate != Decimal("1.1805")


def test_lines_converted_one_by_one_leave_a_cent_on_the_exchange_account(
    company, document, line, create, sandbox
):
    ledger = company(**FOREIGN, arithmetic={"line_base_amounts": True})
    stated = foreign(document, line, ["10.10", "10.10", "10.10"], "1.0833", "32.82")
    posted = ledger.write(create(stated))
    assert [one.base_amount for one in posted.lines] == [Decimal("10.94")] * 3
    balances = trial_balance(sandbox.world.companies[REALM])
    assert balances["Services"] == Decimal("-32.82")
    stated = foreign(
        document, line, ["5.55"] * 3, "1.0833", "18.04", number="HB-2", document_id="id-2"
    )
    posted = ledger.write(create(stated, "key-2"))
    assert sum(one.base_amount for one in posted.lines) == Decimal("18.03")
    balances = trial_balance(sandbox.world.companies[REALM])
    assert balances["Exchange Gain or Loss"] == Decimal("-0.01")


def test_without_an_exchange_account_such_a_ledger_is_not_used(company, document, line, create):
    ledger = company(
        **FOREIGN,
        arithmetic={"line_base_amounts": True},
        closed_accounts=["Exchange Gain or Loss"],
    )
    assert any("exchange" in problem.lower() for problem in ledger.check())
    with pytest.raises(LedgerRejected):
        ledger.write(create(foreign(document, line, ["10.00"], "1.1", "11.00")))


def test_other_digits_of_a_currency_are_rounded_by_the_ledger(company, document, line, create):
    seed = {"customers": {"Gulf Co": []}, "customer_currencies": {"Gulf Co": "BHD"}}
    ledger = company(**seed, arithmetic={"currency_digits": {"BHD": 2}})
    stated = document(
        customer=LedgerReference(name="Gulf Co"),
        currency="BHD",
        lines=priced(line, "7.126"),
        exchange=rate("2.65"),
        base_total=Decimal("18.88"),
    )
    assert ledger.write(create(stated)).total == Decimal("7.13")


def test_a_ledger_that_refuses_a_third_decimal_parks(company, document, line, create):
    seed = {"customers": {"Gulf Co": []}, "customer_currencies": {"Gulf Co": "BHD"}}
    ledger = company(**seed)
    stated = document(
        customer=LedgerReference(name="Gulf Co"), currency="BHD", lines=priced(line, "7.126")
    )
    with pytest.raises(LedgerRejected) as refused:
        ledger.write(create(stated))
    assert refused.value.reason_code == "currency_precision"


def test_a_ledger_that_rounds_half_to_even_computes_amounts_itself(company, document, line, create):
    ledger = company(arithmetic={"computes_amounts": True, "money_mode": "half_even"})
    lines = tuple(
        line(
            line_id=f"l{price}",
            position=n,
            quantity=Decimal("0.5"),
            unit_price=Decimal(price),
            amount=Decimal(amount),
        )
        for n, (price, amount) in enumerate([("0.25", "0.13"), ("0.27", "0.14")], start=1)
    )
    posted = ledger.write(create(document(lines=lines, total=Decimal("0.27"))))
    assert posted.total == Decimal("0.26")


def test_a_foreign_payment_realizes_what_the_rates_differ_by(
    company, document, line, create, sandbox
):
    ledger = company(**FOREIGN)
    invoice = ledger.write(create(foreign(document, line, ["3000.00"], "1.0833", "3249.90")))
    settled = SettledInLedger(DocumentKind.INVOICE, invoice.ledger_id, Decimal("3000.00"))
    paid = document(
        kind=DocumentKind.PAYMENT,
        document_id="id-pay",
        number="HBP-1",
        customer=LYON,
        currency="EUR",
        lines=(),
        total=Decimal("3000.00"),
        exchange=rate("1.1201"),
        base_total=Decimal("3360.30"),
        settles=(Settlement(document_id="i", number="HB-1", amount=Decimal("3000.00")),),
        postings=(
            _posting(AccountRole.BANK, "3000.00", "3360.30", "Checking"),
            _posting(AccountRole.RECEIVABLE, "-3000.00", "-3249.90"),
            _posting(AccountRole.FX_REALIZED, "0", "-110.40", "Exchange Gain or Loss"),
        ),
    )
    ledger.write(create(paid, "key-2", settles=(settled,)))
    balances = trial_balance(sandbox.world.companies[REALM])
    assert balances["Exchange Gain or Loss"] == Decimal("-110.40")
    assert balances["Accounts Receivable (A/R) - EUR"] == 0
    assert balances["Checking"] == Decimal("3360.30")


def test_a_foreign_entry_moves_the_receivable_of_its_currency(company, document, create, sandbox):
    ledger = company(**FOREIGN)
    stated = document(
        kind=DocumentKind.JOURNAL_ENTRY,
        number="HBJ-1",
        customer=LYON,
        currency="EUR",
        lines=(),
        total=Decimal("100.00"),
        exchange=rate("1.0833"),
        base_total=Decimal("108.33"),
        postings=(
            _posting(AccountRole.CUSTOMER_DEPOSITS, "100.00", "108.33", "Customer Deposits"),
            _posting(AccountRole.RECEIVABLE, "-100.00", "-108.33", "Accounts Receivable (A/R)"),
        ),
    )
    ledger.write(create(stated))
    balances = trial_balance(sandbox.world.companies[REALM])
    assert balances["Accounts Receivable (A/R) - EUR"] == Decimal("-108.33")
    assert "Accounts Receivable (A/R)" not in balances


def test_an_entry_that_settles_leaves_its_exchange_difference_to_the_link(
    company, document, line, create, sandbox
):
    """An advance of EUR 700 carried at 1.0500 pays an invoice carried at 1.1000."""
    ledger = company(**FOREIGN)
    invoice = ledger.write(create(foreign(document, line, ["700.00"], "1.1", "770.00")))
    settled = SettledInLedger(DocumentKind.INVOICE, invoice.ledger_id, Decimal("700.00"))
    stated = document(
        kind=DocumentKind.JOURNAL_ENTRY,
        document_id="id-entry",
        number="HBJ-1",
        customer=LYON,
        currency="EUR",
        lines=(),
        total=Decimal("700.00"),
        exchange=rate("1.05"),
        base_total=Decimal("770.00"),
        settles=(Settlement(document_id="i", number="HB-1", amount=Decimal("700.00")),),
        postings=(
            _posting(AccountRole.CUSTOMER_DEPOSITS, "700.00", "735.00", "Customer Deposits"),
            _posting(AccountRole.RECEIVABLE, "-700.00", "-770.00"),
            _posting(AccountRole.FX_REALIZED, "0", "35.00", "Exchange Gain or Loss"),
        ),
    )
    posted = ledger.write(create(stated, "key-2"))
    apply = LedgerWrite("link", WriteKind.APPLY, stated, posted.ledger_id, settles=(settled,))
    ledger.write(apply)
    balances = trial_balance(sandbox.world.companies[REALM])
    assert balances["Customer Deposits"] == Decimal("735.00")
    assert balances["Accounts Receivable (A/R) - EUR"] == 0
    assert balances["Exchange Gain or Loss"] == Decimal("35.00")
    alone = stated.model_copy(update={"settles": (), "number": "HBJ-2", "document_id": "id-2"})
    with pytest.raises(LedgerRejected) as refused:
        ledger.write(create(alone, "key-3"))
    assert refused.value.reason_code == "base_only_posting"


def test_a_warning_is_not_acknowledged_unless_it_is_harmless(company, document, create, books):
    ledger = company(arithmetic={"warns_of_similar": True})
    invoice = ledger.write(create(document()))
    twin = document(document_id="id-2", number="HB-2")
    with pytest.raises(LedgerRejected) as refused:
        ledger.write(create(twin, "key-2"))
    assert refused.value.reason_code == "similar_document"
    assert len(books.stored()) == 1
    settled = SettledInLedger(DocumentKind.INVOICE, invoice.ledger_id, Decimal("10.00"))
    paid = document(
        kind=DocumentKind.PAYMENT,
        document_id="id-pay",
        number="HBP-1",
        document_date=date(2020, 1, 1),
        lines=(),
        total=Decimal("10.00"),
        postings=(
            _posting(AccountRole.BANK, "10.00", "10.00", "Checking"),
            _posting(AccountRole.RECEIVABLE, "-10.00", "-10.00"),
        ),
    )
    assert ledger.write(create(paid, "key-3", settles=(settled,))).total == 10


def _posting(role, amount, base, name=None):
    account = LedgerReference(name=name) if name else None
    return Posting(role=role, amount=Decimal(amount), base_amount=Decimal(base), account=account)
