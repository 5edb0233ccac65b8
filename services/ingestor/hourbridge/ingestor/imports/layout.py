"""Which of a file's columns is which of ours: by heading, whatever its case, order or currency."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hourbridge.ingestor.imports.profiles import Profile
from hourbridge.ingestor.imports.text import FileUnreadable

_ANY_CURRENCY = r"\((?P<currency>[^)]*)\)"


@dataclass(frozen=True)
class Column:
    """Where one of our columns is in the file."""

    index: int
    heading: str
    currency: str | None = None
    """The currency that the heading names, if it does."""


@dataclass(frozen=True)
class Layout:
    """The columns of one file."""

    width: int
    columns: dict[str, Column]

    def heading(self, name: str) -> str:
        """Return the file's word for one of our columns; ours where it has none."""
        column = self.columns.get(name)
        return column.heading if column else name


def match_layout(profile: Profile, header: Sequence[str]) -> Layout:
    """Return where the profile's columns are; raise FileUnreadable when a required one is not.

    An empty JSON array has no headings at all, and no rows to miss them.
    """
    normal = [_normal(heading) for heading in header]
    columns: dict[str, Column] = {}
    for name, aliases in profile.columns.items():
        found = _find(aliases, normal, header)
        if found is not None:
            columns[name] = found
    missing = [name for name in profile.required if name not in columns]
    if missing and header:
        wanted = "; ".join(f"{name} ({' or '.join(profile.columns[name])})" for name in missing)
        raise FileUnreadable(
            f"the header lacks {wanted}", profile=profile.profile, header=", ".join(header)[:300]
        )
    return Layout(len(header), columns)


def _find(aliases: Sequence[str], normal: Sequence[str], header: Sequence[str]) -> Column | None:
    for alias in aliases:
        pattern = re.escape(_normal(alias)).replace(re.escape("(*)"), _ANY_CURRENCY)
        for index, heading in enumerate(normal):
            match = re.fullmatch(pattern, heading)
            if match:
                currency = match.groupdict().get("currency") or ""
                return Column(index, header[index].strip(), currency.strip().upper() or None)
    return None


def _normal(heading: str) -> str:
    return " ".join(heading.replace("\ufeff", "").split()).casefold()
