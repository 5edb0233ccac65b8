"""How a source's names are compared: exact, case-sensitive, after strip and Unicode NFC."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache

_TERMS_MAX = 8192


def normal(text: str) -> str:
    """Return ``text`` as it is compared: stripped, in Unicode NFC."""
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


@dataclass(frozen=True, slots=True)
class Term:
    """How a source names one thing: by an id, a name, or both, each in normal form."""

    id: str | None
    name: str | None
    keys: tuple[str, ...] = field(init=False, compare=False, repr=False)
    """What rules are looked up by: the id first, then the name."""

    def __post_init__(self) -> None:
        given = (text for text in (self.id, self.name) if text is not None)
        object.__setattr__(self, "keys", tuple(dict.fromkeys(given)))

    @property
    def label(self) -> str | None:
        """Return what a person calls it: the name, else the id."""
        return self.name if self.name is not None else self.id


NO_TERM = Term(None, None)
"""The source names nothing."""


@lru_cache(maxsize=_TERMS_MAX)  # the same few clients, projects, tasks and people all day
def term(id_text: str | None, name_text: str | None) -> Term:
    """Return the term for an id and a name as stated; blank text counts as absent."""
    id_normal = normal(id_text) if id_text else None
    name_normal = normal(name_text) if name_text else None
    if not id_normal and not name_normal:
        return NO_TERM
    return Term(id_normal or None, name_normal or None)
