"""Posted documents beside what the ledger holds: rows turned into what the rules compare."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, text

from hourbridge.common.book import AccountRole, LedgerReference
from hourbridge.common.messages.events import DocumentKind
from hourbridge.connectors.ledger import LedgerDocument
from hourbridge.connectors.statements import MIRRORED_KINDS, VENDOR_NUMBER_CHARACTERS_MAX
from hourbridge.reconciler.compare import (
    ExpectedDocument,
    ExpectedLine,
    ExpectedTax,
    FoundDocument,
    FoundLine,
)
from hourbridge.reconciler.stated import expected_values

PAGE_DOCUMENTS = 500
_VENDORS_OWN = (DocumentKind.VENDOR_BILL, DocumentKind.VENDOR_CREDIT)
WITH_LINES = (DocumentKind.INVOICE, DocumentKind.CREDIT_MEMO, *_VENDORS_OWN, *MIRRORED_KINDS)
"""Kinds whose lines have quantities, prices or accounts; the others are sets of amounts."""
_SELECT = """
    SELECT d.document_id, d.version, d.kind, d.number, d.customer, d.job, d.client, d.currency,
           d.period, d.document_date, d.total, d.ledger_id, d.edit_token, d.posted_total,
           d.vendor, d.vendor_bill_number, d.taxes, d.base_total, d.exchange, d.postings, d.settles,
           d.stated,
           (SELECT coalesce(jsonb_agg(jsonb_build_object(
                'position', l.position, 'item', l.item, 'quantity', l.quantity::text,
                'unit_price', l.unit_price::text, 'amount', l.amount::text,
                'tax_code', l.tax_code, 'base_amount', l.base_amount::text)
                ORDER BY l.position), '[]')
            FROM document_line l WHERE l.book = d.book AND l.document_id = d.document_id
              AND l.lines_key = d.lines_key) AS lines,
           s.ledger_id AS found_id, s.number AS found_number, s.customer_id AS found_customer_id,
           s.currency AS found_currency, s.document_date AS found_date, s.total AS found_total,
           s.edit_token AS found_edit_token, s.is_void AS found_void, s.lines AS found_lines,
           s.vendor_id AS found_vendor_id, s.tax_total AS found_tax,
           s.exchange_rate AS found_rate, s.base_total AS found_base_total,
           s.stated AS found_stated
    FROM seen_document d
    LEFT JOIN ledger_snapshot s ON s.book = d.book AND s.ledger_connection = d.ledger_connection
         AND s.kind = d.kind AND s.ledger_id = d.ledger_id AND s.run_id = :run_id
    WHERE d.book = :book AND d.ledger_connection = :connection AND d.status = 'posted'
        AND NOT d.in_ledger
"""
_PAGE = text(f"{_SELECT} AND d.document_id > :after ORDER BY d.document_id LIMIT :page")
_SOME = text(f"{_SELECT} AND d.document_id = ANY(:document_ids) ORDER BY d.document_id")

Resolve = Callable[[str, LedgerReference], str | None]
"""Returns the ledger's id of a customer or item that we know by id or name."""


@dataclass(frozen=True)
class Posted:
    """One posted document, with the ledger's if the read-back met it."""

    document_id: str
    version: int
    kind: DocumentKind
    ledger_id: str | None
    number: str
    client: str
    currency: str
    period: str | None
    total: Decimal
    row: Mapping[str, Any]

    @property
    def base_currency(self) -> str:
        """Return the book's currency as the document knows it."""
        return str((self.row["exchange"] or {}).get("base_currency", self.currency))

    def found(self) -> FoundDocument | None:
        """Return what the snapshot holds."""
        if self.row["found_id"] is None:
            return None
        return FoundDocument(
            number=self.row["found_number"],
            customer_id=self.row[f"found_{party_of(self.kind)}_id"],
            currency=self.row["found_currency"],
            document_date=self.row["found_date"],
            total=self.row["found_total"],
            is_void=self.row["found_void"],
            lines=tuple(_found_line(line) for line in self.row["found_lines"]),
            tax=self.row["found_tax"],
            rate=self.row["found_rate"],
            base_total=self.row["found_base_total"],
            stated=self.row["found_stated"],
        )

    def expected(
        self, resolve: Resolve, *, is_touched: bool, found: Mapping[str, str] | None = None
    ) -> ExpectedDocument:
        """Return what we posted. References are resolved only if somebody touched the document.

        ``found`` is what the ledger states beside amounts and lines.
        """
        party = party_of(self.kind)
        reference = self.row["vendor"] if party == "vendor" else self._customer()
        exchange = self.row["exchange"] or {}
        return ExpectedDocument(
            number=self._number_there(),
            customer_id=_resolved(resolve, party, reference) if is_touched else None,
            currency=self.currency,
            document_date=self.row["document_date"],
            total=self.total,
            posted_total=self.row["posted_total"],
            lines=self._lines(resolve, is_touched=is_touched),
            taxes=tuple(_tax(tax) for tax in self.row["taxes"]),
            base_currency=exchange.get("base_currency"),
            base_total=self._base_total(),
            rate=Decimal(exchange["value"]) if exchange else None,
            stated=expected_values(self.row["stated"], found or {}, resolve) if is_touched else {},
            is_ordered=self.kind in WITH_LINES,
            is_computed=self.kind in WITH_LINES,
        )

    def _base_total(self) -> Decimal | None:
        """Return our total in the book's currency; a payment's is the money, not what it settles.

        Gains and losses are beside it: the ledger makes its own of them.
        """
        total: Decimal | None = self.row["base_total"]
        money = [
            Decimal(posting["base_amount"])
            for posting in self.row["postings"]
            if posting["role"] in _MONEY
        ]
        if self.kind not in _PAYMENTS or not money:
            return total
        return abs(sum(money, Decimal(0)))

    def _customer(self) -> Mapping[str, Any] | None:
        """Return whom the ledger shows; entries name parties line by line only."""
        if self.kind is DocumentKind.JOURNAL_ENTRY:
            return None
        found: Mapping[str, Any] | None = self.row["job"] or self.row["customer"]
        return found

    def _number_there(self) -> str:
        """Return the number that the ledger shows: a vendor's bill has the vendor's own."""
        own = self.row["vendor_bill_number"]
        if self.kind in _VENDORS_OWN and own and len(own) <= VENDOR_NUMBER_CHARACTERS_MAX:
            return str(own)
        return self.number

    def _lines(self, resolve: Resolve, *, is_touched: bool) -> tuple[ExpectedLine, ...]:
        """Return the lines; entries have their postings, payments what they settle."""
        if self.kind in WITH_LINES:
            return tuple(_line(line, resolve, is_touched) for line in self.row["lines"])
        name = "postings" if self.kind is DocumentKind.JOURNAL_ENTRY else "settles"
        amounts = [Decimal(each["amount"]) for each in self.row[name]]
        return tuple(
            ExpectedLine(position, None, None, None, amount)
            for position, amount in enumerate((a for a in amounts if a), start=1)
        )


