"""What readings share of a firm: its lists, people's zones, and where N/C flags come from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from hourbridge.common.clock import Clock
from hourbridge.common.errors import SourceRefused
from hourbridge.connectors.bigtime.faults import PERMISSION
from hourbridge.connectors.bigtime.rows import Row
from hourbridge.connectors.bigtime.time_entries import FlagOrigin
from hourbridge.connectors.bigtime.transport import Transport

OTHER_RETURNED = "other_record_returned"
WITH_INACTIVE = {"ShowInactive": "true"}
_DETAILED = {"View": "Detailed"}
_LISTS_LIVE = timedelta(minutes=10)


class Firm:
    """One firm as this process sees it. What it remembers saves calls and decides nothing."""

    def __init__(self, transport: Transport, clock: Clock, *, facts_live: timedelta) -> None:
        self.transport = transport
        self._clock = clock
        self._facts_live = facts_live
        self._facts_since = clock.now()
        self._lists: dict[str, tuple[datetime, list[Row]]] = {}
        self._zones: dict[str, str | None] = {}
        self._flags: dict[str, bool | None] = {}

    def list(self, path: str, parameters: Mapping[str, str] = WITH_INACTIVE) -> list[Row]:
        """Return a whole list, at most some minutes old: a reading asks for it page by page."""
        now = self._clock.now()
        key = f"{path}?{sorted(parameters.items())}"
        known = self._lists.get(key)
        if known is None or now - known[0] > _LISTS_LIVE:
            known = (now, self.transport.rows(path, parameters))
            self._lists[key] = known
        return known[1]

    def forget_lists(self) -> None:
        """Ask again: a new reading must not begin with an old list."""
        self._lists.clear()
        if self._clock.now() - self._facts_since > self._facts_live:
            self._facts_since = self._clock.now()
            self._zones.clear()
            self._flags.clear()

    def detail(self, path: str, id_field: str, entry_id: str) -> Row | None:
        """Return a detailed record, None when there is none of the id.

        Raises SourceRefused when another one comes back: BigTime answers those who may not see
        a record with their own, silently.
        """
        row = self.transport.find(f"{path}/{entry_id}", _DETAILED)
        if row is None:
            return None
        returned = row.identifier(id_field)
        if returned is not None and returned != entry_id:
            raise other_returned(path, entry_id, returned)
        return row

    def zone_code(self, staff_id: str) -> str | None:
        """Return the HomeTimezone of a person; only the detail is known to have it."""
        if staff_id not in self._zones:
            self._zones[staff_id] = self._zone_in_list(staff_id) or self._zone_in_detail(staff_id)
        return self._zones[staff_id]

    def flag_origin(self, project_id: str | None, task: str | None) -> FlagOrigin | None:
        """Return whether an N/C flag comes from the project, the task, or the entry itself."""
        of_project = self._is_flagged("project/detail", "IsNoCharge", project_id, "SystemId")
        if of_project:
            return "project"
        of_task = self._is_flagged("task/detail", "NoCharge", task, "TaskSid")
        if of_task:
            return "task"
        return None if of_project is None or of_task is None else "entry"

    def _zone_in_list(self, staff_id: str) -> str | None:
        for row in self.list("staff"):
            if row.identifier("StaffSID") == staff_id:
                return row.text("HomeTimezone")
        return None

    def _zone_in_detail(self, staff_id: str) -> str | None:
        try:
            row = self.detail("staff/detail", "StaffSID", staff_id)
        except SourceRefused as refused:
            if refused.reason_code in (PERMISSION, OTHER_RETURNED):
                return None
            raise
        return None if row is None else row.text("HomeTimezone")

    def _is_flagged(
        self, path: str, field: str, entry_id: str | None, id_field: str
    ) -> bool | None:
        """Return whether a record is flagged N/C; None when that may not be seen."""
        if entry_id is None:
            return False
        key = f"{path}/{entry_id}"
        if key not in self._flags:
            try:
                row = self.detail(path, id_field, entry_id)
                self._flags[key] = False if row is None else bool(row.flag(field))
            except SourceRefused as refused:
                if refused.reason_code != PERMISSION:
                    raise
                self._flags[key] = None
        return self._flags[key]


def other_returned(what: str, asked: str, returned: str) -> SourceRefused:
    """Return the error for an answer about somebody or something else."""
    return SourceRefused(
        f"BigTime answered {what} of {asked} with that of {returned}: the user has no right to "
        "see others, and BigTime disregards what it may not answer",
        advice="Connect with the firm's API key, or as an administrator.",
        reason_code=OTHER_RETURNED,
    )
