"""The ledger itself: accounts for their roles, items, tax codes, and what is set up how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from hourbridge.common.book import AccountRole, BookConfiguration, LedgerReference
from hourbridge.matching.auditing.findings import AuditFinding, Severity
from hourbridge.matching.entry import LEDGER, Entry
from hourbridge.matching.names import canonical

_ACCOUNTS = "accounts and items"
_SETUP = "set-up of the ledger"

_BANKS = ("Bank",)
_ASSETS = ("Other Current Asset", "Other Asset", "Fixed Asset")
_LIABILITIES = ("Other Current Liability", "Long Term Liability")
_INCOME = ("Income", "Other Income")
_EXPENSES = ("Expense", "Other Expense", "Cost of Goods Sold")
TYPES: dict[AccountRole, tuple[str, ...]] = {
    AccountRole.RECEIVABLE: ("Accounts Receivable",),
    AccountRole.PAYABLE: ("Accounts Payable",),
    AccountRole.BANK: _BANKS,
    AccountRole.REVENUE: _INCOME,
    AccountRole.REIMBURSABLE: (*_ASSETS, *_INCOME, *_EXPENSES),
    AccountRole.MARKUP_REVENUE: _INCOME,
    AccountRole.EXPENSE: _EXPENSES,
    AccountRole.TAX_PAYABLE: _LIABILITIES,
    AccountRole.INPUT_TAX: (*_ASSETS, *_LIABILITIES),
    AccountRole.CUSTOMER_DEPOSITS: _LIABILITIES,
    AccountRole.TRUST_BANK: _BANKS,
    AccountRole.FORFEITED_REVENUE: _INCOME,
    AccountRole.SUBCONTRACTOR_COST: _EXPENSES,
    AccountRole.RETAINAGE_PAYABLE: (*_LIABILITIES, "Accounts Payable"),
    AccountRole.FX_REALIZED: (*_INCOME, *_EXPENSES),
    AccountRole.FX_UNREALIZED: (*_INCOME, *_EXPENSES),
    AccountRole.RECEIVABLE_REVALUATION: (*_ASSETS, "Accounts Receivable"),
    AccountRole.PAYABLE_REVALUATION: (*_LIABILITIES, "Accounts Payable"),
    AccountRole.DEPOSITS_REVALUATION: _LIABILITIES,
    AccountRole.WRITE_DOWN: (*_INCOME, *_EXPENSES),
    AccountRole.UNBILLED: _ASSETS,
    AccountRole.DEFERRED_REVENUE: _LIABILITIES,
    AccountRole.ROUNDING: (*_EXPENSES, *_INCOME),
    AccountRole.OPENING_BALANCES: ("Equity",),
    AccountRole.CREDIT_CARD: ("Credit Card",),
}
"""The ledger's account types that can play a role in our postings."""


@dataclass(frozen=True, slots=True)
class Named:
    """A thing of the ledger that the configuration names, and where."""

    where: str
    list_name: str
    reference: LedgerReference


def chart(
    book: BookConfiguration, named: Iterable[Named], entries: Iterable[Entry]
) -> Iterator[AuditFinding]:
    """Yield what the configuration names and the ledger lacks, has closed, or has otherwise."""
    known = _Known(entries)
    for each in named:
        if not known.has_list(each.list_name):
            continue  # never read: said elsewhere, once
        found = known.get(each.list_name, each.reference)
        if not found:
            yield _missing(each)
        for entry in found[:1]:
            yield from _usable(each, entry)
            if each.list_name == "item":
                yield from _item(entry)
    for account in book.accounts:
        found = known.get("account", account.ledger) if account.ledger else []
        for entry in found[:1]:
            yield from _role(book, account.role, entry)
    for entry in known.all("item"):
        if entry.is_usable and (entry.type or "").casefold() == "service":
            yield from _item(entry)
    yield from _accounts_of_items(known)


def _missing(each: Named) -> AuditFinding:
    return AuditFinding(
        f"{each.list_name}_missing",
        "error",
        _ACCOUNTS,
        each.where,
        f"the ledger has no {each.list_name.replace('_', ' ')} {each.reference.key}",
        "Create it in the ledger, or correct the configuration.",
    )


def _usable(each: Named, entry: Entry) -> Iterator[AuditFinding]:
    if not entry.is_usable:
        yield AuditFinding(
            f"{each.list_name}_inactive",
            "error",
            _ACCOUNTS,
            each.where,
            f"{entry.words()} is inactive in the ledger",
            "Make it active again, or name another one.",
        )
    if entry.is_header:
        yield AuditFinding(
            f"{each.list_name}_header",
            "error",
            _ACCOUNTS,
            each.where,
            f"{entry.words()} only groups others; nothing can be posted to it",
            "Name one of those below it.",
        )


def _item(entry: Entry) -> Iterator[AuditFinding]:
    if not entry.attributes.get("IncomeAccountRef.value"):
        yield AuditFinding(
            "item_without_income",
            "error",
            _ACCOUNTS,
            entry.words(),
            "the item has no income account: invoices with it are refused, or land nowhere",
            "Give the item an income account in the ledger.",
        )


