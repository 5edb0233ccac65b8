"""Invoices that people composed in BigTime: header and lines, and what became of them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from hourbridge.connectors.bigtime.rows import Row
from hourbridge.connectors.bigtime.settings import BigTimeSettings
from hourbridge.connectors.bigtime.stating import TASK_PREFIX

_STATUSES = {
    "draft": "draft",
    "final": "final",
    "finalized": "final",
    "finalised": "final",
    "sent": "sent",
    "paid": "sent",
    "partiallypaid": "sent",
    "posted": "posted",
    "void": "void",
    "voided": "void",
}
_KINDS = (
    ("expense", re.compile(r"exp", re.IGNORECASE)),
    ("retainer", re.compile(r"retain", re.IGNORECASE)),
    ("discount", re.compile(r"discount", re.IGNORECASE)),
    ("tax", re.compile(r"tax", re.IGNORECASE)),
    ("time", re.compile(r"time|labou?r|fee", re.IGNORECASE)),
    ("fixed", re.compile(r"fixed|flat|milestone", re.IGNORECASE)),
    ("text", re.compile(r"text|note|info|comment|subtotal", re.IGNORECASE)),
)
_POSTED_TEXT = frozenset({"posted", "true", "yes", "1"})


def invoice_fields(row: Row, settings: BigTimeSettings) -> dict[str, Any]:
    """Return the fields of an invoice. Its hours must not be billed a second time."""
    invoice_id, day = row.identifier("Sid"), row.day("InvoiceDt")
    total = row.number("TotalAmt")
    total = row.number("InvoiceAmt") if total is None else total
    for name, value in (("Sid", invoice_id), ("InvoiceDt", day), ("TotalAmt", total)):
        if value is None:
            row.refuse(name, "missing", f"the invoice states no {name}")
    status_text = row.text("StatusTxt", "StatusNm")
    sent = row.day("InvoiceDtSent")
    currency = row.text("CurrencyCode", "Currency")
    if currency is None and settings.base_currency is not None:
        currency = settings.base_currency
        row.note("currency: the firm's base currency; invoices state none")
    if sent is not None:
        row.note(f"sent on {sent}, at a time that is not stated")
    return {
        "external_id": invoice_id,
        "number": row.text("InvoiceNbr"),
        "status": _status(row, status_text, is_sent=sent is not None),
        "status_text": _status_words(row, status_text),
        "client_id": row.identifier("ClientSid"),
        "client_name": row.text("ClientNm"),
        "project_id": row.identifier("ProjectSid"),
        "project_name": row.text("DName"),
        "invoice_date": day,
        "due_date": row.day("InvoiceDtDue"),
        "period_first": row.day("InvoiceDtSt"),
        "period_last": row.day("InvoiceDtEnd"),
        "currency": currency,
        "subtotal": row.number("Subtotal"),
        "tax_total": row.number("SalesTaxAmt"),
        "total": total,
        "paid": row.number("PaidAmt"),
        "terms_id": row.identifier("TermsSid"),
        "purchase_order": row.text("PONumber"),
        "notes": "\n".join(each for each in (row.text("Note1"), row.text("Note2")) if each) or None,
        "lines": _lines(row),
    }


def _status(row: Row, text: str | None, *, is_sent: bool) -> str:
    """Return where an invoice stands; once posted, that is what counts."""
    if is_posted(row):
        return "posted"
    if text is not None:
        return _STATUSES.get(re.sub(r"[^a-z]", "", text.casefold()), "unknown")
    return "sent" if is_sent else "unknown"


def _status_words(row: Row, text: str | None) -> str | None:
    posted = row.text("PostedStatus")
    if posted is None or posted in ("0", "false"):
        return text
    return f"{text or ''} (posted: {posted})".strip()


def is_posted(row: Row) -> bool:
    """Return whether the invoice is marked as being in the accounting system."""
    named = (row.text("PostedStatusNm", "PostedStatusTxt") or "").strip().casefold()
    stated = (row.text("PostedStatus") or "").strip().casefold()
    return named == "posted" or stated in _POSTED_TEXT


def _lines(row: Row) -> list[dict[str, Any]]:
    found = []
    for position, line in enumerate(row.children("Lines", "LineList", "InvoiceLines")):
        if line.flag("IsDeleted"):
            continue
        found.append(_line(row, line, position))
    return found


def _line(row: Row, line: Row, position: int) -> dict[str, Any]:
    amount = line.number("Amt")
    is_credit = bool(line.flag("IsCredit"))
    if amount is None:
        amount = Decimal(0)
        row.note(f"line {position}: no amount is stated")
    number = line.number("LineNbr")
    task = line.identifier("BudgetSid", "TaskSid")
    fields = {
        "position": position if number is None or number < 0 else int(number),
        "kind": _kind(line),
        "name": line.text("Nm"),
        "notes": line.text("Nt"),
        "quantity": line.number("Quantity"),
        "unit_price": line.number("Rate"),
        "amount": amount,
        "is_credit": is_credit,
        "taxable": line.flag("IsTaxable"),
        "tax_code_id": line.identifier("SalesTaxSid"),
        "tax_amount": line.number("SalesTaxAmt") or None,
        "project_id": line.identifier("ProjectSid"),
        "task_id": None if task is None else f"{TASK_PREFIX}{task}",
        "account_id": line.identifier("AcctSid"),
        "class_id": line.identifier("QBClassSid"),
        "entry_ids": _entries(line),
    }
    for reason in line.reasons:
        row.refuse(f"lines.{position}.{reason.field}", reason.code, reason.detail)
    return fields


def _kind(line: Row) -> str:
    said = " ".join(filter(None, (line.text("LineTypeNm", "LineType"), line.text("Source"))))
    for kind, pattern in _KINDS:
        if pattern.search(said):
            return kind
    return "other"


def _entries(line: Row) -> tuple[str, ...]:
    """Return the ids of what the line bills, where a firm's answers name them."""
    listed = line.value("EntrySids", "TimeSids", "SourceSids")
    if not isinstance(listed, list):
        return ()
    return tuple(found for each in listed if (found := Row({"Sid": each}).identifier("Sid")))