_PAYMENTS = (DocumentKind.PAYMENT, DocumentKind.BILL_PAYMENT)
_MONEY = (AccountRole.BANK, AccountRole.TRUST_BANK)


def party_of(kind: DocumentKind) -> Literal["customer", "vendor"]:
    """Return whether a document is with a customer or with a vendor."""
    if kind is DocumentKind.TIME_ACTIVITY:
        return "customer"
    vendors = (*_VENDORS_OWN, DocumentKind.BILL_PAYMENT, *MIRRORED_KINDS)
    return "vendor" if kind in vendors else "customer"


def posted_documents(
    connection: Connection, book: str, ledger_connection: str, run_id: int, after: str
) -> Sequence[Posted]:
    """Return the next page of posted documents, ordered by id."""
    parameters = {"book": book, "connection": ledger_connection, "run_id": run_id, "after": after}
    return list(_posted(connection, _PAGE, {**parameters, "page": PAGE_DOCUMENTS}))


def posted_again(
    connection: Connection, book: str, ledger_connection: str, document_ids: Sequence[str]
) -> dict[str, Posted]:
    """Return documents as they are now, by id; those no longer posted are left out."""
    parameters = {"book": book, "connection": ledger_connection, "run_id": -1}
    rows = _posted(connection, _SOME, {**parameters, "document_ids": list(document_ids)})
    return {document.document_id: document for document in rows}


def as_found(document: LedgerDocument | None) -> FoundDocument | None:
    """Return a ledger's document, read just now, as the rules compare it."""
    if document is None:
        return None
    lines = [
        FoundLine(
            line.position,
            line.item_id,
            line.quantity,
            line.unit_price,
            line.amount,
            line.base_amount,
        )
        for line in document.lines
    ]
    is_vendors = party_of(document.kind) == "vendor"
    return FoundDocument(
        number=document.number,
        customer_id=document.vendor_id if is_vendors else document.customer_id,
        currency=document.currency,
        document_date=document.document_date,
        total=document.total,
        is_void=document.is_void,
        lines=tuple(sorted(lines, key=lambda line: line.position)),
        tax=document.tax_total,
        rate=document.exchange_rate,
        base_total=document.base_total,
        stated=dict(document.stated),
    )


def _posted(connection: Connection, sql: Any, parameters: Mapping[str, Any]) -> Iterator[Posted]:
    for row in connection.execute(sql, parameters).mappings():
        yield Posted(
            document_id=row["document_id"],
            version=row["version"],
            kind=DocumentKind(row["kind"]),
            ledger_id=row["ledger_id"],
            number=row["number"],
            client=row["client"],
            currency=row["currency"],
            period=row["period"],
            total=row["total"],
            row=dict(row),
        )


def _resolved(resolve: Resolve, kind: str, reference: Mapping[str, Any] | None) -> str | None:
    return resolve(kind, LedgerReference.model_validate(reference)) if reference else None


def _line(line: Mapping[str, Any], resolve: Resolve, is_touched: bool) -> ExpectedLine:
    return ExpectedLine(
        position=line["position"],
        item_id=_resolved(resolve, "item", line["item"]) if is_touched else None,
        quantity=Decimal(line["quantity"]),
        unit_price=Decimal(line["unit_price"]),
        amount=Decimal(line["amount"]),
        tax_code=line["tax_code"],
        base_amount=_decimal(line["base_amount"]),
    )


def _tax(tax: Mapping[str, Any]) -> ExpectedTax:
    return ExpectedTax(
        tax["code"],
        Decimal(tax["percent"]),
        Decimal(tax["amount"]),
        tax["method"],
        tax.get("mode"),
    )


def _found_line(line: Mapping[str, Any]) -> FoundLine:
    return FoundLine(
        position=line["position"],
        item_id=line["item_id"],
        quantity=_decimal(line["quantity"]),
        unit_price=_decimal(line["unit_price"]),
        amount=Decimal(line["amount"]),
        base_amount=_decimal(line.get("base_amount")),
    )


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)
