"""Invoices and credit memos as they arrive in the ledger's books."""

from datetime import date
from decimal import Decimal

import pytest

from hourbridge.common.book import LedgerReference
from hourbridge.common.errors import DocumentNumberTaken, LedgerRejected, PeriodClosed
from hourbridge.common.messages.events import DocumentKind

pytestmark = pytest.mark.database


def test_every_field_arrives_as_stated(ledger, books, document, line, create):
    stated = document(
        job=LedgerReference(name="O'Neil & Sons:Roof"),
        terms=LedgerReference(name="Net 15"),
        due_date=date(2026, 2, 20),
        email="billing@oneil.example",
        memo="Thank you",
        lines=(
            line(
                service_date=date(2026, 1, 18),
                class_ref=LedgerReference(name="North"),
                tax_code="NON",
            ),
        ),
    )
    posted = ledger.write(create(stated))
    (stored,) = books.stored()
    assert stored["DocNumber"] == "HB-1"
    assert stored["TxnDate"] == "2026-01-31"
    assert stored["DueDate"] == "2026-02-20"
    assert stored["CustomerRef"]["name"] == "O'Neil & Sons:Roof"
    assert stored["SalesTermRef"]["name"] == "Net 15"
    assert stored["BillEmail"] == {"Address": "billing@oneil.example"}
    assert stored["CustomerMemo"] == {"value": "Thank you"}
    assert stored["PrivateNote"] == f"hourbridge:{stated.document_id}"
    detail = stored["Line"][0]["SalesItemLineDetail"]
    assert detail["ItemRef"]["name"] == "Consulting"
    assert detail["ServiceDate"] == "2026-01-18"
    assert detail["ClassRef"]["name"] == "North"
    assert detail["TaxCodeRef"] == {"value": "NON"}
    assert (detail["Qty"], detail["UnitPrice"]) == (Decimal("3.75"), Decimal(150))
    assert posted.ledger_id == stored["Id"]
    assert posted.edit_token == "0"
    assert posted.total == posted.open_balance == Decimal("562.50")
    assert posted.is_ours
    assert posted.marked_document_id == stated.document_id
    assert [one.amount for one in posted.lines] == [Decimal("562.50")]


@pytest.mark.parametrize("name", ["O'Neil & Sons", "Back\\slash", "Ünï 😀 Café", "n" * 500])
def test_customers_are_found_by_any_name(ledger, books, document, create, name):
    ledger.write(create(document(customer=LedgerReference(name=name))))
    assert books.stored()[0]["CustomerRef"]["name"] == name


def test_amounts_stay_exact(ledger, books, document, line, create):
    # As binary floats 128.35 * 14.5 is 1861.0749999999998, which the ledger refuses.
    exact = line(
        quantity=Decimal("128.350"), unit_price=Decimal("14.50"), amount=Decimal("1861.08")
    )
    posted = ledger.write(create(document(lines=(exact,))))
    assert posted.total == Decimal("1861.08")
    assert str(books.stored()[0]["Line"][0]["Amount"]) == "1861.08"


@pytest.mark.parametrize(
    ("quantity", "unit_price", "amount"),
    [
        ("1.1666666667", "150", "175.00"),  # more digits than the ledger keeps
        ("0.25", "27.50", "6.87"),  # rounded half to even
        ("1.5", "1235", "1853"),  # a currency without minor units
    ],
)
def test_an_amount_that_is_no_product_is_sold_as_one_unit(
    ledger, books, document, line, create, quantity, unit_price, amount
):
    odd = line(
        quantity=Decimal(quantity),
        unit_price=Decimal(unit_price),
        amount=Decimal(amount),
        billed_seconds=4200,
    )
    posted = ledger.write(create(document(lines=(odd,))))
    assert posted.total == Decimal(amount)
    stored = books.stored()[0]["Line"][0]
    assert (stored["SalesItemLineDetail"]["Qty"], stored["Amount"]) == (1, Decimal(amount))
    assert stored["Description"] == f"Design review ({quantity} h x {unit_price})"


