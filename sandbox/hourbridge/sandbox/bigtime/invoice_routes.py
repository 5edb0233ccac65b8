"""The routes of invoices and of payments posted to them."""

from __future__ import annotations

from hourbridge.sandbox.bigtime import invoice_work
from hourbridge.sandbox.bigtime.calls import Answer, Asked, Route
from hourbridge.sandbox.bigtime.picklists import CALCULATORS, INVOICE_STATUSES
from hourbridge.sandbox.bigtime.refusals import invalid
from hourbridge.sandbox.bigtime.values import Row, lowered, read

_DETAILS = ("Lines", "BillingAddress", "FirmAddress", "Note1", "Note2")


def invoice_view(invoice: Row, *, detailed: bool) -> Row:
    """Return an invoice: its header in lists, with lines and texts in detail."""
    hidden = ("PaidDt",) if detailed else ("PaidDt", *_DETAILS)
    shown = {name: value for name, value in invoice.items() if name not in hidden}
    shown["StatusTxt"] = INVOICE_STATUSES[invoice["Status"]]
    shown["CanEditInvoice"] = invoice["Status"] < invoice_work.SENT
    return shown


def invoice_routes() -> list[Route]:
    """Return the routes; all are for administrators."""
    return [
        Route("GET", "invoice/history", _history, "admin"),
        Route("GET", "invoice/drafts", _drafts, "admin"),
        Route("GET", "invoice/getinvoicesbyclientid", _of_client, "admin"),
        Route("GET", "invoice/detail/{}", _detail, "admin"),
        Route("POST", "invoice/detail/{}", _edit, "admin"),
        Route("POST", "invoice/create", _create, "admin"),
        Route("GET", "invoice/calculatortypes", _calculators, "admin"),
        Route("GET", "invoice/pdf/{}", _pdf, "admin"),
        Route("POST", "paymentpost/status", _pay, "admin"),
    ]


def _is_draft(invoice: Row) -> bool:
    return int(invoice["Status"]) < invoice_work.SENT


def _within(asked: Asked, invoice: Row) -> bool:
    first, last = asked.day("StartDt"), asked.day("EndDt")
    day = invoice["InvoiceDt"]
    return (first is None or first <= day) and (last is None or day <= last)


def _history(asked: Asked) -> list[Row]:
    asked.span()
    found = (row for row in asked.firm.invoices.values() if not _is_draft(row))
    return [invoice_view(row, detailed=False) for row in found if _within(asked, row)]


def _drafts(asked: Asked) -> list[Row]:
    found = (row for row in asked.firm.invoices.values() if _is_draft(row))
    return [invoice_view(row, detailed=False) for row in found if _within(asked, row)]


def _of_client(asked: Asked) -> list[Row]:
    client = asked.number("ClientId")
    found = (row for row in asked.firm.invoices.values() if row["ClientSid"] == client)
    return [invoice_view(row, detailed=False) for row in found if _within(asked, row)]


def _detail(asked: Asked) -> Row:
    return invoice_view(invoice_work.need(asked.firm, asked.identity()), detailed=True)


def _edit(asked: Asked) -> Row:
    invoice = invoice_work.need(asked.firm, asked.identity())
    return invoice_view(invoice_work.edit(asked.firm, invoice, asked.fields()), detailed=True)


def _create(asked: Asked) -> Row:
    return invoice_view(invoice_work.create(asked.firm, asked.fields()), detailed=True)


def _calculators(_asked: Asked) -> list[Row]:
    return [{"Id": number, "Name": name} for number, name in CALCULATORS.items()]


def _pay(asked: Asked) -> Row:
    given = lowered(asked.fields())
    if given.get("paidamt") is None:
        raise invalid("PaidAmt required.")
    invoice = invoice_work.need(asked.firm, read(given.get("invoicesid"), "id", "InvoiceSid"))
    amount = read(given["paidamt"], "number", "PaidAmt")
    day = read(given.get("paiddt"), "day", "PaidDt")
    return invoice_view(invoice_work.pay(asked.firm, invoice, amount, day), detailed=False)


def _pdf(asked: Asked) -> Answer:
    invoice = invoice_work.need(asked.firm, asked.identity())
    number = invoice["InvoiceNbr"] or f"draft {invoice['Sid']}"
    return Answer(200, pdf(f"Invoice {number} {invoice['TotalAmt']}"), "application/pdf")


def pdf(text: str) -> bytes:
    """Return a PDF of one page with one line of plain ASCII text."""
    shown = text.encode("ascii", "replace").replace(b"(", b"[").replace(b")", b"]")
    stream = b"BT /F1 18 Tf 60 760 Td (" + shown + b") Tj ET"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length " + str(len(stream)).encode() + b">>stream\n" + stream + b"\nendstream",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(body))
        body += str(number).encode() + b" 0 obj" + content + b"endobj\n"
    table = b"".join(f"{offset:010} 00000 n \n".encode() for offset in offsets)
    count = str(len(objects) + 1).encode()
    table = b"xref\n0 " + count + b"\n0000000000 65535 f \n" + table
    trailer = b"trailer<</Size " + count + b"/Root 1 0 R>>\nstartxref\n"
    return body + table + trailer + str(len(body)).encode() + b"\n%%EOF\n"
