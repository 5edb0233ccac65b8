"""Files attached to transactions: uploads, notes, and where they are."""

from __future__ import annotations

from email import message_from_bytes
from email.message import Message
from email.policy import HTTP
from typing import Any

from hourbridge.common.exact_json import loads
from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import ATTACHABLE, BY_RESOURCE
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    invalid_property,
    malformed,
    missing_parameter,
    not_found,
)
from hourbridge.sandbox.quickbooks_online.values import Entity, text_of, without_empty

_TYPES = frozenset(
    "ai csv doc docx eps gif jpg jpeg ods pdf png rtf tif txt xls xlsx xml".split()  # noqa: SIM905
)


def upload(company: Company, content_type: str, body: bytes) -> dict[str, Any]:
    """Store the files of a multipart body, each with its metadata; answers one by one."""
    parts = _parts(content_type, body)
    numbers = sorted(name[-2:] for name in parts if name.startswith("file_metadata_"))
    if not numbers:
        raise malformed("There is no file_metadata part")
    answers: list[Entity] = []
    for number in numbers:
        try:
            entity = _store(company, parts, number)
            answers.append({"Attachable": entity})
        except Refusal as refusal:
            answers.append(refusal.body(company.clock.envelope_time()))
    return {"AttachableResponse": answers}


def shape(company: Company, given: Entity) -> Entity:
    """Return the attachment to store: a file's description, or a note alone."""
    note, name = text_of(given, "Note", 2000), text_of(given, "FileName", 1000)
    if note is None and name is None:
        raise missing_parameter("FileName")
    references = given.get("AttachableRef") or []
    for reference in references:
        _check_target(company, reference)
    return without_empty(
        {
            "FileName": name,
            "Note": note,
            "Category": given.get("Category"),
            "ContentType": given.get("ContentType"),
            "AttachableRef": references,
        }
    )


def _store(company: Company, parts: dict[str, Message], number: str) -> Entity:
    about = loads(_payload(parts[f"file_metadata_{number}"]))
    file = parts.get(f"file_content_{number}")
    if file is None:
        raise missing_parameter(f"file_content_{number}")
    name = about.get("FileName") or file.get_filename()
    if str(name).rpartition(".")[2].lower() not in _TYPES:
        raise invalid_property("FileName", f"is of a type that is not taken: {name}")
    content = _payload(file)
    described = {**shape(company, {**about, "FileName": name}), "Size": len(content)}
    entity = company.put(ATTACHABLE, described)
    company.files[entity["Id"]] = content
    return entity


def _check_target(company: Company, reference: Any) -> None:
    target = reference.get("EntityRef", {}) if isinstance(reference, dict) else {}
    kind = BY_RESOURCE.get(str(target.get("type", "")).lower())
    if kind is None or company.get(kind, str(target.get("value"))) is None:
        raise not_found()


def _parts(content_type: str, body: bytes) -> dict[str, Message]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = message_from_bytes(head + body, policy=HTTP)
    if not message.is_multipart():
        raise malformed("The body is not multipart/form-data")
    found: dict[str, Message] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        found[str(name)] = part
    return found


def _payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
