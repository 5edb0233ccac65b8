"""Reading what upstream systems send: CloudEvents 1.0, structured, batched or binary.

Pure functions. An unreadable envelope raises EnvelopeUnreadable; whatever is wrong inside a
readable one becomes field-exact reasons of that event alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from pydantic import TypeAdapter, ValidationError

from hourbridge.common.errors import HourbridgeError
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.envelope import DATAREF, TYPE_PREFIX
from hourbridge.common.messages.events import FieldReason
from hourbridge.common.messages.fields import BookName, Identifier
from hourbridge.common.messages.records import RECORD_MODELS, Record, RecordType, TimeEntry
from hourbridge.common.messages.registry import reasons_of, reported_type
from hourbridge.ingestor.local_times import completed, without_zone_names

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

_MODELS: dict[str, type[Record]] = {
    reported_type(record_type): RECORD_MODELS[record_type] for record_type in RecordType
}
_BOOK: TypeAdapter[str] = TypeAdapter(BookName)
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)
_TEXT_ATTRIBUTES_MAX = 2048
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
"""Escapes of NUL and of surrogates, paired or lone."""
_SHORT_BYTES_MAX = 255
"""AMQP's short strings: correlation ids, among others."""
_SECONDS_MAX = 366 * 24 * 3600
"""Longer than any period in which somebody may sum up work in one entry."""


class EnvelopeUnreadable(HourbridgeError):
    """The body is no CloudEvent at all: nothing in it can be answered event by event."""

    code = "envelope_unreadable"
    advice = "Send a JSON object (or, batched, an array of them) as CloudEvents 1.0 describes."


@dataclass(frozen=True, slots=True)
class Reported:
    """One event: a record, or the reasons why there is none."""

    event_id: str | None
    event_source: str | None
    event_type: str | None
    book: str | None
    time: datetime | None
    correlation_id: str | None
    record: Record | None
    reasons: tuple[FieldReason, ...]

    @property
    def label(self) -> str:
        """Return the record type for texts, ``event`` if unknown."""
        return self.record.record_type.value if self.record else "event"


def parse_json(body: bytes) -> Any:
    """Return the JSON value in ``body`` or raise EnvelopeUnreadable."""
    try:
        return json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise EnvelopeUnreadable(f"not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise EnvelopeUnreadable("nested too deeply") from None
    except ValueError as error:
        raise EnvelopeUnreadable(f"not JSON: {error}") from None


def read_structured(body: bytes) -> Reported:
    """Return the event of one structured body."""
    document = parse_json(body)
    if not isinstance(document, dict):
        raise EnvelopeUnreadable("a structured CloudEvent is one JSON object")
    return read_event(document, text_is_suspect=_is_suspect(body))


def read_batch(body: bytes) -> list[Reported]:
    """Return the events of a batch, in order."""
    documents = parse_json(body)
    if not isinstance(documents, list):
        raise EnvelopeUnreadable("a batch of CloudEvents is one JSON array")
    is_suspect = _is_suspect(body)
    return [read_event(document, text_is_suspect=is_suspect) for document in documents]


def read_binary(headers: Mapping[str, str], body: bytes) -> Reported:
    """Return the event whose attributes are ``ce-`` headers and whose data is the body."""
    attributes: dict[str, Any] = {
        name[3:].lower(): unquote(value)
        for name, value in headers.items()
        if name.lower().startswith("ce-")
    }
    attributes["data"] = parse_json(body)
    return read_event(attributes)


def _is_suspect(body: bytes) -> bool:
    """Return whether any text may hold what PostgreSQL can't: JSON needs an escape for that.

    Escaped backslashes before the ``u`` make a false alarm; every text is looked at then.
    """
    return _SUSPECT.search(body) is not None


def read_event(document: Any, *, text_is_suspect: bool = True) -> Reported:
    """Return one event with its record, or with every reason against it."""
    if not isinstance(document, dict):
        reason = FieldReason(field="(event)", code="not_an_object", detail="must be a JSON object")
        return Reported(None, None, None, None, None, None, None, (reason,))
    reasons: list[FieldReason] = []
    if document.get("specversion") != "1.0":
        reasons.append(_reason("specversion", "unsupported", 'must be "1.0"'))
    if text_is_suspect and not all_storable(document):
        reasons.append(
            _reason("(event)", "text_invalid", "NUL and lone surrogate characters can't be kept")
        )
    if document.get(DATAREF) is not None:  # following it, anyone could read any object
        reasons.append(_reason(DATAREF, "reference_not_accepted", "send the record as data"))
    event_id = _text(document, "id", reasons, _IDENTIFIER)
    source = _text(document, "source", reasons, None)
    event_type = _text(document, "type", reasons, None)
    book = _book(document, reasons)
    time = _time(document, reasons)
    record = _record(document, event_type, reasons)
    return Reported(
        event_id,
        source,
        event_type,
        book,
        time,
        _correlation_id(document.get("correlationid"), event_id),
        None if reasons else record,
        tuple(reasons),
    )


def _text(
    document: dict[str, Any],
    name: str,
    reasons: list[FieldReason],
    adapter: TypeAdapter[str] | None,
) -> str | None:
    value = document.get(name)
    if not isinstance(value, str) or not value or len(value) > _TEXT_ATTRIBUTES_MAX:
        code = "missing" if value is None else "text_expected"
        reasons.append(_reason(name, code, "must be a non-empty text"))
        return None
    if adapter is not None and len(value) > 255:
        reasons.append(_reason(name, "string_too_long", "must have at most 255 characters"))
        return None
    return value


def _correlation_id(stated: Any, event_id: str | None) -> str | None:
    """Return the stated correlation id, else the event's id; in the form that AMQP can carry."""
    text = stated if isinstance(stated, str) and stated else event_id
    if text is None or not is_storable(text):
        return None
    return text if len(text.encode()) <= _SHORT_BYTES_MAX else derive_id("correlation", text)


def _book(document: dict[str, Any], reasons: list[FieldReason]) -> str | None:
    value = document.get("book")
    if value is None:
        return None
    try:
        return _BOOK.validate_python(value, strict=True)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]["msg"]
        reasons.append(_reason("book", "book_invalid", detail))
        return None


