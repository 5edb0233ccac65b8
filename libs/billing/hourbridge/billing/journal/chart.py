"""The chart of accounts that a book's journal uses: names by role, and the book's currency."""

from __future__ import annotations

from dataclasses import dataclass

from hourbridge.common.book import BookConfiguration
from hourbridge.common.book.accounts import Account, AccountRole, name_of


@dataclass(frozen=True)
class Chart:
    """Which account plays which part; a book that names none has one for every role."""

    currency: str | None = None
    """The book's; None: each document is kept in its own."""
    accounts: tuple[Account, ...] = ()

    @classmethod
    def of(cls, configuration: BookConfiguration | None) -> Chart:
        """Return the chart of a configuration; without one, default names."""
        if configuration is None:
            return cls()
        return cls(configuration.currency, configuration.accounts)

    def name(self, role: AccountRole) -> str:
        """Return an account's name in exported journals."""
        return name_of(self.accounts, role)
