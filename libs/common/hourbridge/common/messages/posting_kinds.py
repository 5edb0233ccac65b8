"""What charge sets and documents carry for time activities, checks, cash and card purchases."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hourbridge.common.book import LedgerBinding, LedgerReference
from hourbridge.common.messages.fields import (
    CurrencyCode,
    DecimalText,
    Identifier,
    LocalDate,
    Payload,
)


class Activity(Payload):
    """Work as a ledger's time activity: who worked, for whom, when and how long.

    From worked time, never from what the client is billed.
    """

    activity_id: Identifier
    employee: LedgerReference | None = None
    vendor: LedgerReference | None = None
    """Who worked: exactly one of the two."""
    customer: LedgerReference
    job: LedgerReference | None = None
    item: LedgerReference
    class_ref: LedgerReference | None = None
    department: LedgerReference | None = None
    work_date: LocalDate
    seconds: int = Field(gt=0)
    """Worked, exactly."""
    is_billable: bool = False
    """The ledger may bill it, until an invoice of ours is linked with it."""
    charge_id: Identifier | None = None
    """Billable ones: the charge whose invoice line is linked with it."""
    hourly_rate: DecimalText | None = None
    cost_rate: DecimalText | None = None
    currency: CurrencyCode
    """Of both rates."""
    description: str | None = None
    client: str
    project: str | None = None
    staff: str | None = None
    task: str | None = None
    number_prefix: str
    ledger: LedgerBinding


class PaidAtOnce(Payload):
    """How the firm paid a cost that nobody bills: by check, in cash, or by card."""

    by: Literal["check", "cash", "card"]
    account: LedgerReference | None = None
    """The ledger's bank or card account; absent: that of the role."""
    payee: Literal["vendor", "employee", "nobody"]
    """What the payable's ``vendor`` is in the ledger; of nobody it only keeps the name."""
    transaction: str
    """What shares one purchase: an expense report, or a transaction of the bank."""


class FormField(Payload):
    """What a form's own field says."""

    name: str
    value: str
    definition_id: Identifier | None = None
    too_long: Literal["refuse", "cut"] = "refuse"
