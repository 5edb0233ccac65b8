"""Answers that are no objects: printed forms, and addresses of attached files."""

from __future__ import annotations

from hourbridge.sandbox.quickbooks_online import operations
from hourbridge.sandbox.quickbooks_online.calls import Answer, Call
from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import BY_RESOURCE, SALES
from hourbridge.sandbox.quickbooks_online.refusals import not_found, unsupported

FILE_RESOURCES = frozenset({"download", "files"})
"""``download`` answers with an address, which here is under ``files``."""


def file_answer(company: Company, call: Call) -> Answer:
    """Return a file, or the text of its address; 610 when there is none."""
    if call.resource == "download":
        identity = call.path[1] if len(call.path) == 2 else ""
        if identity not in company.files:
            raise not_found()
        host = call.headers.get("host", "")
        address = f"http://{host}/v3/company/{company.realm}/files/{identity}"
        return Answer(200, address.encode(), "text/plain")
    if call.resource == "files":
        content = company.files.get(call.path[1]) if len(call.path) == 2 else None
        if content is None:
            raise not_found()
        return Answer(200, content, "application/octet-stream")
    kind = BY_RESOURCE.get(call.resource)
    if kind not in SALES:
        raise unsupported("/".join(call.path))
    document = operations.read(company, kind, call.path[1])
    title = f"{kind.name} {document.get('DocNumber') or document['Id']}: {document['TotalAmt']}"
    return Answer(200, _pdf(title), "application/pdf")


def _pdf(title: str) -> bytes:
    """Return a page of one line, enough for any reader of the format."""
    safe = title.encode("ascii", "replace").replace(b"(", b"[").replace(b")", b"]")
    text = b"BT /F1 12 Tf 72 720 Td (" + safe + b") Tj ET"
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(text), text),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body, offsets = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
    tail = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(parts) + 1, len(body))
    return body + head + table + tail
