"""Reading invoices composed in BigTime: drafts, and the history of some months."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from hourbridge.common.clock import Clock
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.records import ComposedInvoice, RecordType
from hourbridge.connectors.bigtime import cursors
from hourbridge.connectors.bigtime.cursors import Cursor
from hourbridge.connectors.bigtime.firm import Firm
from hourbridge.connectors.bigtime.invoices import invoice_fields
from hourbridge.connectors.bigtime.paging import Draft, begun, each_while_possible, reading_of
from hourbridge.connectors.bigtime.rekeying import Remembered
from hourbridge.connectors.bigtime.rows import Row
from hourbridge.connectors.bigtime.settings import BigTimeSettings
from hourbridge.connectors.bigtime.stating import deletion, state
from hourbridge.connectors.bigtime.windows import regular_span
from hourbridge.connectors.source import Page, Span, Statement

FEED = "invoices"
_ALL = ""
_DRAFTS = "invoice/drafts"
_HISTORY = "invoice/history"


class InvoiceReader:
    """Reads the feed of invoices: lists first, a detail where its row changed."""

    def __init__(self, firm: Firm, settings: BigTimeSettings, account: str, clock: Clock) -> None:
        self._firm = firm
        self._settings = settings
        self._account = account
        self._clock = clock

    def read(self, text: str | None, span: Span | None = None) -> Page:
        """Return the next page of the rolling window, or of a past span."""
        cursor = cursors.load(text)
        if cursor.as_of is None:
            self._begin(cursor, span)
        listed = self._listed(cursor)
        draft = Draft(cursor)
        calls_left = self._settings.calls_per_page

        def take(entry_id: str) -> bool:
            nonlocal calls_left
            if self._take(draft, entry_id, listed.get(entry_id)):
                calls_left -= 1
            cursor.position = entry_id
            return calls_left > 0

        pending = self._pending(cursor, listed)
        is_done = each_while_possible(pending, take)
        draft.is_complete = is_done or not self._pending(cursor, listed)
        if draft.is_complete and cursor.kept.pop("sweeping", None):
            cursor.keep_instant("swept", begun(cursor))
        draft.add_total(FEED, len(draft.statements))
        kind = "" if span is None else f"{span.first}..{span.last}"
        reading = reading_of(cursor, self._account, FEED, RecordType.COMPOSED_INVOICE, kind)
        return draft.page(reading)

    def gone(self, entry_id: str) -> bool:
        """Return whether BigTime, asked for it, has no such invoice."""
        return self._firm.detail("invoice/detail", "Sid", entry_id) is None

    def _begin(self, cursor: Cursor, span: Span | None) -> None:
        self._firm.forget_lists()
        now = self._clock.now()
        cursor.begin(now)
        days = self._settings.invoice_window_days
        covered = span or regular_span(now, self._settings, days)
        cursor.kept["first"] = covered.first.isoformat()
        cursor.kept["last"] = covered.last.isoformat()
        swept = cursor.instant("swept")
        if swept is None or now - swept >= timedelta(hours=self._settings.sweep_hours):
            cursor.kept["sweeping"] = True
        first = covered.first.toordinal()
        memory = cursor.memory.get(_ALL, {})
        cursor.memory[_ALL] = {i: kept for i, kept in memory.items() if kept.day >= first}

    def _listed(self, cursor: Cursor) -> dict[str, Row]:
        days = {"startDt": cursor.kept["first"], "endDt": cursor.kept["last"]}
        rows = [*self._firm.list(_HISTORY, days), *self._firm.list(_DRAFTS, {})]
        return {found: row for row in rows if (found := row.identifier("Sid"))}

    def _pending(self, cursor: Cursor, listed: dict[str, Row]) -> list[str]:
        known = cursor.memory.get(_ALL, {})
        after = None if cursor.position is None else _order(cursor.position)
        every = sorted(known.keys() | listed.keys(), key=_order)
        return [each for each in every if after is None or _order(each) > after]

    def _take(self, draft: Draft, entry_id: str, listed: Row | None) -> bool:
        """State an invoice unless it is as it was; return whether that took a call."""
        memory = draft.cursor.memory.setdefault(_ALL, {})
        known = memory.get(entry_id)
        mark = "" if listed is None else derive_key(listed.raw.decode(errors="replace"), length=12)
        sweeping = bool(draft.cursor.kept.get("sweeping"))
        if listed is not None and known is not None and known.mark == mark and not sweeping:
            return False
        read_at = self._clock.now()
        row = self._firm.detail("invoice/detail", "Sid", entry_id)
        location = f"{FEED}/{entry_id}"
        if row is None:
            if known is not None and listed is None:
                draft.statements.append(_deleted(entry_id, known, read_at, location))
            memory.pop(entry_id, None)
            return True
        fields = invoice_fields(row, self._settings)
        draft.statements.append(
            state(ComposedInvoice, row, fields, location=location, read_at=read_at)
        )
        day = Row(row.values).day("InvoiceDt")
        if listed is None or day is None:
            memory.pop(entry_id, None)
        else:
            memory[entry_id] = Remembered(day.toordinal(), mark)
        return True


def _deleted(entry_id: str, known: Remembered, read_at: datetime, location: str) -> Statement:
    """Return the deletion of an invoice; of what it said last only the date is remembered."""
    fields = {
        "external_id": entry_id,
        "status": "void",
        "invoice_date": date.fromordinal(known.day),
        "total": "0",
    }
    return deletion(ComposedInvoice, fields, read_at=read_at, location=location)


def _order(entry_id: str) -> tuple[int, str]:
    return (len(entry_id), entry_id)
