"""What all services know of a record, a line or a document, in one story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hourbridge.cli.client import AdminClient
from hourbridge.cli.explaining.finding import DocumentFound, Found, RecordFound, optional
from hourbridge.cli.explaining.way import correction_way, money_adds_up, time_adds_up, way
from hourbridge.common.runtime.admin import NotFound

ENTRIES_MAX = 50
"""Records of a line that are told in full."""
Story = dict[str, Any]


def tell(client: AdminClient, book: str, found: Found) -> Story:
    """Return the story of what was found, as JSON values."""
    if isinstance(found, RecordFound):
        return _of_record(client, book, found.record_id)
    return _of_document(client, book, found)


def _of_record(client: AdminClient, book: str, record_id: str) -> Story:
    charges = _charges(client, book, record_id=record_id)
    documents = {
        line["document_id"]: _document(client, line["document_id"])
        for charge in charges
        for line in charge["lines"]
    }
    return {
        "kind": "record",
        "book": book,
        **_entry(client, book, record_id),
        "charges": [_with_ways(charge, documents) for charge in charges],
        "documents": list(documents.values()),
    }


def _entry(client: AdminClient, book: str, record_id: str) -> Story:
    """Return what the source said, and what the mapping made of it."""
    return {
        "record": optional(client, "ingestor", f"/v1/records/{record_id}"),
        "mapping": optional(client, "mapper", f"/v1/books/{book}/records/{record_id}/mapping"),
    }


def _with_ways(charge: Mapping[str, Any], documents: Mapping[str, Story]) -> Story:
    lines = []
    for billing in charge["lines"]:
        told = documents[billing["document_id"]]
        line = _line(told["document"], billing["line_id"])
        steps = way(billing["billed"], line) if line else []
        corrected = _corrections(told, billing["line_id"])
        lines.append({**billing, "line": line, "way": steps, "corrections": corrected})
    return {**charge, "lines": lines}


def _line(document: Mapping[str, Any], line_id: str) -> Mapping[str, Any] | None:
    lines: Sequence[Mapping[str, Any]] = document["lines"]
    return next((line for line in lines if line["line_id"] == line_id), None)


def _corrections(told: Mapping[str, Any], line_id: str) -> list[Mapping[str, Any]]:
    found = [*told["corrections"], *told["supplements_waiting"]]
    return [each for each in found if each["line_id"] == line_id]


def _of_document(client: AdminClient, book: str, found: DocumentFound) -> Story:
    told = _document(client, found.document_id)
    charges = _charges(client, book, document_id=found.document_id)
    corrected = _corrected(client, told, charges)
    if found.position is None:
        lines = [
            _line_story(line, told, charges, corrected)
            for line in sorted(told["document"]["lines"], key=lambda each: each["position"])
        ]
        return {"kind": "document", "book": book, **told, "lines": lines}
    line = next((e for e in told["document"]["lines"] if e["position"] == found.position), None)
    if line is None:
        count = len(told["document"]["lines"])
        raise NotFound(f"the document has {count} lines", line=found.position)
    story = _line_story(line, told, charges, corrected)
    for entry in story["entries"][:ENTRIES_MAX]:
        entry |= _entry(client, book, entry["record_id"])
    return {"kind": "line", "book": book, **told, **story}


def _corrected(client: AdminClient, told: Story, charges: Sequence[Story]) -> dict[str, Story]:
    """Return the lines of other documents that this document corrects, by their ids."""
    wanted = {_corrects(line) for line in told["document"]["lines"]} - {None}
    places = {
        billing["line_id"]: billing["document_id"]
        for charge in charges
        for billing in charge["lines"]
        if billing["line_id"] in wanted
    }
    documents = {each: _document(client, each) for each in sorted(set(places.values()))}
    found = {}
    for line_id, document_id in places.items():
        document = documents[document_id]["document"]
        line = _line(document, line_id)
        if line is not None:
            found[line_id] = {"number": document["number"], "line": line}
    return found


def _corrects(line: Mapping[str, Any]) -> str | None:
    """Return the id of the line that a credit or supplement corrects."""
    return line.get("credits_line_id") or line.get("supplements_line_id")


def _line_story(
    line: Mapping[str, Any],
    told: Story,
    charges: Sequence[Story],
    corrected: Mapping[str, Story],
) -> Story:
    """Return a line with the charges it bills, or billed before they left it, and their ways.

    A line that corrects another is told with the charges of that one, and how it changes it.
    """
    original = corrected.get(_corrects(line) or "")
    billed_on = original["line"] if original else line
    entries: list[Story] = []
    for charge in charges:
        entries += [
            {
                "record_id": charge["record_id"],
                "charge_id": charge["charge_id"],
                "is_live": billing["is_live"],
                "charge": billing["billed"],
                "way": way(billing["billed"], billed_on),
            }
            for billing in charge["lines"]
            if billing["line_id"] == billed_on["line_id"]
        ]
    return {
        "line": line,
        "entries": entries,
        "corrects": correction_way(line, original["line"], original["number"]) if original else [],
        "corrections": _corrections(told, line["line_id"]),
        "adds_up": money_adds_up(line)
        and (original is not None or time_adds_up([each["charge"] for each in entries], line)),
    }


def _document(client: AdminClient, document_id: str) -> Story:
    told: Story = client.get("poster", f"/v1/documents/{document_id}/explanation")
    return told


def _charges(client: AdminClient, book: str, **by: str) -> list[Story]:
    rows: list[Story] = client.get("poster", f"/v1/books/{book}/charges", **by)["charges"]
    return rows
