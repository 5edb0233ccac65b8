"""Lists that are read whole: labor codes, tasks by project, rates, picklists.

Every row is stated each time. What a list holds no more: picklists leave out what is inactive,
so there it is stated as inactive; the others are asked by id, where BigTime has a way to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hourbridge.common.clock import Clock
from hourbridge.common.errors import SourceRefused
from hourbridge.common.messages.records import PicklistValue, Rate, Record, WorkItem
from hourbridge.connectors.bigtime import cursors
from hourbridge.connectors.bigtime.code_lists import (
    labor_code_fields,
    picklist_fields,
    rate_fields,
    task_fields,
)
from hourbridge.connectors.bigtime.faults import MISSING, PERMISSION
from hourbridge.connectors.bigtime.firm import WITH_INACTIVE, Firm
from hourbridge.connectors.bigtime.paging import Draft, each_while_possible, reading_of
from hourbridge.connectors.bigtime.rekeying import Remembered
from hourbridge.connectors.bigtime.rows import Row
from hourbridge.connectors.bigtime.settings import BigTimeSettings
from hourbridge.connectors.bigtime.stating import TASK_PREFIX, deletion, state
from hourbridge.connectors.source import Page, Span, Statement

_GONE = "vanished"


@dataclass(frozen=True)
class Part:
    """One call of such a reading."""

    name: str
    path: str
    parameters: Mapping[str, str]
    fields: Callable[[Row], dict[str, Any]]
    is_optional: bool = False
    """Firms without the feature answer that there is no such list."""
    otherwise: str | None = None
    """The list to read when this one can't be."""


class WholeLists:
    """What differs between these feeds."""

    feed: str
    model: type[Record]

    def __init__(self, firm: Firm, settings: BigTimeSettings) -> None:
        self.firm = firm
        self.settings = settings

    def parts(self) -> list[Part]:
        """Return the calls of a reading, in order."""
        raise NotImplementedError

    def vanished(self, entry_id: str, name: str, read_at: datetime) -> Statement | None:
        """Return what to state of an entry that is no longer listed."""
        raise NotImplementedError

    def is_gone(self, entry_id: str) -> bool:
        """Return whether BigTime, asked for it, has no such entry."""
        raise NotImplementedError


class LaborCodes(WholeLists):
    """Labor codes with their items and rates, or as a picklist where the firm says no more."""

    feed = "labor_codes"
    model = WorkItem

    def parts(self) -> list[Part]:
        """Return the calls of a reading."""
        return [
            Part(
                "labor_code",
                "project/LaborCode",
                WITH_INACTIVE,
                lambda row: labor_code_fields(row, self.settings),
                otherwise="picklist/LaborCodes",
            )
        ]

    def vanished(self, entry_id: str, name: str, read_at: datetime) -> Statement | None:
        """Return the deletion of a labor code that is not found by its id either."""
        fields = {"external_id": entry_id, "kind": "labor_code", "name": name}
        if self.is_gone(entry_id):
            return deletion(WorkItem, fields, read_at=read_at, location=f"labor_code/{entry_id}")
        return None

    def is_gone(self, entry_id: str) -> bool:
        """Return whether there is no such labor code."""
        if entry_id.startswith(TASK_PREFIX):
            return False
        return self.firm.detail("project/LaborCode", "Sid", entry_id) is None


class Tasks(WholeLists):
    """Tasks, project by project: the only way that shows completed ones too."""

    feed = "tasks"
    model = WorkItem

    def parts(self) -> list[Part]:
        """Return a call for each active project."""
        return [
            Part(
                project,
                f"task/listByProject/{project}",
                {"showCompleted": "true", "View": "Detailed"},
                lambda row: task_fields(row, self.settings),
                is_optional=True,  # the project may have been deleted meanwhile
            )
            for row in self.firm.list("project")
            if (project := row.identifier("SystemId")) and not row.flag("IsInactive")
        ]

    def vanished(self, entry_id: str, name: str, read_at: datetime) -> Statement | None:
        """Return the deletion of a task that is not found by its id either."""
        if self.is_gone(entry_id):
            fields = {"external_id": entry_id, "kind": "task", "name": name}
            return deletion(WorkItem, fields, read_at=read_at, location=entry_id)
        return None

    def is_gone(self, entry_id: str) -> bool:
        """Return whether there is no such task."""
        if not entry_id.startswith(TASK_PREFIX):
            return False
        own = entry_id.removeprefix(TASK_PREFIX)
        return self.firm.detail("task/detail", "TaskSid", own) is None


class Rates(WholeLists):
    """Custom billing rates. The whole list is one answer: what it lacks is gone."""

    feed = "rates"
    model = Rate

    def parts(self) -> list[Part]:
        """Return the call of a reading."""
        return [Part("rate", "project/Rates", {}, lambda row: rate_fields(row, self.settings))]

    def vanished(self, entry_id: str, name: str, read_at: datetime) -> Statement | None:
        """Return the deletion; what stands for the name of a rate is its last amount."""
        fields = {"external_id": entry_id, "amount": name}
        return deletion(Rate, fields, read_at=read_at, location=f"rate/{entry_id}")

    def is_gone(self, entry_id: str) -> bool:
        """Return whether the list, read anew, lacks it."""
        self.firm.forget_lists()
        rows = self.firm.list("project/Rates", {})
        known = (rate_fields(row, self.settings)["external_id"] for row in rows)
        return entry_id not in known


