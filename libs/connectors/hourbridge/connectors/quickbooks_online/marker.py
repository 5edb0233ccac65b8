"""The marker by which a document in the ledger is known as ours: our id in its private note."""

from __future__ import annotations

import re

_MARKER = re.compile(r"hourbridge:([A-Za-z0-9._-]+)")
NOTE_CHARACTERS_MAX = 4000
_LINK = "hourbridge-link:"
_FILE = "hourbridge-file:"
_ENTRY = "hourbridge-entry:"


def note_for(document_id: str, credited_ledger_id: str | None = None) -> str:
    """Return the private note of a new document."""
    credit = f" credits:{credited_ledger_id}" if credited_ledger_id else ""
    return f"hourbridge:{document_id}{credit}"


def note_with(document_id: str, text: str | None) -> str:
    """Return the private note of a document that has no memo of its own: marker, then text."""
    return f"{note_for(document_id)} {text or ''}".strip()[:NOTE_CHARACTERS_MAX]


def link_note(document_id: str) -> str:
    """Return the note of a payment without money that links a credit of ours."""
    return f"{_LINK}{document_id}"


def is_link(note: str | None) -> bool:
    """Return whether a payment is one of our links: no document of its own."""
    return _LINK in (note or "")


def file_note(attachment_id: str) -> str:
    """Return the note of an attached file."""
    return f"{_FILE}{attachment_id}"


def file_id(note: str | None) -> str | None:
    """Return the id of the receipt that an attachment is."""
    _, found, rest = (note or "").partition(_FILE)
    return rest.split(" ", 1)[0] if found else None


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


def entry_note(operation_key: str, text: str | None) -> str:
    """Return the note of a list entry that we create: our marker, then the note itself."""
    return f"{_ENTRY}{operation_key} {text or ''}".strip()


def entry_key(note: str | None) -> str | None:
    """Return the operation key by which an entry was created, where its note carries one."""
    _, found, rest = (note or "").partition(_ENTRY)
    return rest.split(maxsplit=1)[0] if found and rest.strip() else None


def without_entry_note(note: str | None) -> str | None:
    """Return the note of an entry as a person wrote it."""
    if note is None:
        return None
    before, found, rest = note.partition(_ENTRY)
    if not found:
        return note
    after = rest.split(maxsplit=1)[1:]
    return "".join([before, *after]).strip() or None
