"""What a document's states add to the journal: appended, taken back, never changed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.billing.journal.balances import Balance, BalanceKey, balances_of, imbalances
from hourbridge.billing.journal.chart import Chart
from hourbridge.billing.journal.entries import JournalEntry, next_entries
from hourbridge.common.book import BookConfiguration, LedgerReference, SourceBinding
from hourbridge.common.book.accounts import Account
from hourbridge.common.book.accounts import AccountRole as Role
from hourbridge.common.messages.documents import Settlement
from hourbridge.common.messages.events import Document, DocumentKind, DocumentStatus
from tests.support.charges import LEDGER
from tests.support.journals import DAY, USD, document, entries_of, line, posting, rate

D = Decimal
INVOICE = document(lines=[line("100.00")])


def state(version: int, **changes: Any) -> Document:
    return INVOICE.model_copy(update={"version": version, **changes})


def signed(entry: JournalEntry) -> list[Decimal]:
    return [p.amount for p in entry.postings]


@pytest.mark.parametrize(
    "status", [DocumentStatus.DRAFT, DocumentStatus.POSTING, DocumentStatus.PARKED]
)
def test_states_on_the_way_add_nothing(status: DocumentStatus) -> None:
    assert next_entries(None, state(1, status=status), USD) == ()


def test_a_posted_document_adds_its_entry_once() -> None:
    (entry,) = next_entries(None, INVOICE, USD)
    assert signed(entry) == [D("100.00"), D("-100.00")]
    assert (entry.entry_date, entry.number, entry.party) == (DAY, "HB-1", "Acme")
    assert not entry.is_reversal
    assert next_entries(entry, INVOICE, USD) == ()
    assert next_entries(entry, state(3), USD) == ()


def test_ids_depend_on_the_document_and_its_version_alone() -> None:
    (entry,) = next_entries(None, INVOICE, USD)
    (again,) = next_entries(None, INVOICE, Chart())
    (later,) = next_entries(None, state(3), USD)
    assert entry.entry_id == again.entry_id != later.entry_id


@pytest.mark.parametrize(
    "changes",
    [
        {"lines": (line("90.00"),), "total": D("90.00")},
        {"document_date": date(2026, 2, 1)},
        {"currency": "EUR"},
        {"lines": (line("100.00", account=LedgerReference(name="Fees")),)},
        {"lines": (line("100.00", role=Role.MARKUP_REVENUE),)},
        {"currency": "USD", "base_total": D("100.00"), "exchange": rate("1", base="EUR")},
    ],
)
def test_another_effect_takes_the_old_one_back_at_its_own_date(changes: dict[str, Any]) -> None:
    (entry,) = next_entries(None, INVOICE, USD)
    reversal, anew = next_entries(entry, state(3, **changes), USD)
    assert signed(reversal) == [D("-100.00"), D("100.00")]
    assert (reversal.entry_date, reversal.reverses_entry_id) == (DAY, entry.entry_id)
    assert reversal.is_reversal and not anew.is_reversal
    assert len({entry.entry_id, reversal.entry_id, anew.entry_id}) == 3
    assert (reversal.document_version, anew.document_version) == (3, 3)


def test_a_document_that_no_longer_moves_anything_is_taken_back() -> None:
    (entry,) = next_entries(None, INVOICE, USD)
    (reversal,) = next_entries(entry, state(3, lines=(), total=D(0)), USD)
    assert reversal.is_reversal
    assert next_entries(None, state(3, lines=(), total=D(0)), USD) == ()


def test_a_withdrawn_document_is_taken_back_once() -> None:
    (entry,) = next_entries(None, INVOICE, USD)
    (reversal,) = next_entries(entry, state(3, status=DocumentStatus.WITHDRAWN), USD)
    assert reversal.reverses_entry_id == entry.entry_id
    assert next_entries(None, state(3, status=DocumentStatus.WITHDRAWN), USD) == ()


def test_renamed_accounts_leave_what_was_posted_alone() -> None:
    (entry,) = next_entries(None, INVOICE, USD)
    renamed = Chart("USD", (Account(role=Role.REVENUE, name="Income:Fees"),))
    assert next_entries(entry, state(3), renamed) == ()
    (other,) = next_entries(None, state(3), renamed)
    assert [p.account for p in other.postings] == ["Assets:Receivable", "Income:Fees"]


def test_the_chart_comes_from_the_configuration() -> None:
    assert Chart.of(None) == Chart()
    configuration = BookConfiguration(
        book="office",
        currency="USD",
        zone="UTC",
        ledger=LEDGER,
        sources=(SourceBinding(name="tracker"),),
        accounts=(Account(role=Role.BANK, name="Assets:Giro"),),
    )
    chart = Chart.of(configuration)
    assert (chart.currency, chart.name(Role.BANK)) == ("USD", "Assets:Giro")
    assert chart.name(Role.TRUST_BANK) == "Assets:Trust-Bank"


@pytest.mark.parametrize(
    ("changes", "party"),
    [
        ({}, "Acme"),
        ({"customer": LedgerReference(id="7")}, "7"),
        ({"customer": None, "vendor": LedgerReference(name="Bravo")}, "Bravo"),
        ({"customer": None, "client": "Acme Ltd"}, "Acme Ltd"),
    ],
)
def test_an_entry_names_whom_it_concerns(changes: dict[str, Any], party: str) -> None:
    (entry,) = next_entries(None, state(2, **changes), USD)
    assert entry.party == party


@pytest.mark.parametrize(
    ("vendor", "named"),
    [(LedgerReference(name="Bravo"), "Bravo"), (LedgerReference(id="9"), "9"), (None, None)],
)
def test_an_entry_keeps_rates_settlements_and_vendors(
    vendor: LedgerReference | None, named: str | None
) -> None:
    own, other = rate("1.1919"), rate("0.9")
    paid = document(
        DocumentKind.BILL_PAYMENT,
        [line("1.00", exchange=own), line("2.00", position=2, exchange=other), line("3.00")],
        postings=(
            posting(Role.PAYABLE, "5", vendor=vendor, memo="part"),
            posting(Role.BANK, "-5", vendor=vendor),
        ),
        exchange=own,
        settles=(Settlement(document_id="d", number="V-7", amount=D(5)),),
        memo="thanks",
        purpose="settlement",
    )
    (entry,) = next_entries(None, paid, USD)
    assert entry.rate_ids == (own.rate_id, other.rate_id)
    assert entry.exchange is None, "the document's is a blend of its lines'"
    assert (entry.settles, entry.memo, entry.purpose) == (("V-7",), "thanks", "settlement")
    assert [(p.vendor, p.memo) for p in entry.postings] == [(named, "part"), (named, None)]


def test_a_reversal_takes_back_both_currencies() -> None:
    foreign = document(
        lines=[line("100.00")], currency="EUR", base_total=D("119.19"), exchange=rate("1.1919")
    )
    (entry,) = next_entries(None, foreign, USD)
    withdrawn = foreign.model_copy(update={"version": 3, "status": DocumentStatus.WITHDRAWN})
    (reversal,) = next_entries(entry, withdrawn, USD)
    assert [(p.amount, p.base_amount) for p in reversal.postings] == [
        (D("-100.00"), D("-119.19")),
        (D("100.00"), D("119.19")),
    ]


@pytest.mark.parametrize(
    ("of_lines", "is_kept"), [((None, None), True), (("1.2", None), False), ((None, "1.2"), False)]
)
def test_the_document_s_rate_is_a_price_unless_lines_have_their_own(
    of_lines: tuple[str | None, str | None], is_kept: bool
) -> None:
    lines = [
        line("1.00", position=at, base_amount=D("1.20"), exchange=rate(value) if value else None)
        for at, value in enumerate(of_lines, start=1)
    ]
    own = rate("1.2000")
    foreign = document(lines=lines, currency="EUR", base_total=D("2.40"), exchange=own)
    (entry,) = next_entries(None, foreign, USD)
    assert entry.exchange == (own if is_kept else None)


# --- balances ---------------------------------------------------------------------------------


def test_balances_are_by_account_and_currency() -> None:
    foreign = document(
        lines=[line("100.00")],
        number="HB-2",
        currency="EUR",
        base_total=D("119.19"),
        exchange=rate("1.1919"),
    )
    credit = document(DocumentKind.CREDIT_MEMO, [line("40.00")], number="HBC-1")
    found = balances_of(entries_of([INVOICE, foreign, credit]))
    assert found == {
        BalanceKey("Assets:Receivable", "receivable", "EUR", "USD"): Balance(
            D("100.00"), D("119.19")
        ),
        BalanceKey("Assets:Receivable", "receivable", "USD", "USD"): Balance(
            D("60.00"), D("60.00")
        ),
        BalanceKey("Income:Services", "revenue", "USD", "USD"): Balance(D("-179.19"), D("-179.19")),
    }
    assert list(found) == sorted(found)


def test_entries_out_of_balance_are_named() -> None:
    (entry,) = entries_of([INVOICE])
    broken = entry.postings[0].model_copy(update={"amount": D("99.00")})
    spoiled = entry.model_copy(
        update={"currency": "EUR", "postings": (broken, *entry.postings[1:])}
    )
    assert imbalances([entry, spoiled]) == [(entry.entry_id, "EUR", D("-1.00"))]
    broken = entry.postings[0].model_copy(update={"base_amount": D("100.01")})
    spoiled = entry.model_copy(update={"postings": (broken, *entry.postings[1:])})
    assert imbalances([spoiled]) == [(entry.entry_id, "USD", D("0.01"))]
