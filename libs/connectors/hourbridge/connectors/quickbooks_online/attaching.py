"""Receipts attached to documents: each once, found again by a marker in its note."""

from __future__ import annotations

from typing import Any

from hourbridge.common.errors import LedgerRejected
from hourbridge.common.exact_json import dumps
from hourbridge.common.ids import derive_key
from hourbridge.connectors.ledger import LedgerFile, LedgerWrite
from hourbridge.connectors.quickbooks_online.forms import form_of
from hourbridge.connectors.quickbooks_online.marker import file_id, file_note
from hourbridge.connectors.quickbooks_online.queries import quoted, select_all
from hourbridge.connectors.quickbooks_online.transport import Transport

_LINE = b"\r\n"


class Attacher:
    """Attaches files to documents of one company."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def attach(self, write: LedgerWrite) -> None:
        """Attach the write's files that the document doesn't have yet; safe to repeat."""
        entity, ledger_id = form_of(write.document.kind).entity, str(write.ledger_id)
        held = self._held(entity, ledger_id)
        for file in write.files:
            if file.id not in held:
                self._add(file, entity, ledger_id, derive_key(write.operation_key, file.id))

    def _held(self, entity: str, ledger_id: str) -> set[str | None]:
        conditions = [
            f"AttachableRef.EntityRef.Type = {quoted(entity.lower())}",
            f"AttachableRef.EntityRef.value = {quoted(ledger_id)}",
        ]
        rows = select_all(self._transport, "Attachable", conditions)
        return {file_id(row.get("Note")) for row in rows}

    def _add(self, file: LedgerFile, entity: str, ledger_id: str, key: str) -> None:
        reference = {"EntityRef": {"type": entity, "value": ledger_id}, "IncludeOnSend": False}
        about: dict[str, Any] = {"AttachableRef": [reference], "Category": "Receipt"}
        parameters = {"requestid": key}
        if file.content is None:
            note = f"{file_note(file.id)} {file.filename} {file.url or ''}".strip()
            self._transport.write("attachable", {**about, "Note": note}, parameters)
            return
        about |= {
            "Note": file_note(file.id),
            "FileName": file.filename,
            "ContentType": file.content_type,
        }
        body, content_type = _multipart(about, file, key)
        answer = self._transport.upload(body, content_type, parameters)
        _check(answer, file)


def _multipart(about: dict[str, Any], file: LedgerFile, key: str) -> tuple[bytes, str]:
    """Return the body of an upload and its content type."""
    boundary = f"hourbridge-{key}".encode()
    name = file.filename.replace('"', "'").replace("\r", " ").replace("\n", " ")
    parts = (
        ('name="file_metadata_01"; filename="about.json"', "application/json", dumps(about)),
        (f'name="file_content_01"; filename="{name}"', file.content_type, file.content or b""),
    )
    body = b""
    for disposition, content_type, content in parts:
        head = f"Content-Disposition: form-data; {disposition}\r\nContent-Type: {content_type}"
        data = content.encode() if isinstance(content, str) else content
        body += b"--" + boundary + _LINE + head.encode() + _LINE + _LINE + data + _LINE
    body += b"--" + boundary + b"--" + _LINE
    return body, f"multipart/form-data; boundary={boundary.decode()}"


def _check(answer: dict[str, Any], file: LedgerFile) -> None:
    """Raise LedgerRejected for a fault within a successful answer: each file has its own."""
    for each in answer.get("AttachableResponse", []):
        fault = each.get("Fault")
        if fault is not None:
            first = (fault.get("Error") or [{}])[0]
            what = f"{first.get('Message', 'refused')}: {first.get('Detail', '')}"
            code = str(first.get("code", "attachment_refused"))
            raise LedgerRejected(what, reason_code=code, file=file.filename)
