"""Canonical records, version 1, of lists: customers, accounts, items and so on, of either side."""

from __future__ import annotations

from pydantic import Field

from hourbridge.common.messages.fields import CurrencyCode, Identifier, Instant
from hourbridge.common.messages.record_parts import Record, RecordType


class ListEntry(Record):
    """One entry of a list of an accounting system, or of a tracker's list as both sides see it.

    Lists of ledgers: company, preferences, customer (jobs and projects too), vendor, employee,
    account, item, tax_code, tax_rate, class, term, department, payment_method, currency and
    exchange_rate. Lists of trackers: client, project, staff, labor_code, task, expense_code,
    tax_rate, term and class. Where one system uses an id for several lists, ``external_id`` is
    ``<list>:<id>``, and ``entry_id`` always the system's own id.
    """

    record_type = RecordType.LIST_ENTRY

    list_name: Identifier
    entry_id: Identifier
    name: str
    full_name: str | None = None
    """With the names of its parents, where the list is a tree."""
    parent_id: Identifier | None = None
    type: str | None = None
    """The system's own word: of accounts, items, terms."""
    code: str | None = None
    """What people call it by: an account's number, a project's code."""
    email: str | None = None
    currency: CurrencyCode | None = None
    is_active: bool = True
    is_header: bool = False
    """Groups others; nothing can be posted to it."""
    is_project: bool = False
    """Of customers: a project in the ledger's sense, not only a sub-customer."""
    merged_into: Identifier | None = None
    """Gone because somebody merged it into this entry of the same list."""
    edit_token: str | None = None
    updated_at: Instant | None = None
    attributes: dict[str, str] = Field(default_factory=dict)
    """Further values by the system's field path: ``IncomeAccountRef.value``, ``RateValue``."""
