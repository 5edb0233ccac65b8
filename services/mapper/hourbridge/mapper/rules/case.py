"""One record on its way through the rules, with what has been found so far."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import MappingOutcome, Reason
from hourbridge.common.messages.records import Expense, TimeEntry
from hourbridge.mapper.rules.billable import unpaid_by_rule
from hourbridge.mapper.rules.engagement import Engagement
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.outcome import Mapped
from hourbridge.mapper.rules.resolve import Resolution
from hourbridge.mapper.rules.subject import Subject
from hourbridge.mapper.rules.work_time import Part

RecordT = TypeVar("RecordT", TimeEntry, Expense)


@dataclass(slots=True)
class Case(Generic[RecordT]):
    """A record, its subject and the rules found for it."""

    book: CompiledBook
    record_id: str
    record: RecordT
    subject: Subject
    found: Resolution
    part: Part | None = None
    """Time entries: the part of it that this case is about."""

    def __post_init__(self) -> None:
        if self.found.client_term is not self.subject.client:
            self.subject = replace(self.subject, client=self.found.client_term)

    def charge_id(self, name: str) -> str:
        """Return the id of the record's charge of a name; parts after the first are numbered."""
        if self.part is None or self.part.number == 1:
            return derive_id(self.record_id, name)
        return derive_id(self.record_id, name, str(self.part.number))

    @property
    def terms(self) -> Engagement | None:
        """Return what holds for the client's work, None while the client isn't mapped."""
        if self.found.client is None:
            return None
        return self.book.engagement(self.found.client, self.found.project, self.found.day)

    def unpaid(self, *rules: tuple[str, bool | None]) -> Reason | None:
        """Return why the configuration says that the client doesn't pay.

        A verdict that waits for something is noted with all else that is missing instead.
        """
        client, project = self.found.client, self.found.project
        workflow = (client and client.workflow) or (project and project.workflow) or None
        verdict = unpaid_by_rule(
            self.record.billable_state,
            self.book.configuration.billable,
            workflow,
            (*rules, ("project", project.billable if project else None)),
        )
        if verdict is not None and verdict.waits_for is not None:
            self.found.missing.append(verdict)
            return None
        return verdict

    def without_charges(
        self, *reasons: Reason, worked_seconds: int = 0, billable_seconds: int = 0
    ) -> Mapped:
        """Return a result without charges, under the labels that charges would have."""
        return without_charges(
            self.subject,
            *reasons,
            worked_seconds=worked_seconds,
            billable_seconds=billable_seconds,
            found=self.found,
        )


def without_charges(
    subject: Subject,
    *reasons: Reason,
    worked_seconds: int = 0,
    billable_seconds: int = 0,
    found: Resolution | None = None,
) -> Mapped:
    """Return a result without charges: parked if something is waited for, else skipped."""
    is_parked = any(reason.waits_for is not None for reason in reasons)
    return Mapped(
        outcome=MappingOutcome.PARKED if is_parked else MappingOutcome.SKIPPED,
        reasons=reasons,
        client=found.client_label if found else subject.client.label,
        project=found.project_label if found else subject.project.label,
        worked_seconds=worked_seconds,
        billable_seconds=billable_seconds if is_parked else 0,
        consulted=subject.consulted,
    )
