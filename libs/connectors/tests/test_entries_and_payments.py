"""Journal entries, vendor bills, payments and links as they arrive in the ledger's books."""

from datetime import date
from decimal import Decimal

import pytest

from hourbridge.common.book import LedgerReference
from hourbridge.common.book.accounts import AccountRole
from hourbridge.common.errors import DocumentNumberTaken, LedgerRejected
from hourbridge.common.messages.events import DocumentKind, Posting, Settlement
from hourbridge.connectors.ledger import LedgerWrite, SettledInLedger, WriteKind

pytestmark = pytest.mark.database
CUSTOMER = LedgerReference(name="O'Neil & Sons")
BRAVO = LedgerReference(name="Bravo")


def posting(role, amount, name=None, **more):
    account = LedgerReference(name=name) if name else None
    value = Decimal(amount)
    return Posting(role=role, amount=value, base_amount=value, account=account, **more)


def entry(document, *postings, number="HBJ-1", **changes):
    fields = {"document_id": f"id-{number}", "customer": CUSTOMER, "memo": "Retainer"}
    total = sum((each.amount for each in postings if each.amount > 0), Decimal(0))
    return document(
        kind=DocumentKind.JOURNAL_ENTRY,
        number=number,
        postings=postings,
        lines=(),
        total=total,
        **(fields | changes),
    )


def application(document, amount="400.00", **changes):
    return entry(
        document,
        posting(AccountRole.CUSTOMER_DEPOSITS, amount, "Customer Deposits"),
        posting(AccountRole.RECEIVABLE, f"-{amount}"),
        **changes,
    )


def bill(document, line, *amounts, **changes):
    lines = tuple(
        line(
            line_id=f"l{n}",
            position=n,
            item=None,
            account=LedgerReference(name=name),
            quantity=Decimal(1),
            unit_price=Decimal(amount),
            amount=Decimal(amount),
        )
        for n, (name, amount) in enumerate(amounts, start=1)
    )
    fields = {"document_id": "id-bill", "number": "HBB-1", "vendor": BRAVO, "customer": None}
    return document(kind=DocumentKind.VENDOR_BILL, lines=lines, **(fields | changes))


def balances(sandbox, realm="4620816365000000001"):
    from hourbridge.sandbox.quickbooks_online.general_ledger import trial_balance

    found = trial_balance(sandbox.world.companies[realm])
    return {name: amount for name, amount in found.items() if amount}


def apply(of, ledger_id, *settled, key="link-1", **fields):
    return LedgerWrite(
        operation_key=key,
        kind=WriteKind.APPLY,
        document=of,
        ledger_id=ledger_id,
        settles=settled,
        **fields,
    )


def test_a_journal_entry_arrives_with_its_accounts_and_customer(
    ledger, books, document, create, sandbox
):
    stated = application(document)
    posted = ledger.write(create(stated))
    (stored,) = books.stored("JournalEntry")
    assert (stored["DocNumber"], stored["TxnDate"]) == ("HBJ-1", "2026-01-31")
    assert stored["PrivateNote"] == "hourbridge:id-HBJ-1 Retainer"
    debit, credit = (one["JournalEntryLineDetail"] for one in stored["Line"])
    assert (debit["PostingType"], debit["AccountRef"]["name"]) == ("Debit", "Customer Deposits")
    assert (credit["PostingType"], credit["Entity"]["Type"]) == ("Credit", "Customer")
    assert posted.total == Decimal("400.00")
    assert [one.amount for one in posted.lines] == [Decimal("400.00"), Decimal("-400.00")]
    assert posted.marked_document_id == "id-HBJ-1"
    assert balances(sandbox) == {
        "Accounts Receivable (A/R)": Decimal("-400.00"),
        "Customer Deposits": Decimal("400.00"),
    }
    again = ledger.find(stated)
    assert (again.ledger_id, again.is_ours) == (posted.ledger_id, True)


