"""The ids that a document's references have in the ledger, and what a document needs of them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hourbridge.common.book import LedgerReference
from hourbridge.common.book.accounts import AccountRole
from hourbridge.common.errors import LedgerRejected
from hourbridge.common.messages.events import Document, DocumentLine
from hourbridge.common.money import EXACT, RoundingMode, minor_unit_digits, round_digits
from hourbridge.connectors.ledger import LedgerEntity
from hourbridge.connectors.quickbooks_online.entities import Entities
from hourbridge.connectors.quickbooks_online.preferences import Preferences

AMOUNT_DECIMALS = 2
DESCRIPTION_CHARACTERS_MAX = 4000
_PARTY_TYPES = {
    AccountRole.RECEIVABLE: "Accounts Receivable",
    AccountRole.PAYABLE: "Accounts Payable",
}


@dataclass(frozen=True)
class References:
    """Turns what a document names into ids, and its currency into what the company takes."""

    entities: Entities
    preferences: Preferences

    def to(self, kind: str, reference: LedgerReference) -> dict[str, str]:
        """Return the reference to an entry of a list; raises LedgerRejected for an unknown one."""
        return {"value": self.entities.id_of(kind, reference)}

    def account(
        self, role: AccountRole | None, named: LedgerReference | None, document: Document
    ) -> dict[str, str]:
        """Return the reference to a posting's account.

        A foreign document posts to the receivable and payable account of its own currency, of
        which the ledger keeps one each; they need no name in the book.
        """
        if role in _PARTY_TYPES:
            return {"value": self._party_account(_PARTY_TYPES[role], named, document)}
        if named is None:
            what = f"the book names no account of the ledger for {role or 'the line'}"
            raise LedgerRejected(what, reason_code="account_unmapped", number=document.number)
        return self.to("account", named)

    def buyer(self, document: Document) -> dict[str, str]:
        """Return the reference to the job or customer of a document."""
        buyer = document.job or document.customer
        if buyer is None:
            what = "the document concerns a customer and names none"
            raise LedgerRejected(what, reason_code="customer_missing", number=document.number)
        return self.to("customer", buyer)

    def customer_or_project(self, document: Document) -> dict[str, Any]:
        """Return the references to whom a document is for: a true project beside its customer."""
        buyer = self.buyer(document)
        known = self.entities.resolve("customer", LedgerReference(id=buyer["value"]))
        if known is None or not known.is_project or known.parent_id is None:
            return {"CustomerRef": buyer}
        return {"CustomerRef": {"value": known.parent_id}, "ProjectRef": buyer}

    def department(self, document: Document) -> dict[str, Any]:
        """Return the location of a document, nothing where the company tracks none."""
        if document.department is None or not self.preferences.tracks_departments:
            return {}
        return {"DepartmentRef": self.to("department", document.department)}

    def line_class(self, line: DocumentLine) -> dict[str, Any]:
        """Return the class of a line, nothing where the company keeps none for lines."""
        if line.class_ref is None or not self.preferences.tracks_classes:
            return {}
        return {"ClassRef": self.to("class", line.class_ref)}

    def transaction_class(self, document: Document) -> dict[str, Any]:
        """Return the class of a whole sale, where the company keeps one for each and all agree."""
        named = {line.class_ref.key: line.class_ref for line in document.lines if line.class_ref}
        if not self.preferences.has_transaction_classes or len(named) != 1:
            return {}
        return {"ClassRef": self.to("class", next(iter(named.values())))}

    def vendor(self, document: Document) -> dict[str, str]:
        """Return the reference to the vendor of a document."""
        if document.vendor is None:
            what = "the document concerns a vendor and names none"
            raise LedgerRejected(what, reason_code="vendor_missing", number=document.number)
        return self.to("vendor", document.vendor)

    def currency(self, document: Document) -> dict[str, Any]:
        """Return the currency block: with the rate that gives our base amounts, where foreign."""
        home = self.preferences.home_currency
        if not self.preferences.is_multi_currency:
            if home is not None and document.currency != home:
                # Sent without its currency the amount would be taken for home currency.
                what = (
                    f"the company keeps its books in {home} only, "
                    f"the document is {document.currency}"
                )
                raise LedgerRejected(what, reason_code="currency_not_home", number=document.number)
            return {}
        block: dict[str, Any] = {"CurrencyRef": {"value": document.currency}}
        rate = _rate(document)
        if document.currency != home and rate is not None:
            block["ExchangeRate"] = rate
        return block

    def check_amount(self, document: Document, amount: Decimal, position: int) -> None:
        """Raise LedgerRejected for an amount finer than its currency, or than two decimals."""
        decimals = max(AMOUNT_DECIMALS, minor_unit_digits(document.currency))
        if round_digits(amount, decimals, RoundingMode.DOWN) != amount:
            what = f"amounts have {decimals} decimals in the ledger, the line has {amount}"
            raise LedgerRejected(
                what, reason_code="currency_precision", number=document.number, line=position
            )

    def _party_account(
        self, account_type: str, named: LedgerReference | None, document: Document
    ) -> str:
        wanted = document.currency if self.preferences.is_multi_currency else None
        if named is not None:
            known = self.entities.resolve("account", named)
            if known is not None and wanted in (None, known.currency):
                return self.entities.id_of("account", named)
        fitting = [
            account
            for account in self.entities.all("account")
            if _is_usable(account, account_type, wanted)
        ]
        if len(fitting) != 1:
            what = f"{len(fitting)} accounts of type {account_type} are kept in {document.currency}"
            raise LedgerRejected(what, reason_code="account_unmapped", number=document.number)
        return fitting[0].ledger_id


def _is_usable(account: LedgerEntity, account_type: str, currency: str | None) -> bool:
    return (
        account.is_active
        and not account.is_header
        and account.type == account_type
        and currency in (None, account.currency)
    )


def _rate(document: Document) -> Decimal | None:
    """Return home units per foreign unit such that the document's total comes out as ours.

    That is the published rate, unless lines have rates of their own dates. Entries and payments
    have theirs: what it leaves of what they settle, the ledger books as an exchange difference.
    Foreign money that we carry at nothing has no rate of ours: the ledger takes its own.
    """
    exchange = document.exchange
    if not document.base_total or document.total == 0 or (exchange and document.postings):
        return exchange.value if exchange else None
    if exchange is not None:
        digits = minor_unit_digits(exchange.base_currency)
        product = EXACT.multiply(document.total, exchange.value)
        if round_digits(product, digits, RoundingMode.HALF_UP) == document.base_total:
            return exchange.value
    ratio = EXACT.divide(document.base_total, document.total)
    return round_digits(ratio, 15, RoundingMode.HALF_UP)
