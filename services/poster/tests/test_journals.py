"""The journal follows the documents: one entry each, taken back and made anew, never changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from hourbridge.billing.journal.entries import JournalEntry
from hourbridge.common.book import InvoicingPolicy
from hourbridge.common.book.accounts import Account, AccountRole
from hourbridge.common.errors import InvariantViolated
from hourbridge.common.messages.events import DocumentKind, DocumentStatus
from hourbridge.common.runtime.admin import parse_tokens
from hourbridge.common.runtime.http import build_application
from hourbridge.poster.decisions import Decision
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.entries import Entry, add_entry
from hourbridge.poster.journal_routes import JournalApi
from hourbridge.poster.journals import open_journal
from tests.support.charges import LEDGER, hours, make_charge
from tests.support.journals import posting
from tests.support.oracles import check_beancount, check_hledger, hledger_balances
from tests.support.posting import BOOK, Poster, in_place_for

MARCH = date(2026, 3, 31)


def posted(poster: Poster, length: str = "5") -> None:
    poster.charge(make_charge("a", hours(length)))
    poster.bill()
    poster.post()


def change(poster: Poster, length: str, revision: int = 2) -> None:
    poster.charge(make_charge("a", hours(length)), revision=revision)
    poster.settle()


def entries(poster: Poster) -> list[JournalEntry]:
    with open_journal(poster.store, BOOK) as journal:
        return list(journal.entries())


def balances(poster: Poster, **wanted: str) -> dict[str, Decimal]:
    with open_journal(poster.store, BOOK) as journal:
        return {row["role"]: row["base_amount"] for row in journal.balances(**wanted)}


@pytest.fixture
def client(poster: Poster) -> Iterator[TestClient]:
    application = build_application(
        JournalApi(poster.store).routes(),
        liveness=list,
        readiness=list,
        actors=parse_tokens({"t-view": "vera:viewer"}),
    )
    with TestClient(application, headers={"Authorization": "Bearer t-view"}) as client:
        yield client


def test_nothing_stands_in_the_journal_before_it_is_in_the_ledger(poster: Poster) -> None:
    poster.charge(make_charge("a", hours("5")))
    poster.bill()
    assert entries(poster) == []
    poster.post()
    (entry,) = entries(poster)
    assert (entry.number, entry.entry_date) == (poster.document().number, MARCH)
    assert [(p.account, p.amount) for p in entry.postings] == [
        ("Assets:Receivable", Decimal("750.00")),
        ("Income:Services", Decimal("-750.00")),
    ]


def test_a_credit_memo_takes_back_what_it_credits(poster: Poster) -> None:
    posted(poster)
    change(poster, "4")
    assert [entry.kind for entry in entries(poster)] == [
        DocumentKind.INVOICE,
        DocumentKind.CREDIT_MEMO,
    ]
    assert balances(poster) == {"receivable": Decimal("600.00"), "revenue": Decimal("-600.00")}


def test_an_update_in_place_is_a_reversal_and_a_new_entry_at_the_same_date(poster: Poster) -> None:
    poster.configure(version=2, clients=(in_place_for("Acme"),))
    posted(poster)
    change(poster, "4")
    first, reversal, second = entries(poster)
    assert (reversal.reverses_entry_id, reversal.entry_date) == (first.entry_id, MARCH)
    assert {entry.number for entry in (first, reversal, second)} == {first.number}
    assert balances(poster) == {"receivable": Decimal("600.00"), "revenue": Decimal("-600.00")}
    change(poster, "3", 3)
    assert len(entries(poster)) == 5
    assert balances(poster)["receivable"] == Decimal("450.00")


def test_a_state_that_moves_nothing_adds_nothing(poster: Poster) -> None:
    posted(poster)
    before = entries(poster)
    with poster.store.transaction() as connection:
        held = poster.parts.documents.lock(connection, poster.document().document_id)
        poster.parts.documents.save(connection, held, memo="for the file")
    poster.configure(version=2, accounts=(Account(role=AccountRole.REVENUE, name="Income:Fees"),))
    with poster.store.transaction() as connection:
        held = poster.parts.documents.lock(connection, poster.document().document_id)
        poster.parts.documents.save(connection, held, memo="after the accounts were renamed")
    assert entries(poster) == before


def test_a_withdrawn_document_leaves_nothing_standing(poster: Poster) -> None:
    posted(poster)
    with poster.store.transaction() as connection:
        held = poster.parts.documents.lock(connection, poster.document().document_id)
        poster.parts.documents.save(connection, held, status=DocumentStatus.WITHDRAWN)
    entry, reversal = entries(poster)
    assert reversal.reverses_entry_id == entry.entry_id
    assert set(balances(poster).values()) == {Decimal("0.00")}


def test_a_draft_that_is_withdrawn_never_was(poster: Poster) -> None:
    poster.charge(make_charge("a", hours("1"), invoicing=InvoicingPolicy(status="draft")))
    poster.bill()
    poster.parts.decisions.withdraw(poster.document().document_id, Decision("otto", ""))
    assert entries(poster) == []


def test_an_entry_in_the_ledger_already_is_in_the_journal_at_once(poster: Poster) -> None:
    add(poster, in_ledger=True)
    (entry,) = entries(poster)
    assert (entry.purpose, len(entry.postings)) == ("retainer_receipt", 2)
    assert balances(poster) == {
        "bank": Decimal("500.00"),
        "customer_deposits": Decimal("-500.00"),
    }
    assert balances(poster, client="Acme") == balances(poster)
    assert balances(poster, client="Birch") == {}


def test_a_document_out_of_balance_is_refused_before_it_is_sent(poster: Poster) -> None:
    posted(poster)
    documents = poster.parts.documents
    with poster.store.transaction() as connection:
        held = documents.lock(connection, poster.document().document_id)
        with pytest.raises(InvariantViolated, match="doesn't balance"):
            documents.save(connection, held, total=Decimal("749.99"))


def test_the_export_satisfies_both_programs(
    poster: Poster, client: TestClient, tmp_path: Path
) -> None:
    posted(poster)
    change(poster, "4")
    add(poster, in_ledger=True)
    for name, judge in (("hledger", check_hledger), ("beancount", check_beancount)):
        answer = client.get(f"/v1/books/{BOOK}/journal", params={"format": name})
        path = tmp_path / f"journal.{name}"
        path.write_text(answer.text)
        judge(path)
    assert client.get(f"/v1/books/{BOOK}/journal?format=excel").status_code == 422
    assert client.get(f"/v1/books/{BOOK}/journal?through=soon").status_code == 422


def test_a_book_without_entries_has_an_empty_journal(
    poster: Poster, client: TestClient, tmp_path: Path
) -> None:
    path = tmp_path / "journal.hledger"
    path.write_text(client.get(f"/v1/books/{BOOK}/journal").text)
    check_hledger(path)
    path.write_text(client.get(f"/v1/books/{BOOK}/journal?format=beancount").text)
    check_beancount(path)


def test_an_export_ends_at_the_day_asked_for(poster: Poster, client: TestClient) -> None:
    posted(poster)
    change(poster, "4")
    through = client.get(f"/v1/books/{BOOK}/journal?through={MARCH}").text
    assert ("HB-1" in through, "HBC-" in through) == (True, False)
    answer = client.get(f"/v1/books/{BOOK}/journal/balances?through={MARCH}").json()
    assert [row["amount"] for row in answer["balances"]] == ["750.00", "-750.00"]


def test_the_check_finds_a_document_whose_entry_is_gone_or_wrong(
    poster: Poster, client: TestClient
) -> None:
    posted(poster)
    check = f"/v1/books/{BOOK}/journal/check"
    assert client.get(check).json() == {"entries": 1, "unbalanced": [], "documents": []}
    spoil = "UPDATE journal_entry SET payload = jsonb_set(payload, '{postings,0,amount}', '\"7\"')"
    with poster.store.transaction() as connection:
        connection.exec_driver_sql(spoil)
    found = client.get(check).json()
    assert [row["off_by"] for row in found["unbalanced"]] == ["-743.00"]
    assert [row["problem"] for row in found["documents"]] == ["differs from its entry"]
    with poster.store.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM journal_posting")
        connection.exec_driver_sql("DELETE FROM journal_entry")
    assert [row["problem"] for row in client.get(check).json()["documents"]] == ["has no entry"]


def add(poster: Poster, **changes: bool) -> None:
    documents: DocumentStore = poster.parts.documents
    entry = Entry(
        book=BOOK,
        ledger=LEDGER,
        key=("receipt", "1"),
        purpose="retainer_receipt",
        document_date=date(2026, 3, 5),
        currency="USD",
        postings=(
            posting(AccountRole.BANK, "500.00"),
            posting(AccountRole.CUSTOMER_DEPOSITS, "-500.00"),
        ),
        client="Acme",
        **changes,
    )
    with poster.store.transaction() as connection:
        add_entry(connection, documents, poster.clock, entry)


def test_hledger_values_open_balances_at_the_rates_of_month_ends(
    poster: Poster, client: TestClient, tmp_path: Path
) -> None:
    rates = {"2026-03-02": "1.1919", "2026-03-31": "1.1498", "2026-04-30": "1.2000"}
    with poster.store.transaction() as connection:
        for day, value in rates.items():
            connection.exec_driver_sql(
                "INSERT INTO exchange_rate (source, pivot, currency, rate_date, revision, value,"
                " fetched_at) VALUES ('ecb', 'EUR', 'USD', %s, 1, %s, now())",
                (day, value),
            )
    poster.charge(make_charge("a", hours("10"), currency="EUR", rate="100.00"))
    poster.bill(date(2026, 3, 2))
    poster.post()
    poster.charge(make_charge("b", hours("1"), work_date=date(2026, 4, 30)))
    poster.bill(date(2026, 4, 30))
    poster.post()
    path = tmp_path / "journal.hledger"
    path.write_text(client.get(f"/v1/books/{BOOK}/journal").text)
    check_hledger(path)
    for before, option, value in (
        ("2026-04-01", "-B", "1191.90"),
        ("2026-04-01", "-X", "1149.80"),
        ("2026-05-01", "-X", "1350.00"),
    ):
        report = (option,) if option == "-B" else (option, "USD")
        found = hledger_balances(path, "-e", before, *report, "Assets:Receivable")
        assert found == {("Assets:Receivable", "USD"): Decimal(value)}
    beans = tmp_path / "journal.beancount"
    beans.write_text(client.get(f"/v1/books/{BOOK}/journal?format=beancount").text)
    check_beancount(beans)
    assert "2026-03-31 price EUR 1.1498 USD" in beans.read_text()
