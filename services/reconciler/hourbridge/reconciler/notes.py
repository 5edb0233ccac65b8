"""The note that a person gives with a decision."""

from __future__ import annotations

from starlette.requests import Request

from hourbridge.common.runtime.admin import RequestInvalid


async def read_note(request: Request, why: str) -> str:
    """Return the note in a request's body; ``why`` says what it is for. Raises RequestInvalid."""
    try:
        note = (await request.json())["note"]
    except (ValueError, KeyError, TypeError):
        raise RequestInvalid('the body is {"note": "why"}') from None
    if not isinstance(note, str) or not note.strip():
        raise RequestInvalid(why)
    return note.strip()
