"""Which documents wait for a person before they are posted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from hourbridge.common.book import BookConfiguration
from hourbridge.common.messages.events import Document, DocumentKind, DocumentStatus
from hourbridge.poster.configurations import configuration_of
from hourbridge.poster.documents import NewDocument

_GOES_WITH = {
    DocumentKind.VENDOR_CREDIT: DocumentKind.VENDOR_BILL,
    DocumentKind.BILL_PAYMENT: DocumentKind.PAYMENT,
}
"""Kinds that wait when another kind does: their own names are not in the policy."""


def needs_review(configuration: BookConfiguration, document: Document) -> bool:
    """Return whether the book wants a person to release such a document.

    What the ledger had first is only noted, so there is nothing to release.
    """
    kind = _GOES_WITH.get(document.kind, document.kind)
    return kind.value in configuration.review.kinds and not document.in_ledger


def gated(connection: Connection, book: str, new: Sequence[NewDocument]) -> list[NewDocument]:
    """Return new documents as they are to be stored: drafts where the book has a gate."""
    configured = configuration_of(connection, book)
    if configured is None or not configured.configuration.review.kinds:
        return list(new)
    return [_held_back(each, configured.configuration) for each in new]


def _held_back(new: NewDocument, configuration: BookConfiguration) -> NewDocument:
    document = new.document
    if document.status is not DocumentStatus.POSTING or not needs_review(configuration, document):
        return new
    return replace(new, document=document.model_copy(update={"status": DocumentStatus.DRAFT}))
