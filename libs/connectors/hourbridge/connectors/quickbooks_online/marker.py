"""The marker by which a document in the ledger is known as ours: our id in its private note."""

from __future__ import annotations

import re

_MARKER = re.compile(r"hourbridge:([A-Za-z0-9._-]+)")
NOTE_CHARACTERS_MAX = 4000


def note_for(document_id: str, credited_ledger_id: str | None = None) -> str:
    """Return the private note of a new document."""
    credit = f" credits:{credited_ledger_id}" if credited_ledger_id else ""
    return f"hourbridge:{document_id}{credit}"


def marked_id(note: str | None) -> str | None:
    """Return the document id that a private note carries, wherever a person left it."""
    match = _MARKER.search(note or "")
    return match.group(1) if match else None


def keeping(note: str | None, ours: str) -> str:
    """Return what a person wrote together with our marker."""
    if not note:
        return ours
    if ours in note:
        return note
    return f"{ours} {note}"[:NOTE_CHARACTERS_MAX]
