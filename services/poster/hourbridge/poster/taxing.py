"""Tax of our documents: on new ones, when a date moves, and on what takes them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from hourbridge.billing.taxes import TaxTerms, tax_lines, terms_of, terms_on
from hourbridge.common.messages.events import Document, DocumentLine
from hourbridge.poster.configurations import Configured, configuration_of


def tax_terms(configured: Configured, day: date) -> Mapping[str, TaxTerms]:
    """Return how a book taxes a document of ``day``."""
    return terms_on(configured.configuration.taxes, day, configured.version)


def retaxed(document: Document, lines: Sequence[DocumentLine]) -> dict[str, Any]:
    """Return what other lines change of a document that keeps the way it is taxed."""
    taxed = tax_lines(lines, terms_of(document.taxes), document.currency)
    return {"lines": taxed.lines, "taxes": taxed.taxes, "total": taxed.total}


def taxed_on(connection: Connection, book: str, document: Document, day: date) -> dict[str, Any]:
    """Return what another date changes of the tax of a document that was never posted.

    What takes an earlier document back is taxed like that one, whatever the day.
    """
    configured = configuration_of(connection, book)
    if configured is None or document.credits_document_id or not document.lines:
        return {}
    taxed = tax_lines(document.lines, tax_terms(configured, day), document.currency)
    if taxed.taxes == document.taxes:
        return {}
    return {"lines": taxed.lines, "taxes": taxed.taxes, "total": taxed.total}