def test_an_amount_finer_than_cents_is_refused_before_it_is_sent(
    ledger, books, document, line, create
):
    with pytest.raises(LedgerRejected) as caught:
        ledger.write(create(document(lines=(line(amount=Decimal("13.717")),))))
    assert caught.value.reason_code == "currency_precision"
    assert not [call for call in books.calls() if call["path"] == "invoice"]


def test_a_credit_memo_names_the_invoice_that_it_credits(ledger, books, document, create):
    memo = document(kind=DocumentKind.CREDIT_MEMO, number="HB-2")
    posted = ledger.write(create(memo, applies_to_ledger_id="17"))
    (stored,) = books.stored("CreditMemo")
    assert stored["PrivateNote"] == f"hourbridge:{memo.document_id} credits:17"
    assert posted.kind is DocumentKind.CREDIT_MEMO
    assert posted.open_balance == Decimal("562.50")
    assert not books.stored("Invoice")


def test_a_foreign_currency_is_refused_where_books_have_one(ledger, books, document, create):
    with pytest.raises(LedgerRejected) as caught:
        ledger.write(create(document(currency="EUR")))
    assert caught.value.reason_code == "currency_not_home"
    assert not books.stored()


def test_with_many_currencies_the_document_states_its_own(ledger, books, document, create):
    books.prefer("CurrencyPrefs", MultiCurrencyEnabled=True)
    books.person(
        "add", "customer", changes={"DisplayName": "Paris", "CurrencyRef": {"value": "EUR"}}
    )
    paris = document(currency="EUR", customer=LedgerReference(name="Paris"))
    posted = ledger.write(create(paris))
    assert posted.currency == "EUR"


def test_an_unknown_name_is_told(ledger, document, create):
    with pytest.raises(LedgerRejected) as caught:
        ledger.write(create(document(customer=LedgerReference(name="Nobody"))))
    assert caught.value.reason_code == "reference_unknown"
    assert "Nobody" in caught.value.what


def test_an_unknown_id_is_the_ledgers_word(ledger, document, create):
    with pytest.raises(LedgerRejected) as caught:
        ledger.write(create(document(customer=LedgerReference(id="999"))))
    assert caught.value.reason_code == "2500"


def test_a_name_is_looked_up_anew_when_its_entry_was_replaced(ledger, books, document, create):
    ledger.write(create(document()))
    old = next(c for c in books.stored("Item") if c["Name"] == "Consulting")
    income = old["IncomeAccountRef"]
    books.person("edit", "item", id=old["Id"], changes={"Active": False})
    books.person(
        "add",
        "item",
        changes={"Name": "Consulting", "Type": "Service", "IncomeAccountRef": income},
    )
    ledger.write(create(document(number="HB-2", document_id="other"), "key-2"))
    used = books.stored()[1]["Line"][0]["SalesItemLineDetail"]["ItemRef"]["value"]
    assert used != old["Id"]


def test_a_line_for_an_account_cannot_be_sold(ledger, document, line, create):
    account = line(item=None, account=LedgerReference(name="Checking"))
    with pytest.raises(LedgerRejected) as caught:
        ledger.write(create(document(lines=(account,))))
    assert caught.value.reason_code == "item_required"


def test_a_closed_period_is_told_as_such(ledger, books, document, create):
    assert ledger.closed_through() is None
    books.prefer("AccountingInfoPrefs", BookCloseDate="2026-01-31")
    with pytest.raises(PeriodClosed) as caught:
        ledger.write(create(document()))
    assert caught.value.reason_code == "6210"
    assert not books.stored()


def test_anothers_number_is_left_alone(ledger, books, document, create):
    books.person(
        "add",
        changes={
            "CustomerRef": {"value": "1"},
            "DocNumber": "HB-1",
            "Line": [
                {
                    "DetailType": "SalesItemLineDetail",
                    "Amount": 1,
                    "SalesItemLineDetail": {"ItemRef": {"value": "1"}},
                }
            ],
        },
    )
    with pytest.raises(DocumentNumberTaken) as caught:
        ledger.write(create(document()))
    assert "TxnId=1" in caught.value.what
    found = ledger.find(document())
    assert found is not None
    assert not found.is_ours
    assert len(books.stored()) == 1
