"""From an accepted record to its stored mapping and charge set; no input or output."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Protocol

from hourbridge.common.messages.events import ChargeSetChanged
from hourbridge.common.messages.records import Record, RecordType
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.linked import NO_LINKS, Links, link_dependency
from hourbridge.mapper.rules.outcome import Mapped
from hourbridge.mapper.rules.record import map_record, work_date_of
from hourbridge.mapper.rules.subject import NO_FACTS, Facts
from hourbridge.mapper.rules.work_time import NOTHING_REMEMBERED, Remembered


class RecordState(Protocol):
    """What mapping needs of an accepted record, fresh from the bus or read from the store."""

    @property
    def record_id(self) -> str:
        """The record."""
        ...

    @property
    def record_type(self) -> RecordType:
        """Its kind."""
        ...

    @property
    def source(self) -> str:
        """Who stated it."""
        ...

    @property
    def revision(self) -> int:
        """The order of its states."""
        ...

    @property
    def sequence(self) -> int:
        """Its place in the book's sequence."""
        ...

    @property
    def accepted_at(self) -> datetime:
        """When the ingestor took it."""
        ...

    @property
    def state(self) -> Record:
        """What the source states."""
        ...


@dataclass(frozen=True)
class MappedRecord:
    """A record with what it maps to under one version."""

    book: str
    accepted: RecordState
    change: ChargeSetChanged
    waits_for: tuple[str, ...]
    depends_on: tuple[str, ...]

    @cached_property
    def change_json(self) -> str:
        """Return the charge set as JSON: encoded once, both stored and published."""
        return self.change.model_dump_json(exclude_none=True)

    def under(self, version: int) -> MappedRecord:
        """Return the same mapping, stamped with another version."""
        return replace(self, change=self.change.model_copy(update={"mapping_version": version}))


def map_accepted(
    book_name: str,
    book: CompiledBook | None,
    accepted: RecordState,
    facts: Facts = NO_FACTS,
    *,
    covers: tuple[int, ...] = (),
    links: Links = NO_LINKS,
    remembered: Remembered = NOTHING_REMEMBERED,
) -> MappedRecord:
    """Map an accepted record under ``book``'s version (0 when it has no configuration)."""
    mapped = map_record(
        book,
        book_name=book_name,
        source=accepted.source,
        record_id=accepted.record_id,
        record=accepted.state,
        facts=facts,
        links=links,
        remembered=remembered,
    )
    return MappedRecord(
        book=book_name,
        accepted=accepted,
        change=_change(accepted, mapped, book.version if book else 0, covers),
        waits_for=mapped.waits_for,
        depends_on=(
            *(key.dependency(book_name, accepted.source) for key in mapped.consulted),
            *(link_dependency(book_name, accepted.source, *asked) for asked in links.asked),
        ),
    )


def _change(
    accepted: RecordState, mapped: Mapped, version: int, covers: tuple[int, ...]
) -> ChargeSetChanged:
    """Return the charge set. All parts come from validated models: not validated again."""
    return ChargeSetChanged.of_valid(
        record_id=accepted.record_id,
        record_type=accepted.record_type,
        source=accepted.source,
        record_revision=accepted.revision,
        mapping_version=version,
        covers=covers,
        outcome=mapped.outcome,
        reasons=mapped.reasons,
        charges=mapped.charges,
        accepted_at=accepted.accepted_at,
        work_date=mapped.work_date or work_date_of(accepted.state),
        client=mapped.client,
        project=mapped.project,
        worked_seconds=mapped.worked_seconds,
        billable_seconds=mapped.billable_seconds,
        deleted=accepted.state.deleted is not None,
        payment=mapped.payment,
        activities=mapped.activities,
        composed_as=_composed_as(accepted),
    )


def _composed_as(accepted: RecordState) -> str | None:
    """Return the tracker's own id of an invoice that it composed: it is told what became of it."""
    is_composed = accepted.record_type is RecordType.COMPOSED_INVOICE
    return accepted.state.external_id if is_composed else None


def same_content(one: ChargeSetChanged, other: ChargeSetChanged) -> bool:
    """Return whether two charge sets of a record say the same, made under whatever version."""
    return _content(one) == _content(other)


def _content(change: ChargeSetChanged) -> ChargeSetChanged:
    return change.model_copy(update={"mapping_version": 0, "covers": ()})
