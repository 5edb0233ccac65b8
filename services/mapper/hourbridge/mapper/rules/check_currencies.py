"""Currency policies that could not be applied: found when they are saved, not at a month's end."""

from __future__ import annotations

from collections.abc import Iterator

from hourbridge.common.book import BookConfiguration, ledger_account
from hourbridge.common.book.accounts import AccountRole
from hourbridge.mapper.rules.findings import Finding, warning

_WHERE = "currencies.revaluation"


def check_currencies(book: BookConfiguration) -> Iterator[Finding]:
    """Yield what keeps a book's revaluation from being entered."""
    if book.currencies.revaluation == "off":
        return
    sold, bought = _foreign(book)
    if not sold and not bought:
        detail = f"nobody is billed, or bills, in another currency than {book.currency}"
        yield warning("nothing_to_revalue", _WHERE, detail)
    needed = [AccountRole.FX_UNREALIZED]
    needed += [AccountRole.RECEIVABLE_REVALUATION] if sold else []
    needed += [AccountRole.PAYABLE_REVALUATION] if bought else []
    missing = [role.value for role in needed if ledger_account(book.accounts, role) is None]
    if missing and (sold or bought):
        detail = f"no account of the ledger is named for {', '.join(missing)}"
        yield Finding("revaluation_accounts", _WHERE, detail)


def _foreign(book: BookConfiguration) -> tuple[bool, bool]:
    """Return whether there are clients, and vendors, in other currencies than the book's."""
    clients = {rule.currency for rule in book.clients}
    vendors = {rule.currency for rule in book.subcontractors}
    home = {None, book.currency}
    return bool(clients - home), bool(vendors - home)
