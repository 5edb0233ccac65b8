"""A BigTime firm as a Source."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Protocol

from hourbridge.common.clock import Clock
from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.messages.records import Attachment, Client, Project, StaffMember
from hourbridge.connectors.bigtime.checking import problems_of
from hourbridge.connectors.bigtime.code_reader import (
    LaborCodes,
    Picklists,
    Rates,
    Tasks,
    WholeListReader,
)
from hourbridge.connectors.bigtime.detail_reader import DetailList, DetailReader
from hourbridge.connectors.bigtime.expense_reader import ExpenseReader
from hourbridge.connectors.bigtime.feeds import capabilities_of
from hourbridge.connectors.bigtime.firm import Firm
from hourbridge.connectors.bigtime.invoice_reader import InvoiceReader
from hourbridge.connectors.bigtime.master_data import (
    client_fields,
    project_fields,
    staff_fields,
)
from hourbridge.connectors.bigtime.receipts import receipt_file
from hourbridge.connectors.bigtime.settings import BigTimeSettings
from hourbridge.connectors.bigtime.time_reader import TimeReader
from hourbridge.connectors.bigtime.transport import Transport
from hourbridge.connectors.source import Page, SourceCapabilities, Span

_DETAIL_LISTS = (
    DetailList("clients", Client, "client", "SystemId", "name", client_fields),
    DetailList("projects", Project, "project", "SystemId", "name", project_fields),
    DetailList(
        "staff", StaffMember, "staff", "StaffSID", "display_name", staff_fields, ("FullName",)
    ),
)
_WHOLE_LISTS = (LaborCodes, Tasks, Picklists, Rates)


class _Reader(Protocol):
    def read(self, text: str | None, span: Span | None = None) -> Page: ...


class _Asker(Protocol):
    def gone(self, entry_id: str) -> bool: ...


class BigTimeSource:
    """One firm. Calls are synchronous; one worker at a time."""

    def __init__(
        self, transport: Transport, settings: BigTimeSettings, account: str, clock: Clock
    ) -> None:
        self._transport = transport
        self._settings = settings
        self._clock = clock
        self._capabilities = capabilities_of(settings)
        live = timedelta(hours=settings.sweep_hours)
        self._firm = firm = Firm(transport, clock, facts_live=live)
        details = {
            spec.feed: DetailReader(spec, firm, settings, account, clock) for spec in _DETAIL_LISTS
        }
        whole = {
            kind.feed: WholeListReader(kind(firm, settings), account, clock)
            for kind in _WHOLE_LISTS
        }
        time = TimeReader(firm, settings, account, clock)
        invoices = InvoiceReader(firm, settings, account, clock)
        self._expenses = ExpenseReader(firm, settings, account, clock)
        self._askers: dict[str, _Asker] = {
            **details,
            **whole,
            "time": time,
            "invoices": invoices,
        }
        self._readers: dict[str, _Reader] = {
            **details,
            **whole,
            "time": time,
            "invoices": invoices,
            "expenses": self._expenses,
        }

    @property
    def capabilities(self) -> SourceCapabilities:
        """What this source can do."""
        return self._capabilities

    def read(self, feed: str, cursor: str | None, span: Span | None = None) -> Page:
        """Return the next page of a feed; a span asks for history with a cursor of its own."""
        reader = self._readers.get(feed)
        if reader is None:
            raise ConfigurationInvalid(f"BigTime has no feed {feed!r}")
        if span is not None and not self._capabilities.feed(feed).has_history:
            raise ConfigurationInvalid(f"feed {feed!r} of BigTime has no history: it is a list")
        return reader.read(cursor, span)

    def gone(self, feed: str, external_ids: Collection[str]) -> frozenset[str]:
        """Return those ids that BigTime, asked one by one, confirms not to have any more."""
        if feed == "expenses":
            return self._expenses.missing(external_ids) if external_ids else frozenset()
        asker = self._askers.get(feed)
        if asker is None:
            raise ConfigurationInvalid(f"BigTime has no feed {feed!r}")
        return frozenset(each for each in external_ids if asker.gone(each))

    def file(self, attachment: Attachment) -> bytes:
        """Return the content of a receipt; raises SourceRefused when BigTime has none."""
        return receipt_file(self._transport, attachment)

    def check(self) -> tuple[str, ...]:
        """Return what is wrong with the connection; empty when it can be used."""
        return problems_of(self._firm, self._settings, self._clock)

    def close(self) -> None:
        """Release connections."""
        self._transport.close()
