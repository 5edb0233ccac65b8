"""What trackers are told about what became of their invoices."""

from __future__ import annotations

from typing import Literal

from hourbridge.common.messages.fields import Payload, SourceName


class WriteBackRule(Payload):
    """A source that is told about invoices that were composed in it."""

    source: SourceName
    marks: tuple[Literal["invoice_posted", "paid"], ...] = ("invoice_posted", "paid")
    """What is told; the source must be able to take it."""
