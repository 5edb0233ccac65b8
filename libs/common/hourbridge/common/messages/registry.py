"""The registry of message types: their models, their readers' upcasters, and how to decode them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from hourbridge.common.errors import MessageInvalid, MessageTypeUnknown
from hourbridge.common.messages.envelope import TYPE_PREFIX, Event
from hourbridge.common.messages.events import (
    BookConfigured,
    ChargeSetChanged,
    DocumentChanged,
    IntakeRejected,
    ListChangeDone,
    ListChangeRequested,
    RecordAccepted,
    SourceTotalsRecorded,
)
from hourbridge.common.messages.fields import Payload
from hourbridge.common.messages.records import RECORD_MODELS, RecordType

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns the ``data`` of one major version into that of the next; pure."""


PayloadModel = type[Payload]
EventModel = type[Event[Any]]


@dataclass(frozen=True)
class Registered:
    """One message type of one major version."""

    type: str
    payload: PayloadModel
    event: EventModel
    summary: str
    publisher: str
    exchange: str

    @property
    def routing_key(self) -> str:
        """Return the type without the ``hourbridge.`` prefix."""
        return self.type.removeprefix(TYPE_PREFIX)


class Registry:
    """All known types. ``decode`` accepts a type directly or through its upcasters."""

    def __init__(self) -> None:
        self._types: dict[str, Registered] = {}
        self._upcasters: dict[str, tuple[str, Upcaster]] = {}

    def register(
        self,
        message_type: str,
        payload: PayloadModel,
        *,
        summary: str,
        publisher: str,
        exchange: str,
    ) -> str:
        """Add a type and return its name."""
        event = Event[payload]  # type: ignore[valid-type]
        self._types[message_type] = Registered(
            message_type, payload, event, summary, publisher, exchange
        )
        return message_type

    def register_upcaster(self, old_type: str, new_type: str, upcast: Upcaster) -> None:
        """Let messages of ``old_type`` be read as ``new_type`` (N reads N-1)."""
        self._upcasters[old_type] = (new_type, upcast)

    def __iter__(self) -> Any:
        return iter(self._types.values())

    def get(self, message_type: str) -> Registered:
        """Return the registered type or raise MessageTypeUnknown."""
        try:
            return self._types[message_type]
        except KeyError:
            raise MessageTypeUnknown(
                f"no model for message type {message_type!r}", type=message_type
            ) from None

    def readable(self, message_type: str) -> bool:
        """Return whether a message of this type can be decoded."""
        return message_type in self._types or message_type in self._upcasters

    def decode(self, message_type: str, body: bytes) -> Event[Any]:
        """Return the typed event in ``body``.

        Raises MessageTypeUnknown, or MessageInvalid with field-exact reasons.
        """
        if message_type in self._upcasters:
            return self._decode_old(message_type, body)
        model = self.get(message_type).event
        try:
            event = model.model_validate_json(body)
        except ValidationError as error:
            raise MessageInvalid(
                f"{error.error_count()} field(s) wrong", reasons_of(error), type=message_type
            ) from None
        if event.type != message_type:
            raise MessageInvalid(
                "type in the envelope differs from the message's type property",
                [{"field": "type", "code": "mismatch", "detail": f"{event.type} in the body"}],
                type=message_type,
            )
        return event

    def _decode_old(self, message_type: str, body: bytes) -> Event[Any]:
        try:
            document = json.loads(body)
            data = document["data"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise MessageInvalid("not a CloudEvents JSON document", type=message_type) from None
        current = message_type
        while current in self._upcasters:
            current, upcast = self._upcasters[current]
            try:
                data = upcast(data)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise MessageInvalid(f"cannot upcast: {error!r}", type=message_type) from None
        upcasted = {**document, "type": current, "data": data}
        return self.decode(current, json.dumps(upcasted).encode())


def reasons_of(error: ValidationError) -> list[dict[str, str]]:
    """Return pydantic's findings as field, code and detail."""
    return [
        {
            "field": ".".join(str(part) for part in item["loc"]) or "(body)",
            "code": item["type"],
            "detail": item["msg"],
        }
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]


EVENTS_EXCHANGE = "hourbridge.events"
BULK_EXCHANGE = "hourbridge.bulk"
INTAKE_EXCHANGE = "hourbridge.intake"
REJECTED_EXCHANGE = "hourbridge.intake.rejected"

REGISTRY = Registry()


def reported_type(record_type: RecordType) -> str:
    """Return the type with which upstream systems report a record."""
    return f"{TYPE_PREFIX}{record_type}.reported.v1"


def accepted_type(record_type: RecordType) -> str:
    """Return the type with which the ingestor announces an accepted record."""
    return f"{TYPE_PREFIX}{record_type}.accepted.v1"


for _record_type, _model in RECORD_MODELS.items():
    _noun = _record_type.value.replace("_", " ")
    _label = f"{'an' if _noun[0] in 'aeiou' else 'a'} {_noun}"
    REGISTRY.register(
        reported_type(_record_type),
        _model,
        summary=f"An upstream system states {_label}.",
        publisher="upstream",
        exchange=INTAKE_EXCHANGE,
    )
    REGISTRY.register(
        accepted_type(_record_type),
        RecordAccepted[_model],  # type: ignore[valid-type]
        summary=f"The ingestor accepted a revision of {_label}.",
        publisher="ingestor",
        exchange=EVENTS_EXCHANGE,
    )

SOURCE_TOTALS_RECORDED = REGISTRY.register(
    "hourbridge.source_totals.recorded.v1",
    SourceTotalsRecorded,
    summary="A reading of a source was counted before it was parsed.",
    publisher="ingestor",
    exchange=EVENTS_EXCHANGE,
)
INTAKE_REJECTED = REGISTRY.register(
    "hourbridge.intake.rejected.v1",
    IntakeRejected,
    summary="An upstream event was not accepted; says why, field by field.",
    publisher="ingestor",
    exchange=REJECTED_EXCHANGE,
)
BOOK_CONFIGURED = REGISTRY.register(
    "hourbridge.book.configured.v1",
    BookConfigured,
    summary="A version of a book's configuration came into force.",
    publisher="mapper",
    exchange=EVENTS_EXCHANGE,
)
CHARGE_SET_CHANGED = REGISTRY.register(
    "hourbridge.charge_set.changed.v1",
    ChargeSetChanged,
    summary="The complete set of charges of a record, or why there are none.",
    publisher="mapper",
    exchange=EVENTS_EXCHANGE,
)
DOCUMENT_CHANGED = REGISTRY.register(
    "hourbridge.document.changed.v1",
    DocumentChanged,
    summary="A document reached a new state.",
    publisher="poster",
    exchange=EVENTS_EXCHANGE,
)
LIST_CHANGE_REQUESTED = REGISTRY.register(
    "hourbridge.list_change.requested.v1",
    ListChangeRequested,
    summary="An entry of an outside system's list shall be created or changed.",
    publisher="mapper",
    exchange=EVENTS_EXCHANGE,
)
LIST_CHANGE_DONE = REGISTRY.register(
    "hourbridge.list_change.done.v1",
    ListChangeDone,
    summary="What became of a requested change of an outside system's list.",
    publisher="poster",
    exchange=EVENTS_EXCHANGE,
)
