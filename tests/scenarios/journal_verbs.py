"""What scenarios ask the journal: balances by role, and whether both programs accept it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from hourbridge.cli.client import AdminClient
from hourbridge.cli.commands.journal import download
from hourbridge.cli.explaining.finding import DocumentFound
from hourbridge.cli.explaining.story import tell
from tests.support.oracles import check_beancount, check_hledger

_WITH_LINES = ("invoice", "credit_memo")


class JournalVerbs:
    """Verbs of an office that concern its books' journals."""

    client: AdminClient
    books: set[str]

    def balances(
        self, through: str | None = None, *, client: str | None = None, book: str = "office"
    ) -> dict[str, Decimal]:
        """Return what each account role holds in the book's currency, settled ones left out."""
        found: dict[str, Decimal] = {}
        for row in self.account_balances(through, client=client, book=book):
            found[row["role"]] = found.get(row["role"], Decimal(0)) + Decimal(row["base_amount"])
        return {role: amount for role, amount in found.items() if amount}

    def account_balances(
        self, through: str | None = None, *, client: str | None = None, book: str = "office"
    ) -> list[dict[str, Any]]:
        """Return the journal's balances by account and currency, as owed and as carried."""
        path = f"/v1/books/{book}/journal/balances"
        answer = self.client.get("poster", path, through=through, client=client)
        rows: list[dict[str, Any]] = answer["balances"]
        return rows

    def export_journal(self, folder: Path, book: str = "office") -> tuple[Path, Path]:
        """Write a book's journal; return the paths of hledger's and of beancount's file."""
        paths = folder / f"{book}.hledger", folder / f"{book}.beancount"
        for format_name, path in zip(("hledger", "beancount"), paths, strict=True):
            download(self.client, book, format_name, path)
        return paths

    def check_journal(self, folder: Path) -> None:
        """Fail unless every book's journal agrees with its documents, and both programs with it."""
        for book in sorted(self.books):
            found = self.client.get("poster", f"/v1/books/{book}/journal/check")
            assert (found["unbalanced"], found["documents"]) == ([], []), book
            ledger, beans = self.export_journal(folder, book)
            check_hledger(ledger)
            check_beancount(beans)

    def check_explained(self) -> None:
        """Fail unless every line of every document is told with charges, and adds up."""
        for book in sorted(self.books):
            listed = self.client.get("poster", f"/v1/books/{book}/documents")["documents"]
            for row in listed:
                if row["kind"] not in _WITH_LINES:
                    continue
                story = tell(self.client, book, DocumentFound(row["document_id"]))
                wrong = [each["line"] for each in story["lines"] if not each["adds_up"]]
                assert not wrong, (book, row["number"], wrong)
                for each in story["lines"]:
                    is_correction = bool(each["corrects"])
                    assert not is_correction or each["entries"], (row["number"], each["line"])