@pytest.mark.parametrize(
    ("changes", "postings", "code"),
    [
        ({}, [("bank", "5.00", None), ("revenue", "-5.00", "Services")], "account_unmapped"),
        ({"customer": None}, [("bank", "5", "Checking"), ("receivable", "-5", None)], "customer"),
        ({}, [("bank", "5.001", "Checking"), ("revenue", "-5.001", "Services")], "precision"),
        ({}, [("bank", "5", "Nowhere"), ("revenue", "-5", "Services")], "reference_unknown"),
        ({}, [("bank", "0", "Checking"), ("revenue", "0", "Services")], "base_only_posting"),
    ],
)
def test_what_can_not_be_expressed_is_refused_before_sending(
    ledger, books, document, create, changes, postings, code
):
    stated = entry(document, *(posting(AccountRole(r), a, n) for r, a, n in postings), **changes)
    with pytest.raises(LedgerRejected) as refused:
        ledger.write(create(stated))
    assert code in refused.value.reason_code
    assert books.stored("JournalEntry") == []


def test_a_vendor_bill_carries_the_vendors_number_and_its_hold_back(
    ledger, books, document, line, create, sandbox
):
    amounts = [("Subcontractors", "800.00"), ("Retainage Payable", "-40.00")]
    stated = bill(document, line, *amounts, vendor_bill_number="B-77", due_date=date(2026, 2, 28))
    posted = ledger.write(create(stated))
    (stored,) = books.stored("Bill")
    assert (stored["DocNumber"], stored["DueDate"]) == ("B-77", "2026-02-28")
    assert stored["VendorRef"]["name"] == "Bravo"
    statuses = {o["AccountBasedExpenseLineDetail"]["BillableStatus"] for o in stored["Line"]}
    assert statuses == {"NotBillable"}
    assert (posted.number, posted.total, posted.open_balance) == ("B-77", 760, 760)
    assert balances(sandbox) == {
        "Accounts Payable (A/P)": Decimal("-760.00"),
        "Retainage Payable": Decimal("-40.00"),
        "Subcontractors": Decimal("800.00"),
    }
    assert ledger.find(stated).is_ours


def test_a_vendors_number_is_taken_once_per_vendor(ledger, document, line, create):
    cost = ("Subcontractors", "10.00")
    ledger.write(create(bill(document, line, cost, vendor_bill_number="B-1")))
    other = {"document_id": "id-2", "number": "HBB-2", "vendor_bill_number": "B-1"}
    with pytest.raises(DocumentNumberTaken):
        ledger.write(create(bill(document, line, cost, **other), "key-2"))
    elsewhere = bill(document, line, cost, **other, vendor=LedgerReference(name="Hotel Ritz"))
    assert ledger.write(create(elsewhere, "key-3")).number == "B-1"


def test_a_bill_without_or_with_too_long_a_number_has_ours(ledger, books, document, line, create):
    cost = ("Project Costs", "10.00")
    assert ledger.write(create(bill(document, line, cost))).number == "HBB-1"
    long = bill(
        document, line, cost, document_id="id-2", number="HBB-2", vendor_bill_number="x" * 30
    )
    posted = ledger.write(create(long, "key-2"))
    assert posted.number == "HBB-2"
    assert f"bill {'x' * 30}" in books.stored("Bill")[-1]["PrivateNote"]


def payment(document, amount, *settled, **changes):
    value = Decimal(amount)
    fields = {
        "kind": DocumentKind.PAYMENT,
        "document_id": "id-pay",
        "number": "HBP-1",
        "lines": (),
        "total": value,
        "postings": (
            posting(AccountRole.BANK, amount, "Checking"),
            posting(AccountRole.RECEIVABLE, f"-{amount}"),
        ),
        "settles": settled,
    }
    return document(**(fields | changes))


