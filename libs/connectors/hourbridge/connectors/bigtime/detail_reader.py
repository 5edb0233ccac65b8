"""Lists whose entries have details: clients, projects, people.

The list is read whole, a detail only when its row changed or a sweep is due. What the list holds
no more is asked for by its id, and then stated as deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hourbridge.common.clock import Clock
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.records import Record
from hourbridge.connectors.bigtime import cursors
from hourbridge.connectors.bigtime.cursors import Cursor
from hourbridge.connectors.bigtime.firm import Firm
from hourbridge.connectors.bigtime.paging import Draft, begun, each_while_possible, reading_of
from hourbridge.connectors.bigtime.rekeying import Remembered
from hourbridge.connectors.bigtime.rows import Row
from hourbridge.connectors.bigtime.settings import BigTimeSettings
from hourbridge.connectors.bigtime.stating import deletion, state
from hourbridge.connectors.source import Page, Span

_ALL = ""
_MARK_CHARACTERS = 12


@dataclass(frozen=True)
class DetailList:
    """One such list."""

    feed: str
    model: type[Record]
    path: str
    id_field: str
    name_field: str
    fields: Callable[[Row, BigTimeSettings], dict[str, Any]]
    shown_name: tuple[str, ...] = ("Nm", "DisplayName")


class DetailReader:
    """Reads one of these lists."""

    def __init__(
        self, spec: DetailList, firm: Firm, settings: BigTimeSettings, account: str, clock: Clock
    ) -> None:
        self.spec = spec
        self.firm = firm
        self.settings = settings
        self._account = account
        self.clock = clock

    def read(self, text: str | None, span: Span | None = None) -> Page:  # noqa: ARG002 - a list has no days
        """Return the next page."""
        cursor = cursors.load(text)
        if cursor.as_of is None:
            self._begin(cursor)
        draft = Draft(cursor)
        rows = {row.identifier(self.spec.id_field): row for row in self._rows()}
        listed = {entry_id: row for entry_id, row in rows.items() if entry_id is not None}
        memory = cursor.memory.setdefault(_ALL, {})
        page = _PageOf(self, draft, memory)
        if cursor.step == 0 and page.take_changed(listed):
            cursor.step, cursor.position = 1, None
        if cursor.step == 1 and not page.is_full:
            draft.is_complete = page.take_vanished(set(listed))
        if draft.is_complete and cursor.kept.pop("sweeping", None):
            cursor.keep_instant("swept", begun(cursor))
        draft.add_total(self.spec.feed, len(draft.statements))
        reading = reading_of(cursor, self._account, self.spec.feed, self.spec.model.record_type)
        return draft.page(reading)

    def gone(self, entry_id: str) -> bool:
        """Return whether BigTime, asked for it, has no such entry."""
        return self.firm.detail(f"{self.spec.path}/detail", self.spec.id_field, entry_id) is None

    def _begin(self, cursor: Cursor) -> None:
        self.firm.forget_lists()
        now = self.clock.now()
        cursor.begin(now)
        swept = cursor.instant("swept")
        if swept is None or now - swept >= timedelta(hours=self.settings.sweep_hours):
            cursor.kept["sweeping"] = True

    def _rows(self) -> list[Row]:
        return self.firm.list(self.spec.path)


class _PageOf:
    """One page of such a list."""

    def __init__(self, reader: DetailReader, draft: Draft, memory: dict[str, Remembered]) -> None:
        self._reader = reader
        self._spec = reader.spec
        self._draft = draft
        self._memory = memory
        self._calls_left = reader.settings.calls_per_page

    @property
    def is_full(self) -> bool:
        """Return whether no further call belongs on this page."""
        return self._calls_left <= 0

    def take_changed(self, listed: dict[str, Row]) -> bool:
        """State entries whose row changed; return whether all were looked at."""
        cursor = self._draft.cursor
        sweeping = bool(cursor.kept.get("sweeping"))
        after = None if cursor.position is None else _age(cursor.position)
        pending = [
            entry_id
            for entry_id in sorted(listed, key=_age)
            if after is None or _age(entry_id) > after
        ]

        def handle(entry_id: str) -> bool:
            row = listed[entry_id]
            mark = derive_key(row.raw.decode(errors="replace"), length=_MARK_CHARACTERS)
            known = self._memory.get(entry_id)
            if sweeping or known is None or not known.mark.startswith(mark):
                self._state(entry_id, row, mark)
            cursor.position = entry_id
            return not self.is_full

        return each_while_possible(pending, handle)

    def take_vanished(self, listed: set[str]) -> bool:
        """State entries that the list holds no more and BigTime doesn't find by their ids."""
        vanished = sorted(self._memory.keys() - listed, key=_age)

        def handle(entry_id: str) -> bool:
            self._calls_left -= 1
            read_at = self._reader.clock.now()
            name = self._memory[entry_id].mark[_MARK_CHARACTERS:] or entry_id
            if self._reader.gone(entry_id):
                fields = {"external_id": entry_id, self._spec.name_field: name}
                self._draft.statements.append(
                    deletion(
                        self._spec.model,
                        fields,
                        read_at=read_at,
                        location=f"{self._spec.path}/{entry_id}",
                    )
                )
            del self._memory[entry_id]
            return not self.is_full

        return each_while_possible(vanished, handle)

    def _state(self, entry_id: str, listed: Row, mark: str) -> None:
        spec = self._spec
        self._calls_left -= 1
        read_at = self._reader.clock.now()
        row = self._reader.firm.detail(f"{spec.path}/detail", spec.id_field, entry_id)
        if row is None:  # deleted since the list was read; the next reading says so
            return
        # The list names what the detail may leave out: the client's name of a project.
        whole = Row({**listed.values, **_present(row)}, row.raw)
        statement = state(
            spec.model,
            whole,
            spec.fields(whole, self._reader.settings),
            location=f"{spec.path}/{entry_id}",
            read_at=read_at,
        )
        self._draft.statements.append(statement)
        name = listed.text(*spec.shown_name) or ""
        self._memory[entry_id] = Remembered(0, f"{mark}{name}")


def _present(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.values.items() if value is not None}


def _age(entry_id: str) -> tuple[int, str]:
    return (len(entry_id), entry_id)
