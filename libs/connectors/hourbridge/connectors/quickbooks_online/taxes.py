"""Sales tax of a document in the ledger's terms."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hourbridge.common.book import LedgerReference
from hourbridge.common.errors import LedgerRejected
from hourbridge.common.messages.events import Document, DocumentLine, TaxAmount
from hourbridge.connectors.quickbooks_online.references import References

_TAXED = "TAX"


def tax_detail(references: References, document: Document) -> dict[str, Any]:
    """Return the tax blocks of a document; nothing where no tax of ours is on it.

    The company computes tax by its own rates and rules; the total that we state is kept where it
    lets callers override, and else compared when the answer is read.
    """
    taxes = _charged(document)
    if not taxes:
        return {}
    total = sum((tax.amount for tax in document.taxes), Decimal(0))
    if not references.preferences.is_american:
        return {"GlobalTaxCalculation": "TaxExcluded", "TxnTaxDetail": {"TotalTax": total}}
    if len({tax.code for tax in taxes}) > 1:
        codes = ", ".join(tax.code for tax in taxes)
        what = f"a document has one tax code in the ledger, this one has {codes}"
        raise LedgerRejected(what, reason_code="one_tax_code", number=document.number)
    detail = {"TxnTaxCodeRef": references.to("tax_code", _named(taxes[0])), "TotalTax": total}
    return {"TxnTaxDetail": detail}


def line_tax_code(
    references: References, document: Document, line: DocumentLine
) -> dict[str, str] | None:
    """Return the code of a line: in the United States only whether it is taxed at all."""
    tax = next((tax for tax in _charged(document) if tax.code == line.tax_code), None)
    if tax is None:
        if line.tax_code is not None and not document.taxes:
            return {"value": line.tax_code}  # the ledger's own words, from the mapping
        return None
    if references.preferences.is_american:
        return {"value": _TAXED}
    return references.to("tax_code", _named(tax))


def _charged(document: Document) -> list[TaxAmount]:
    return [tax for tax in document.taxes if tax.percent != 0]


def _named(tax: TaxAmount) -> LedgerReference:
    return tax.ledger_code or LedgerReference(name=tax.code)
