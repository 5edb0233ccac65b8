"""Cursors: where a reading is, and what the next one has to know of this one.

A cursor is JSON text. What is remembered of thousands of entries is packed, since every page
stores it anew.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hourbridge.common.clock import to_text
from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.ids import derive_id
from hourbridge.connectors.bigtime.rekeying import Remembered

VERSION = 1
Memory = dict[str, dict[str, Remembered]]
"""By group (a person, a project, or all): id to what is remembered of the entry."""


@dataclass
class Cursor:
    """The state of one feed. Between two readings ``as_of`` is None."""

    as_of: datetime | None = None
    """When the reading that is under way began."""
    position: str | None = None
    """The last group or id that it is done with."""
    step: int = 0
    """Which part of its window it is at."""
    kept: dict[str, Any] = field(default_factory=dict)
    """Small things that go from one reading to the next."""
    memory: Memory = field(default_factory=dict)
    """What was stated, as of the groups read so far."""
    totals: dict[str, list[Any]] = field(default_factory=dict)
    """Control totals of the reading so far: group to rows and decimal hours."""

    def reading_id(self, account: str, feed: str, kind: str = "") -> str:
        """Return the id of the reading under way: the same for each of its pages."""
        if self.as_of is None:
            raise ValueError("no reading is under way")
        return derive_id("bigtime", account, feed, kind, to_text(self.as_of))

    def begin(self, now: datetime) -> None:
        """Start a reading unless one is under way."""
        if self.as_of is None:
            self.as_of, self.position, self.step, self.totals = now, None, 0, {}

    def end(self) -> None:
        """The reading is complete."""
        self.as_of, self.position, self.step, self.totals = None, None, 0, {}

    def instant(self, name: str) -> datetime | None:
        """Return an instant that is kept."""
        kept = self.kept.get(name)
        return datetime.fromisoformat(kept) if isinstance(kept, str) else None

    def keep_instant(self, name: str, instant: datetime) -> None:
        """Keep an instant."""
        self.kept[name] = to_text(instant)


def dump(cursor: Cursor) -> str:
    """Return a cursor as text."""
    content = {
        "v": VERSION,
        "as_of": None if cursor.as_of is None else to_text(cursor.as_of),
        "position": cursor.position,
        "step": cursor.step,
        "kept": cursor.kept,
        "totals": cursor.totals,
        "memory": _pack(cursor.memory),
    }
    return json.dumps({name: value for name, value in content.items() if value not in (None, {})})


def load(text: str | None) -> Cursor:
    """Return the cursor in a text, a fresh one for None.

    Raises ConfigurationInvalid for a text that no version of this connector wrote.
    """
    if text is None:
        return Cursor()
    try:
        content = json.loads(text)
        if content["v"] != VERSION:
            raise ValueError(f"version {content['v']}")
        as_of = content.get("as_of")
        return Cursor(
            as_of=None if as_of is None else datetime.fromisoformat(as_of),
            position=content.get("position"),
            step=int(content.get("step", 0)),
            kept=dict(content.get("kept", {})),
            memory=_unpack(content.get("memory")),
            totals=dict(content.get("totals", {})),
        )
    except (ValueError, KeyError, TypeError, zlib.error) as error:
        what = f"the cursor of a BigTime feed can't be read ({error})"
        raise ConfigurationInvalid(
            what, advice="Reset the feed: it is read anew; nothing is posted twice."
        ) from None


def _pack(memory: Memory) -> str | None:
    if not memory:
        return None
    plain: Mapping[str, Any] = {
        group: {entry_id: [kept.day, kept.mark] for entry_id, kept in entries.items()}
        for group, entries in memory.items()
        if entries
    }
    packed = zlib.compress(json.dumps(plain, separators=(",", ":")).encode(), 9)
    return base64.b85encode(packed).decode()


def _unpack(packed: str | None) -> Memory:
    if packed is None:
        return {}
    plain = json.loads(zlib.decompress(base64.b85decode(packed)))
    return {
        group: {entry_id: Remembered(day, mark) for entry_id, (day, mark) in entries.items()}
        for group, entries in plain.items()
    }
