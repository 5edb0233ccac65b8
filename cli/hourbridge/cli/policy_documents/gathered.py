"""What the documents are written from: the configuration in force, and lines of real documents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hourbridge.cli.client import AdminClient
from hourbridge.common.book import BookConfiguration
from hourbridge.common.display import Display
from hourbridge.common.messages.events import Document, DocumentLine

_DOCUMENTS_MAX = 100
_EXAMPLES_MAX = 6


@dataclass(frozen=True)
class Example:
    """A line of a document that was rounded on its way."""

    document: Document
    line: DocumentLine


@dataclass(frozen=True)
class Gathered:
    """The facts of one book."""

    book: BookConfiguration
    version: int
    applied_at: datetime
    applied_by: str
    note: str | None
    tzdata: str
    year: int
    examples: tuple[Example, ...] = ()

    @property
    def display(self) -> Display:
        """Return how the book's readers write dates, numbers and money."""
        return Display(self.book.time.locale, self.book.zone)

    def headed(self, title: str) -> list[str]:
        """Return the head of a page: what it says, and of which version."""
        shown = self.display
        lines = [f"# {title} of {self.book.book}", ""]
        lines.append(
            f"Version {self.version} of the configuration, in force since "
            f"{shown.instant(self.applied_at)}, applied by {self.applied_by}"
            f"{f' ({self.note})' if self.note else ''}. Written by `hourbridge mapping document`; "
            "a change of the configuration changes this page, never the other way round."
        )
        return [*lines, ""]


def gather(client: AdminClient, book: str, year: int) -> Gathered:
    """Return the facts of a book, or raise ServiceRefused if it has no configuration."""
    found = client.get("mapper", f"/v1/books/{book}/configuration")
    rules = client.get("mapper", "/v1/time-zone-rules")
    return Gathered(
        book=BookConfiguration.model_validate(found["document"]),
        version=found["version"],
        applied_at=datetime.fromisoformat(found["applied_at"]),
        applied_by=found["applied_by"],
        note=found["note"],
        tzdata=rules["tzdata"],
        year=year,
        examples=tuple(_examples(client, book)),
    )


def _examples(client: AdminClient, book: str) -> Iterator[Example]:
    """Yield lines of the newest documents, each with another set of roundings."""
    rows: list[dict[str, Any]] = client.get(
        "poster", f"/v1/books/{book}/documents", limit=_DOCUMENTS_MAX
    )["documents"]
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        document = Document.model_validate(
            client.get("poster", f"/v1/documents/{row['document_id']}")
        )
        for line in document.lines:
            kinds = tuple(sorted({f"{step.step} {step.policy}" for step in line.roundings}))
            if kinds and kinds not in seen:
                seen.add(kinds)
                yield Example(document, line)
            if len(seen) >= _EXAMPLES_MAX:
                return