def test_a_payment_settles_its_invoice(ledger, books, document, create, sandbox):
    invoice = ledger.write(create(document()))
    settled = SettledInLedger(DocumentKind.INVOICE, invoice.ledger_id, Decimal("500.00"))
    statement = Settlement(document_id="i", number="HB-1", amount=Decimal("500.00"))
    posted = ledger.write(
        create(payment(document, "520.00", statement), "key-2", settles=(settled,))
    )
    assert (posted.number, posted.total, posted.open_balance) == ("HBP-1", 520, 20)
    assert posted.settles == (settled,)
    assert ledger.read(DocumentKind.INVOICE, invoice.ledger_id).open_balance == Decimal("62.50")
    assert balances(sandbox)["Checking"] == 520
    assert balances(sandbox)["Accounts Receivable (A/R)"] == Decimal("42.50")
    assert ledger.find(payment(document, "520.00")).ledger_id == posted.ledger_id


def test_a_payment_to_a_vendor_settles_its_bill(ledger, document, line, create, sandbox):
    owed = ledger.write(create(bill(document, line, ("Subcontractors", "90.00"))))
    settled = SettledInLedger(DocumentKind.VENDOR_BILL, owed.ledger_id, Decimal("90.00"))
    paid = payment(
        document,
        "90.00",
        kind=DocumentKind.BILL_PAYMENT,
        customer=None,
        vendor=BRAVO,
        postings=(
            posting(AccountRole.PAYABLE, "90.00"),
            posting(AccountRole.BANK, "-90.00", "Checking"),
        ),
    )
    posted = ledger.write(create(paid, "key-2", settles=(settled,)))
    assert (posted.number, posted.total) == ("HBP-1", 90)
    assert ledger.read(DocumentKind.VENDOR_BILL, owed.ledger_id).open_balance == 0
    assert balances(sandbox) == {"Checking": Decimal(-90), "Subcontractors": Decimal(90)}


def test_a_credit_memo_is_linked_to_its_invoice_once(ledger, books, document, line, create):
    invoice = ledger.write(create(document()))
    memo = document(
        kind=DocumentKind.CREDIT_MEMO,
        document_id="id-memo",
        number="HB-2",
        lines=(line(quantity=Decimal(1), amount=Decimal("150")),),
    )
    credit = ledger.write(create(memo, "key-2"))
    target = SettledInLedger(DocumentKind.INVOICE, invoice.ledger_id, Decimal("150"))
    for key in ("link-1", "link-1", "link-2"):
        linked = ledger.write(apply(memo, credit.ledger_id, target, key=key))
        assert (linked.ledger_id, linked.open_balance) == (credit.ledger_id, 0)
    assert ledger.read(DocumentKind.INVOICE, invoice.ledger_id).open_balance == Decimal("412.50")
    (link,) = books.stored("Payment")
    assert link["TotalAmt"] == link["UnappliedAmt"] == 0
    everything = (date(2026, 1, 1), date(2026, 12, 31))
    assert list(ledger.documents(DocumentKind.PAYMENT, *everything)) == []


def test_a_link_never_takes_more_than_is_open(ledger, books, document, create):
    invoice = ledger.write(create(document()))
    books.person("pay", number="HB-1", amount=Decimal("500.00"))
    stated = application(document)
    posted = ledger.write(create(stated, "key-2"))
    target = SettledInLedger(DocumentKind.INVOICE, invoice.ledger_id, Decimal("400"))
    ledger.write(apply(stated, posted.ledger_id, target))
    assert ledger.read(DocumentKind.INVOICE, invoice.ledger_id).open_balance == 0
    applied = books.stored("Payment")[-1]["Line"][0]["Amount"]
    assert applied == Decimal("62.50")
    nothing = entry(document, *stated.postings, number="HBJ-2")
    later = ledger.write(create(nothing, "key-3"))
    ledger.write(apply(nothing, later.ledger_id, target, key="link-2"))
    assert len(books.stored("Payment")) == 2


def test_a_lost_answer_to_a_link_makes_no_second_one(ledger, books, document, create):
    from hourbridge.common.errors import LedgerOutcomeUnknown

    invoice = ledger.write(create(document()))
    stated = application(document)
    posted = ledger.write(create(stated, "key-2"))
    target = SettledInLedger(DocumentKind.INVOICE, invoice.ledger_id, Decimal("400"))
    books.fault("lose_response", on="writes")
    with pytest.raises(LedgerOutcomeUnknown):
        ledger.write(apply(stated, posted.ledger_id, target))
    books.settings(requestid_memory_seconds=0)
    ledger.write(apply(stated, posted.ledger_id, target, is_repeat=True))
    assert len(books.stored("Payment")) == 1
    assert ledger.read(DocumentKind.INVOICE, invoice.ledger_id).open_balance == Decimal("162.50")


