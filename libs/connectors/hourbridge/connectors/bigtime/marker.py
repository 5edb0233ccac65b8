"""BigTime as a Marker: invoices are told as posted and paid where they were composed.

Time and expenses have no posting state that the API shows or takes: nothing is told of them.
"""

from __future__ import annotations

from hourbridge.common.errors import SourceRefused
from hourbridge.connectors.bigtime.faults import is_missing
from hourbridge.connectors.bigtime.invoices import is_posted
from hourbridge.connectors.bigtime.rows import Row
from hourbridge.connectors.bigtime.transport import Transport
from hourbridge.connectors.marking import Mark

ENTRY_MISSING = "entry_missing"
NOT_TAKEN = "not_taken"
POSTED = 1


class BigTimeMarker:
    """Marks invoices of one firm; see ``Marker``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def mark(self, mark: Mark) -> None:
        """Tell one thing; what BigTime holds already isn't told again."""
        if mark.kind == "posted":
            what = "BigTime shows and takes no posting state of time and expenses"
            raise SourceRefused(what, reason_code="not_writable", external_id=mark.external_id)
        invoice = self._invoice(mark)
        if mark.kind == "invoice_posted":
            self._mark_posted(mark, invoice)
        else:
            self._mark_paid(mark, invoice)

    def close(self) -> None:
        """Release connections."""
        self._transport.close()

    def _mark_posted(self, mark: Mark, invoice: Row) -> None:
        if is_posted(invoice):
            return
        path = f"invoice/detail/{mark.external_id}"
        self._transport.row("POST", path, body={"Sid": mark.external_id, "PostedStatus": POSTED})
        if not is_posted(self._invoice(mark)):
            raise SourceRefused(
                f"BigTime ignored that invoice {mark.external_id} was posted as {mark.number}",
                advice="The state can't be written in this firm; turn the mark off in the book.",
                reason_code=NOT_TAKEN,
                external_id=mark.external_id,
            )

    def _mark_paid(self, mark: Mark, invoice: Row) -> None:
        """State what is paid in all: a sum, so that telling it twice is telling it once."""
        if invoice.number("PaidAmt") == mark.paid:
            return
        body = {
            "InvoiceSid": mark.external_id,
            "PaidAmt": mark.paid,
            "PaidDt": mark.on.isoformat(),
        }
        self._transport.call("POST", "PaymentPost/Status", body=body)

    def _invoice(self, mark: Mark) -> Row:
        try:
            return self._transport.row("GET", f"invoice/detail/{mark.external_id}")
        except SourceRefused as refused:
            if is_missing(refused):
                what = f"BigTime has no invoice {mark.external_id} any more"
                raise SourceRefused(
                    what, reason_code=ENTRY_MISSING, external_id=mark.external_id
                ) from None
            raise
