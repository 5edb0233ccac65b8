"""The double entry behind a company's transactions: what its own reports would show.

Computed anew from what is stored, by rules of its own: a second opinion on every posting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.expense_lines import ACCOUNT_DETAIL, ITEM_DETAIL
from hourbridge.sandbox.quickbooks_online.journal_entries import DETAIL, signed
from hourbridge.sandbox.quickbooks_online.kinds import (
    ACCOUNT,
    BILL,
    BILL_PAYMENT,
    BY_NAME,
    CREDIT_MEMO,
    INVOICE,
    ITEM,
    JOURNAL_ENTRY,
    PAYMENT,
    PURCHASE,
    VENDOR_CREDIT,
    Kind,
)
from hourbridge.sandbox.quickbooks_online.sales_lines import SALES
from hourbridge.sandbox.quickbooks_online.transactions import (
    EXCHANGE_ACCOUNT,
    PAYABLE,
    RECEIVABLE,
    party_account,
    rate_of,
)
from hourbridge.sandbox.quickbooks_online.values import Entity, reference_of

_TAX_ACCOUNT = "Sales Tax Payable"
_UNDEPOSITED = "Checking"
_DISCOUNTS = "Discounts given"


@dataclass(frozen=True)
class Row:
    """One posting; debits positive."""

    kind: str
    id: str
    number: str | None
    date: str
    account: str
    currency: str
    amount: Decimal
    home: Decimal


class _Entry:
    """The postings of one transaction, closed by its balance in home currency."""

    def __init__(self, company: Company, kind: Kind, entity: Entity) -> None:
        self._company, self._kind, self._entity = company, kind, entity
        self.currency = str(entity.get("CurrencyRef", {}).get("value", company.currency))
        self.rate = rate_of(entity)
        self.rows: list[Row] = []

    def post(self, account: str, amount: Decimal, home: Decimal | None = None) -> None:
        converted = self._company.arithmetic.home(amount, self.rate, self._company.currency)
        self.rows.append(
            Row(
                kind=self._kind.name,
                id=self._entity["Id"],
                number=self._entity.get("DocNumber"),
                date=self._entity["TxnDate"],
                account=account,
                currency=self.currency,
                amount=amount,
                home=converted if home is None else home,
            )
        )

    def close(self) -> list[Row]:
        """Return the rows in balance: lines take the document's remainder, or an account does."""
        missing = -sum((row.home for row in self.rows), Decimal(0))
        if missing == 0:
            return self.rows
        if self._company.arithmetic.line_base_amounts or self._kind in (PAYMENT, BILL_PAYMENT):
            self.post(EXCHANGE_ACCOUNT, Decimal(0), missing)
            return self.rows
        self.rows[-1] = replace(self.rows[-1], home=self.rows[-1].home + missing)
        return self.rows


def rows(company: Company) -> Iterator[Row]:
    """Yield every posting of the company's books, transaction by transaction."""
    for kind, post in _POSTINGS.items():
        for entity in company.all(kind):
            yield from post(company, kind, entity)


def trial_balance(company: Company) -> dict[str, Decimal]:
    """Return the balance of each account in home currency, debits positive; zero ones too."""
    balances: dict[str, Decimal] = defaultdict(lambda: Decimal("0.00"))
    for row in rows(company):
        balances[row.account] += row.home
    return dict(sorted(balances.items()))


def _sales(company: Company, kind: Kind, entity: Entity) -> list[Row]:
    sign = 1 if kind is INVOICE else -1
    entry = _Entry(company, kind, entity)
    receivable = party_account(company, RECEIVABLE, entry.currency)
    entry.post(receivable["Name"], sign * entity["TotalAmt"], _home_total(entity, sign))
    for line in entity["Line"]:
        if line["DetailType"] == SALES:
            entry.post(_income_account(company, line[SALES]), -sign * line["Amount"])
        elif line["DetailType"] == "DiscountLineDetail":
            entry.post(_DISCOUNTS, sign * line["Amount"])
    if entity["TxnTaxDetail"]["TotalTax"]:
        entry.post(_TAX_ACCOUNT, -sign * entity["TxnTaxDetail"]["TotalTax"])
    return entry.close()


def _purchase(company: Company, kind: Kind, entity: Entity) -> list[Row]:
    sign = -1 if kind is VENDOR_CREDIT or entity.get("Credit") else 1
    entry = _Entry(company, kind, entity)
    paid_from = entity.get("AccountRef") or entity["APAccountRef"]
    entry.post(_name(company, paid_from), -sign * entity["TotalAmt"], _home_total(entity, -sign))
    for line in entity["Line"]:
        detail = line.get(ACCOUNT_DETAIL)
        account = (
            _name(company, detail["AccountRef"])
            if detail
            else _cost_account(company, line[ITEM_DETAIL])
        )
        entry.post(account, sign * line["Amount"])
    return entry.close()


def _journal(company: Company, kind: Kind, entity: Entity) -> list[Row]:
    entry = _Entry(company, kind, entity)
    for line in entity["Line"]:
        entry.post(_name(company, line[DETAIL]["AccountRef"]), signed(line))
    return entry.close()


def _payment(company: Company, kind: Kind, entity: Entity) -> list[Row]:
    is_received = kind is PAYMENT
    sign = 1 if is_received else -1
    entry = _Entry(company, kind, entity)
    money = entity["TotalAmt"]
    if money:
        entry.post(_money_account(company, entity), sign * money)
    account_type = RECEIVABLE if is_received else PAYABLE
    owed = party_account(company, account_type, entry.currency)["Name"]
    for line in entity["Line"]:
        (link,) = line["LinkedTxn"]
        linked = company.get(BY_NAME[link["TxnType"]], link["TxnId"])
        rate = rate_of(linked) if linked else entry.rate
        direction = 1 if line.get("IsCredit") else -1
        home = company.arithmetic.home(line["Amount"], rate, company.currency)
        entry.post(owed, sign * direction * line["Amount"], sign * direction * home)
    if entity.get("UnappliedAmt"):
        entry.post(owed, -entity["UnappliedAmt"])
    return entry.close()


_POSTINGS: dict[Kind, Callable[[Company, Kind, Entity], list[Row]]] = {
    INVOICE: _sales,
    CREDIT_MEMO: _sales,
    BILL: _purchase,
    VENDOR_CREDIT: _purchase,
    PURCHASE: _purchase,
    JOURNAL_ENTRY: _journal,
    PAYMENT: _payment,
    BILL_PAYMENT: _payment,
}


def _home_total(entity: Entity, sign: int) -> Decimal | None:
    total = entity.get("HomeTotalAmt")
    return None if total is None else sign * total


def _money_account(company: Company, entity: Entity) -> str:
    for block, name in (("CheckPayment", "BankAccountRef"), ("CreditCardPayment", "CCAccountRef")):
        if block in entity:
            return _name(company, entity[block][name])
    deposited = entity.get("DepositToAccountRef")
    return _name(company, deposited) if deposited else _UNDEPOSITED


def _name(company: Company, reference: Any) -> str:
    account: Any = company.get(ACCOUNT, reference["value"])
    return str(account["Name"])


def _income_account(company: Company, detail: Entity) -> str:
    return _item_account(company, detail, "IncomeAccountRef")


def _cost_account(company: Company, detail: Entity) -> str:
    return _item_account(company, detail, "ExpenseAccountRef")


def _item_account(company: Company, detail: Entity, name: str) -> str:
    item = company.get(ITEM, reference_of(detail, "ItemRef") or "")
    reference = (item or {}).get(name)
    return _name(company, reference) if reference else "Uncategorized"