def test_a_vendor_credit_is_linked_to_its_bill(ledger, document, line, create):
    owed = ledger.write(create(bill(document, line, ("Subcontractors", "90.00"))))
    credit = bill(document, line, ("Subcontractors", "30.00")).model_copy(
        update={"kind": DocumentKind.VENDOR_CREDIT, "document_id": "id-vc", "number": "HBV-1"}
    )
    posted = ledger.write(create(credit, "key-2"))
    target = SettledInLedger(DocumentKind.VENDOR_BILL, owed.ledger_id, Decimal("30"))
    assert ledger.write(apply(credit, posted.ledger_id, target)).open_balance == 0
    assert ledger.read(DocumentKind.VENDOR_BILL, owed.ledger_id).open_balance == 60


def test_an_entry_changed_by_hand_is_brought_back(ledger, books, document, create):
    stated = application(document)
    posted = ledger.write(create(stated))
    books.person("edit", "journalentry", number="HBJ-1", changes={"PrivateNote": "looked at"})
    found = ledger.read(DocumentKind.JOURNAL_ENTRY, posted.ledger_id)
    assert not found.is_ours
    back = ledger.write(
        LedgerWrite("key-9", WriteKind.UPDATE, stated, posted.ledger_id, found.edit_token)
    )
    assert back.marked_document_id == "id-HBJ-1"
    assert back.private_note == "hourbridge:id-HBJ-1 Retainer looked at"


def test_a_line_of_an_account_sells_the_item_that_posts_there(
    ledger, books, document, line, create, sandbox
):
    clearing = LedgerReference(name="Reimbursable Costs")
    one = line(
        item=None,
        account=clearing,
        quantity=Decimal(1),
        unit_price=Decimal("88.40"),
        amount=Decimal("88.40"),
    )
    ledger.write(create(document(lines=(one,))))
    assert balances(sandbox)["Reimbursable Costs"] == Decimal("-88.40")
    nowhere = one.model_copy(update={"account": LedgerReference(name="Rounding Differences")})
    with pytest.raises(LedgerRejected, match="make a service item") as refused:
        ledger.write(create(document(number="HB-2", lines=(nowhere,)), "key-2"))
    assert refused.value.reason_code == "item_required"


def test_a_card_charge_of_others_is_read(ledger, books, document, create):
    books.person(
        "add",
        "purchase",
        changes={
            "PaymentType": "CreditCard",
            "AccountRef": {"value": _account(books, "Company Card")},
            "EntityRef": {"value": _vendor(books, "Hotel Ritz"), "type": "Vendor"},
            "TxnDate": "2026-02-03",
            "Line": [
                {
                    "DetailType": "AccountBasedExpenseLineDetail",
                    "Amount": Decimal("61.20"),
                    "AccountBasedExpenseLineDetail": {
                        "AccountRef": {"value": _account(books, "Project Costs")}
                    },
                }
            ],
        },
    )
    days = (date(2026, 2, 1), date(2026, 2, 28))
    (charge,) = ledger.documents(DocumentKind.CREDIT_CARD_CHARGE, *days)
    assert (charge.total, charge.vendor_id) == (Decimal("61.20"), _vendor(books, "Hotel Ritz"))
    assert list(ledger.documents(DocumentKind.CHECK, *days)) == []
    with pytest.raises(LedgerRejected, match="no account of the ledger"):
        ledger.write(create(document(kind=DocumentKind.CREDIT_CARD_CHARGE)))


def _account(books, name):
    return next(a["Id"] for a in books.stored("Account") if a["Name"] == name)


def _vendor(books, name):
    return next(v["Id"] for v in books.stored("Vendor") if v["DisplayName"] == name)