def _role(book: BookConfiguration, role: AccountRole, entry: Entry) -> Iterator[AuditFinding]:
    wanted = TYPES.get(role, ())
    if (
        wanted
        and entry.type is not None
        and entry.type.casefold() not in {t.casefold() for t in wanted}
    ):
        yield AuditFinding(
            "account_type",
            "error",
            _ACCOUNTS,
            f"account {role.value}",
            f"{entry.words()} is of the type {entry.type}; it should be {' or '.join(wanted)}",
            "Name an account of the right type, or change its type in the ledger.",
        )
    if entry.currency not in (None, book.currency):
        yield AuditFinding(
            "account_currency",
            "warning",
            _ACCOUNTS,
            f"account {role.value}",
            f"{entry.words()} is kept in {entry.currency}, the book in {book.currency}",
            "Name an account in the book's currency, unless you mean this one.",
        )


def _accounts_of_items(known: _Known) -> Iterator[AuditFinding]:
    """Yield items that sell into an account that is closed or of a wrong type."""
    accounts = {entry.entry_id: entry for entry in known.all("account")}
    for item in known.all("item"):
        account = accounts.get(item.attributes.get("IncomeAccountRef.value", ""))
        if account is None or not item.is_usable:
            continue
        if not account.is_usable:
            yield AuditFinding(
                "income_account_inactive",
                "error",
                _ACCOUNTS,
                item.words(),
                f"its income account, {account.words()}, is inactive",
                "Make the account active, or give the item another one.",
            )


class _Known:
    """The ledger's entries by list, id and name."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._lists: dict[str, list[Entry]] = {}
        for entry in entries:
            if entry.side == LEDGER and not entry.is_gone:
                self._lists.setdefault(entry.list_name, []).append(entry)

    def has_list(self, list_name: str) -> bool:
        return bool(self._lists.get(list_name))

    def all(self, list_name: str) -> list[Entry]:
        return self._lists.get(list_name, [])

    def get(self, list_name: str, reference: LedgerReference) -> list[Entry]:
        """Return what a reference names, active entries first."""
        if reference.id is not None:
            return [e for e in self.all(list_name) if e.entry_id == reference.id]
        wanted = canonical(reference.name or "")
        found = [
            e
            for e in self.all(list_name)
            if wanted in (canonical(e.label), canonical(e.full_name or e.name))
        ]
        return sorted(found, key=lambda entry: not entry.is_usable)


def setup(
    book: BookConfiguration,
    preferences: Mapping[str, str],
    *,
    closed_through: date | None,
    open_from: date | None,
) -> Iterator[AuditFinding]:
    """Yield settings of the ledger that matter for what the book is to post.

    ``open_from`` is the first day of work that isn't posted yet.
    """
    is_on = {name: value.casefold() == "true" for name, value in preferences.items()}
    if preferences:
        yield from _preferences(book, is_on)
    if closed_through is not None:
        is_before = open_from is not None and open_from <= closed_through
        yield AuditFinding(
            "closed_period",
            "error" if is_before else "note",
            _SETUP,
            f"books closed through {closed_through}",
            f"the oldest work that waits is of {open_from}" if is_before else "nothing lies in it",
            "Reopen the period in the ledger, or post with a date after it."
            if is_before
            else "Nothing to do.",
        )


def _preferences(book: BookConfiguration, is_on: Mapping[str, bool]) -> Iterator[AuditFinding]:
    if not is_on.get("SalesFormsPrefs.CustomTxnNumbers", False):
        yield _setting(
            "custom_numbers",
            "error",
            "Custom transaction numbers are off: the ledger would number our documents itself",
            "Turn on custom transaction numbers (sales settings).",
        )
    uses_classes = (
        any(rule.class_ref for rule in book.projects)
        or any(rule.class_ref for rule in book.tasks)
        or any(rule.list == "class" for rule in book.lists.rules)
    )
    tracks = is_on.get("AccountingInfoPrefs.ClassTrackingPerTxn") or is_on.get(
        "AccountingInfoPrefs.ClassTrackingPerTxnLine"
    )
    if uses_classes and not tracks:
        yield _setting(
            "classes_off",
            "error",
            "the book uses classes, and the ledger doesn't track them",
            "Turn on class tracking, or take the classes out of the mapping.",
        )
    currencies = {client.currency for client in book.clients if client.currency}
    if currencies - {book.currency} and not is_on.get("CurrencyPrefs.MultiCurrencyEnabled", False):
        yield _setting(
            "multicurrency_off",
            "error",
            f"clients are billed in {', '.join(sorted(currencies))}, the ledger has one currency",
            "Turn on multicurrency. It can't be turned off again.",
        )
    billable = is_on.get("VendorAndPurchasesPrefs.BillableExpenseTracking", False)
    if billable and book.expense_policy.bill_costs:
        yield _setting(
            "billable_tracking",
            "warning",
            "billable expenses are tracked in the ledger as well: people may bill them twice",
            "Leave the billable mark off what comes from here, or turn the tracking off.",
        )


def _setting(code: str, severity: Severity, detail: str, advice: str) -> AuditFinding:
    return AuditFinding(code, severity, _SETUP, "preferences", detail, advice)
