"""Where a feed goes on: small, as JSON, opaque to whoever stores it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from hourbridge.common.clock import to_text
from hourbridge.common.errors import ConfigurationInvalid

OVERLAP = timedelta(minutes=5)
"""How far each reading goes back behind the end of the last: changes may become visible late."""

Mode = Literal["changes", "whole", "catch_up", "span"]
_STATED_MAX = 2000


@dataclass(frozen=True)
class Cursor:
    """The position of one feed."""

    mode: Mode
    """changes: the next reading asks for changes; else where in a paged reading we are."""
    since: datetime | None = None
    """Changes from here on, by the service's clock; of a whole reading: nothing."""
    begun: datetime | None = None
    """When the paged reading began, by the service's clock: where the next one goes on."""
    entity: int = 0
    """Which of the feed's entities is being paged."""
    start: int = 1
    """The position of the next page in it."""
    rows: int = 0
    """Rows read of it so far."""
    tail: tuple[str, ...] = ()
    """Ids at the end of the last page, which the next page may show again."""
    stated: dict[str, int] = field(default_factory=dict)
    """Order keys of what the last reading stated of the overlap: it needs no second mention."""
    is_complete: bool = True
    """Every count of the paged reading agreed so far."""

    def text(self) -> str:
        """Return the cursor as it is stored."""
        values = {
            "mode": self.mode,
            "since": to_text(self.since) if self.since else None,
            "begun": to_text(self.begun) if self.begun else None,
            "entity": self.entity,
            "start": self.start,
            "rows": self.rows,
            "tail": list(self.tail),
            "stated": self.stated,
            "is_complete": self.is_complete,
        }
        return json.dumps({name: value for name, value in values.items() if value})

    def resting(self, answered_at: datetime, stated: dict[str, int]) -> Cursor:
        """Return where to go on after a reading that the service answered at an instant."""
        kept = dict(sorted(stated.items(), key=lambda item: -item[1])[:_STATED_MAX])
        return Cursor("changes", since=answered_at, stated=kept)

    def next_page(self, start: int, rows: int, tail: tuple[str, ...]) -> Cursor:
        """Return the position of the next page of the same entity."""
        return replace(self, start=start, rows=rows, tail=tail)

    def next_entity(self, *, is_complete: bool) -> Cursor:
        """Return the beginning of the next entity."""
        complete = self.is_complete and is_complete
        return replace(self, entity=self.entity + 1, start=1, rows=0, tail=(), is_complete=complete)


def read_cursor(text: str) -> Cursor:
    """Return a stored cursor; raises ConfigurationInvalid for what never was one of ours."""
    try:
        values = json.loads(text)
        return Cursor(
            mode=values["mode"],
            since=_instant(values.get("since")),
            begun=_instant(values.get("begun")),
            entity=int(values.get("entity", 0)),
            start=int(values.get("start", 1)),
            rows=int(values.get("rows", 0)),
            tail=tuple(values.get("tail", ())),
            stated=dict(values.get("stated", {})),
            is_complete=bool(values.get("is_complete", False)),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigurationInvalid(
            f"this is no position in QuickBooks Online: {text[:100]!r}",
            advice="Forget the feed's position; it is then read from the beginning.",
        ) from None


def order_key(updated: datetime | None, edit_token: str | None, *, is_last: bool = False) -> int:
    """Return a version: microseconds of the last change, the edit token deciding within a second.

    The service's times have whole seconds. ``is_last``: nothing follows in the same second.
    """
    if updated is None:
        return 0
    seconds = int(updated.replace(microsecond=0).timestamp()) * 1_000_000
    if is_last:
        return seconds + 999_998
    token = int(edit_token) if edit_token and edit_token.isdigit() else 0
    return seconds + min(token, 999_997)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