def _time(document: dict[str, Any], reasons: list[FieldReason]) -> datetime | None:
    value = document.get("time")
    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        instant = None
    try:
        if instant is not None and instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except OverflowError:
        pass  # an offset that leads out of years 1 to 9999
    reasons.append(_reason("time", "instant_invalid", "must be RFC 3339 with an offset"))
    return None


def _record(
    document: dict[str, Any], event_type: str | None, reasons: list[FieldReason]
) -> Record | None:
    content_type = document.get("datacontenttype", "application/json")
    if not isinstance(content_type, str) or "json" not in content_type:
        reasons.append(_reason("datacontenttype", "unsupported", "must be application/json"))
    if event_type is None:
        return None
    model = _MODELS.get(event_type)
    if model is None:
        detail = f"not one of {TYPE_PREFIX}<record>.reported.v1"
        reasons.append(_reason("type", "type_unknown", detail))
        return None
    data = document.get("data")
    if not isinstance(data, dict):
        reasons.append(_reason("data", "missing", "must be the record, a JSON object"))
        return None
    return validate_record(model, data, reasons, prefix="data.")


def validate_record(
    model: type[Record], data: dict[str, Any], reasons: list[FieldReason], *, prefix: str
) -> Record | None:
    """Return the record in ``data``; what is wrong goes to ``reasons`` with its field's path."""
    try:
        record = model.model_validate(without_zone_names(data) if model is TimeEntry else data)
        if not isinstance(record, TimeEntry):
            return record
        if record.input.seconds <= _SECONDS_MAX:
            return completed(record, data, reasons, prefix=prefix)
        reasons.append(_reason(f"{prefix}input.seconds", "over_a_year", "more than a year of work"))
    except ValidationError as error:
        for found in reasons_of(error):
            field = prefix + found["field"] if found["field"] != "(body)" else prefix.rstrip(".")
            reasons.append(_reason(field or "(row)", found["code"], found["detail"]))
    except OverflowError:  # an instant that has no UTC equivalent within years 1 to 9999
        reasons.append(_reason(prefix.rstrip(".") or "(row)", "instant_invalid", "out of range"))
    return None


def all_storable(value: Any) -> bool:
    """Return whether PostgreSQL can hold every text in ``value``."""
    if isinstance(value, str):
        return is_storable(value)
    if isinstance(value, dict):
        return all(all_storable(key) and all_storable(item) for key, item in value.items())
    if isinstance(value, list):
        return all(all_storable(item) for item in value)
    return True


def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can hold ``text``: no NUL, no lone surrogates."""
    try:
        return b"\x00" not in text.encode()
    except UnicodeEncodeError:
        return False


def _reason(field: str, code: str, detail: str) -> FieldReason:
    return FieldReason(field=field, code=code, detail=detail)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