_PICKLISTS = (
    ("expense_code", "picklist/ExpenseCodes", None, False),
    ("class", "picklist/QBClasses", "class", True),
    ("payroll_item", "picklist/PayrollItems", "payroll_item", True),
    ("credit_card", "picklist/CreditCards", "account", True),
    ("account", "picklist/QBAccountList", "account", True),
    ("item", "picklist/QBList", "item", True),
    ("tax_rate", "expense/TaxRates", "tax_code", True),
    ("invoice_type", "picklist/InvoiceTypes", None, True),
)
"""List, route, what a link of it points at, whether firms may lack it."""


class Picklists(WholeLists):
    """Expense codes and the other lists that entries point into."""

    feed = "expense_codes"
    model = PicklistValue

    def parts(self) -> list[Part]:
        """Return a call for each list."""
        return [
            Part(name, path, WITH_INACTIVE, _picklist_reader(name, link), is_optional)
            for name, path, link, is_optional in _PICKLISTS
        ]

    def vanished(self, entry_id: str, name: str, read_at: datetime) -> Statement | None:
        """Return the value as inactive: old entries still point at it."""
        list_name = entry_id.partition(":")[0]
        fields = {"external_id": entry_id, "list_name": list_name, "name": name}
        row = Row({}, b'{"listed": false}')
        row.note("is_active: no longer in its picklist, which leaves out what is inactive")
        return state(
            PicklistValue, row, {**fields, "is_active": False}, location=entry_id, read_at=read_at
        )

    def is_gone(self, entry_id: str) -> bool:  # noqa: ARG002 - the same answer for every entry
        """Return False: a picklist can't tell the inactive from the deleted."""
        return False


def _picklist_reader(name: str, link: str | None) -> Callable[[Row], dict[str, Any]]:
    return lambda row: picklist_fields(row, name, link)


class WholeListReader:
    """Reads one of these feeds."""

    def __init__(self, lists: WholeLists, account: str, clock: Clock) -> None:
        self.lists = lists
        self._firm = lists.firm
        self._settings = lists.settings
        self._account = account
        self._clock = clock

    def read(self, text: str | None, span: Span | None = None) -> Page:  # noqa: ARG002 - a list has no days
        """Return the next page: some calls' rows, each stated."""
        cursor = cursors.load(text)
        if cursor.as_of is None:
            self._firm.forget_lists()
            cursor.begin(self._clock.now())
        draft = Draft(cursor)
        parts = self.lists.parts()
        done = {part.name: at for at, part in enumerate(parts)}.get(cursor.position or "", -1)
        calls_left = self._settings.calls_per_page
        memory = cursor.memory

        def take_part(part: Part) -> bool:
            nonlocal calls_left
            calls_left -= 1
            self._take(part, draft)
            cursor.position = part.name
            return calls_left > 0

        is_done = cursor.step == 1 or each_while_possible(parts[done + 1 :], take_part)
        if is_done and cursor.step == 0:
            cursor.step = 1
            for group in memory.keys() - {part.name for part in parts} - {_GONE}:
                memory.setdefault(_GONE, {}).update(memory.pop(group))
        if is_done and calls_left > 0:
            draft.is_complete = self._take_vanished(draft, calls_left)
        draft.add_total(self.lists.feed, len(draft.statements))
        reading = reading_of(cursor, self._account, self.lists.feed, self.lists.model.record_type)
        return draft.page(reading)

    def gone(self, entry_id: str) -> bool:
        """Return whether BigTime, asked for it, has no such entry."""
        return self.lists.is_gone(entry_id)

    def _take(self, part: Part, draft: Draft) -> None:
        read_at = self._clock.now()
        known = draft.cursor.memory.get(part.name, {})
        found: dict[str, Remembered] = {}
        rows = self._rows(part)
        if rows is None:
            return
        for at, row in enumerate(rows):
            statement = state(
                self.lists.model,
                row,
                part.fields(row),
                location=f"{part.path}[{at}]",
                read_at=read_at,
            )
            draft.statements.append(statement)
            if statement.record is not None:
                record = statement.record
                name = getattr(record, "name", None) or getattr(record, "amount", "")
                found[record.external_id] = Remembered(0, str(name))
        draft.cursor.memory[part.name] = found
        lost = draft.cursor.memory.setdefault(_GONE, {})
        for entry_id in known.keys() - found.keys():
            lost[entry_id] = known[entry_id]

    def _rows(self, part: Part) -> list[Row] | None:
        """Return a part's rows, None when the firm has no such list."""
        try:
            return self._firm.transport.rows(part.path, part.parameters)
        except SourceRefused as refused:
            if refused.reason_code not in (MISSING, PERMISSION):
                raise
            if part.otherwise is not None:
                return self._firm.transport.rows(part.otherwise, part.parameters)
            if part.is_optional and refused.reason_code == MISSING:
                return None
            raise

    def _take_vanished(self, draft: Draft, calls_left: int) -> bool:
        memory = draft.cursor.memory
        waiting = memory.get(_GONE, {})
        present = {
            entry_id for group, entries in memory.items() if group != _GONE for entry_id in entries
        }

        def handle(entry_id: str) -> bool:
            nonlocal calls_left
            name = waiting[entry_id].mark
            if entry_id not in present:
                calls_left -= 1
                read_at = self._clock.now()
                stated = self.lists.vanished(entry_id, name or entry_id, read_at)
                if stated is not None:
                    draft.statements.append(stated)
            del waiting[entry_id]
            return calls_left > 0

        return each_while_possible(sorted(waiting), handle)
