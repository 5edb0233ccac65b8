"""Receipts: the file behind an attachment."""

from __future__ import annotations

import base64
import binascii

from hourbridge.common.errors import SourceRefused
from hourbridge.common.exact_json import loads
from hourbridge.common.messages.records import Attachment
from hourbridge.connectors.bigtime.expenses import NAMELESS_RECEIPT
from hourbridge.connectors.bigtime.faults import MISSING, is_missing, unreadable
from hourbridge.connectors.bigtime.rows import Row
from hourbridge.connectors.bigtime.transport import Transport

_PAGE = (b"<!doctype html", b"<html")
_CONTENT = ("Data", "Content", "FileData", "Base64")


def receipt_file(transport: Transport, attachment: Attachment) -> bytes:
    """Return a receipt's bytes, whether they come bare or in base64 inside JSON.

    Raises SourceRefused when BigTime has none, SourceAnswerUnreadable for an error page.
    """
    expense, _, rest = attachment.id.partition("/")
    sid = rest.partition("/")[0]
    if sid == NAMELESS_RECEIPT:
        sid = _only_receipt(transport, expense)
    try:
        content = transport.call("GET", f"expense/receipt/{sid}")
    except SourceRefused as refused:
        if is_missing(refused):
            raise _none(attachment.id) from None
        raise
    if not content:
        raise _none(attachment.id)
    if content.lstrip()[:15].lower().startswith(_PAGE):
        raise unreadable(content, "a page where a file was asked for")
    return _unwrapped(content)


def _only_receipt(transport: Transport, expense: str) -> str:
    for row in transport.rows("expense/receipt", {"ExpenseSid": expense}):
        sid = row.identifier("ReceiptSid", "Sid", "Id")
        if sid is not None:
            return sid
    raise _none(expense)


def _unwrapped(content: bytes) -> bytes:
    if not content.lstrip().startswith(b"{"):
        return content
    try:
        value = loads(content)
    except (ValueError, RecursionError):
        return content
    data = Row(value).text(*_CONTENT) if isinstance(value, dict) else None
    if data is None:
        return content
    try:
        return base64.b64decode(data.partition("base64,")[2] or data, validate=True)
    except binascii.Error as error:
        raise unreadable(content, error) from None


def _none(attachment_id: str) -> SourceRefused:
    return SourceRefused(
        "BigTime has no file for this receipt", reason_code=MISSING, attachment=attachment_id
    )
