"""The books of stand-ins, read through their control interfaces and set in tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from hourbridge.cli.client import ServiceRefused, ServiceUnreachable
from hourbridge.common.exact_json import loads

_TIMEOUT_SECONDS = 60
_PROFIT_AND_LOSS = ("Revenue", "Expense")
_STARTING_ADVICE = "Start it (`hourbridge sandbox run`) or give its address with --url."
Row = dict[str, Any]


@dataclass(frozen=True)
class Books:
    """What is shown of one account of a stand-in: titled tables of rows."""

    title: str
    tables: Mapping[str, list[Row]]


class SandboxClient:
    """Reads a stand-in's control interface; raises ServiceUnreachable and ServiceRefused."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def get(self, path: str) -> Any:
        """Return the JSON answer of a path below ``/_sandbox``."""
        try:
            answer = httpx.get(f"{self._url}/_sandbox{path}", timeout=_TIMEOUT_SECONDS)
        except httpx.HTTPError as error:
            raise ServiceUnreachable(str(error), advice=_STARTING_ADVICE, url=self._url) from error
        try:
            content = loads(answer.content)
        except ValueError:
            content = None
        if content is None or not answer.is_success:
            what = content.get("error") if isinstance(content, dict) else "not a stand-in's answer"
            raise ServiceRefused(str(what), url=self._url, path=path, status=answer.status_code)
        return content


def bigtime_books(client: SandboxClient, account: str | None, listed: str | None) -> list[Books]:
    """Return the books of the firms of a BigTime stand-in, or one list of each."""
    found = []
    for realm in _accounts(client.get("")["firms"], account):
        if listed is None:
            told = client.get(f"/firms/{realm}/overview")
            tables = {table["title"]: table["rows"] for table in told["tables"]}
            found.append(Books(told["title"], tables))
        else:
            found.append(Books(realm, {listed: client.get(f"/firms/{realm}/lists/{listed}")}))
    return found


def quickbooks_books(client: SandboxClient, account: str | None, listed: str | None) -> list[Books]:
    """Return the books of the companies of a QuickBooks Online stand-in, or one kind of each."""
    found = []
    for realm in _accounts(client.get("")["companies"], account):
        company = client.get(f"/companies/{realm}")
        title = f"{company['info']['CompanyName']} ({realm})"
        if listed is None:
            balances = client.get(f"/companies/{realm}/trial-balance")
            found.append(Books(title, _company_tables(company["tables"], balances)))
        else:
            kinds = {kind.lower(): kind for kind in company["tables"]}
            rows = company["tables"].get(kinds.get(listed.lower(), listed), [])
            found.append(Books(title, {listed: rows}))
    return found


ReadBooks = Callable[[SandboxClient, str | None, str | None], list[Books]]
READERS: dict[str, ReadBooks] = {
    "bigtime": bigtime_books,
    "quickbooks-online": quickbooks_books,
}
"""The stand-ins whose books can be shown."""

_COLUMNS = {
    "time": "SID Dt SourceNm ClientNm ProjectNm Hours_IN HoursBillable ChargeBillable "
    "ApprovalStatusNm",
    "expenses": "SID Dt SourceNm ProjectNm CatNm CostIN CostPayable CostBill ApprovalStatusNm",
    "clients": "SystemId Nm City QBCustomerId IsInactive",
    "projects": "SystemId Nm ClientId ProjectCode IsNoCharge IsInactive",
    "staff": "StaffSID FName SName EMail Rate1 CostFactor QBEmployeeId QBVendorId IsInactive",
}


def columns_of(title: str, rows: list[Row]) -> list[str]:
    """Return which members of a list's records fit a terminal; all where nobody chose."""
    chosen = _COLUMNS[title].split() if title in _COLUMNS else []
    present = dict.fromkeys(name for row in rows for name in row)
    return [name for name in chosen if name in present] or list(present)


def _accounts(known: Iterable[str], account: str | None) -> list[str]:
    found = [name for name in known if account in (None, name)]
    if not found:
        raise ServiceRefused(f"the stand-in has no account {account or 'at all'}")
    return found


def _company_tables(tables: Mapping[str, list[Row]], balances: Mapping[str, Any]) -> Row:
    accounts = {row["Name"]: row for row in tables.get("Account", [])}
    customers = {row["Id"]: row["FullyQualifiedName"] for row in tables.get("Customer", [])}
    vendors = {row["Id"]: row["DisplayName"] for row in tables.get("Vendor", [])}
    return {
        "customers": _parties(tables, customers, "Invoice", "CustomerRef"),
        "vendors": _parties(tables, vendors, "Bill", "VendorRef"),
        "open invoices": _open(tables.get("Invoice", []), customers, "CustomerRef"),
        "open bills": _open(tables.get("Bill", []), vendors, "VendorRef"),
        "profit and loss": _profit_and_loss(accounts, balances),
        "balance sheet accounts": _balance_sheet(accounts, balances),
        "records": [{"kind": kind, "count": len(rows)} for kind, rows in tables.items() if rows],
    }


def _parties(
    tables: Mapping[str, list[Row]], names: Mapping[str, str], kind: str, reference: str
) -> list[Row]:
    """Return everybody with what is open, each in the documents' own currency."""
    open_by_party: dict[str, Decimal] = {}
    for document in tables.get(kind, []):
        party = document[reference]["value"]
        balance = Decimal(document.get("Balance", 0))
        open_by_party[party] = open_by_party.get(party, Decimal(0)) + balance
    return [
        {"id": identity, "name": name, "open": open_by_party.get(identity, Decimal(0))}
        for identity, name in names.items()
    ]


def _open(documents: Iterable[Row], names: Mapping[str, str], reference: str) -> list[Row]:
    return [
        {
            "number": document.get("DocNumber"),
            "for": names.get(document[reference]["value"]),
            "date": document.get("TxnDate"),
            "due": document.get("DueDate"),
            "total": document["TotalAmt"],
            "open": document["Balance"],
            "currency": document.get("CurrencyRef", {}).get("value"),
        }
        for document in documents
        if document.get("Balance")
    ]


def _profit_and_loss(accounts: Mapping[str, Row], balances: Mapping[str, Any]) -> list[Row]:
    """Return income and expense accounts, income positive, and the profit below them."""
    rows: list[Row] = []
    for kind in _PROFIT_AND_LOSS:
        for name, balance in balances.items():
            if balance and accounts.get(name, {}).get("Classification") == kind:
                rows.append({"account": name, "kind": kind, "amount": -Decimal(balance)})
    profit = sum((row["amount"] for row in rows), Decimal(0))
    return [*rows, {"account": "Profit", "kind": "", "amount": profit}] if rows else []


def _balance_sheet(accounts: Mapping[str, Row], balances: Mapping[str, Any]) -> list[Row]:
    """Return the other accounts that are not zero, debits positive."""
    return [
        {"account": name, "kind": kind, "balance": balance}
        for name, balance in balances.items()
        if balance
        and (kind := accounts.get(name, {}).get("Classification", "")) not in _PROFIT_AND_LOSS
    ]
