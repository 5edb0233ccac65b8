"""The envelope of every message: CloudEvents 1.0 in structured mode around one payload."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import ConfigDict, Field, StringConstraints

from hourbridge.common.messages.fields import BookName, Instant, Payload, ShortText

DataT = TypeVar("DataT", bound=Payload)

CONTENT_TYPE = "application/cloudevents+json"
TYPE_PREFIX = "hourbridge."
DATAREF = "dataref"
"""Stands in the place of ``data`` where that is kept in the object store; readers never see it."""
DATAREF_PATTERN = r"^sha256:[0-9a-f]{64}$"

MessageType = Annotated[
    str, StringConstraints(pattern=r"^hourbridge\.[a-z_]+\.[a-z_]+\.v[1-9][0-9]*$")
]
"""``hourbridge.<entity>.<what happened>.v<major>``."""


class Event(Payload, Generic[DataT]):
    """A CloudEvent. ``source`` and ``id`` together identify it; equal pairs are duplicates."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    specversion: Literal["1.0"] = "1.0"
    id: ShortText
    source: Annotated[str, StringConstraints(min_length=1, max_length=2048)]
    type: MessageType
    subject: str | None = None
    time: Instant | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str | None = None
    book: BookName
    correlationid: ShortText | None = None
    causationid: ShortText | None = None
    traceparent: Annotated[str, StringConstraints(max_length=255)] | None = None
    tracestate: Annotated[str, StringConstraints(max_length=512)] | None = None
    data: DataT = Field()

    @property
    def routing_key(self) -> str:
        """Return the type without the ``hourbridge.`` prefix."""
        return self.type.removeprefix(TYPE_PREFIX)

    def to_json(self) -> bytes:
        """Return the canonical body: absent optional fields are left out."""
        return self.model_dump_json(exclude_none=True).encode()
