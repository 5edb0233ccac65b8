"""Reading a workspace's lists: each a snapshot, by pages where Toggl pages."""

from __future__ import annotations

from dataclasses import dataclass

from hourbridge.common.clock import Clock, to_text
from hourbridge.common.exact_json import dumps, loads
from hourbridge.common.ids import derive_id
from hourbridge.common.messages.events import ControlTotal
from hourbridge.common.messages.records import RecordType
from hourbridge.connectors.json_calls import JsonCalls
from hourbridge.connectors.json_rows import instant_of, rows_of
from hourbridge.connectors.source import Feed, Page, Reading
from hourbridge.connectors.toggl.calls import ROOT
from hourbridge.connectors.toggl.mapping import Seen, statement
from hourbridge.connectors.toggl.settings import TogglSettings

_PAGE_ROWS = 200
_HOUR_SECONDS = 3600


@dataclass(frozen=True)
class TogglList:
    """One list: where it lies, how all of it is asked for, and what its rows are."""

    path: str
    model: str
    record_type: RecordType
    parameters: tuple[tuple[str, str], ...] = ()
    is_paged: bool = False


LISTS = {
    "clients": TogglList(
        "workspaces/{workspace}/clients", "client", RecordType.CLIENT, (("status", "both"),)
    ),
    "projects": TogglList(
        "workspaces/{workspace}/projects",
        "project",
        RecordType.PROJECT,
        (("active", "both"),),
        is_paged=True,
    ),
    "tasks": TogglList(
        "workspaces/{workspace}/tasks",
        "task",
        RecordType.WORK_ITEM,
        (("active", "both"),),
        is_paged=True,
    ),
    "staff": TogglList("workspaces/{workspace}/users", "user", RecordType.STAFF_MEMBER),
    "tags": TogglList("workspaces/{workspace}/tags", "tag", RecordType.PICKLIST_VALUE),
}


def list_feed(name: str) -> Feed:
    """Return the feed of a list; its changes come as webhooks, so it is read every few hours."""
    return Feed(
        name,
        frozenset({LISTS[name].record_type}),
        "snapshot",
        deletions=frozenset({"diff", "webhook"}),
        interval_seconds=_HOUR_SECONDS,
        interval_seconds_max=24 * _HOUR_SECONDS,
        control_totals=True,
    )


class ListReading:
    """The feeds of lists."""

    def __init__(
        self, calls: JsonCalls, workspace_id: str, settings: TogglSettings, clock: Clock
    ) -> None:
        self._calls = calls
        self._workspace_id = workspace_id
        self._settings = settings
        self._clock = clock

    def read(self, feed: str, cursor: str | None) -> Page:
        """Return the next page of a list; after the last one it begins anew."""
        of = LISTS[feed]
        position = {} if cursor is None else loads(cursor)
        as_of = instant_of(position.get("as_of")) or self._clock.now()
        number, before = int(position.get("page", 1)), int(position.get("rows", 0))
        parameters = dict(of.parameters)
        if of.is_paged:
            parameters |= {"page": str(number), "per_page": str(_PAGE_ROWS)}
        path = f"{ROOT}/{of.path.format(workspace=self._workspace_id)}"
        body = self._calls.get(path, parameters)
        # A list without entries is null; tasks come wrapped.
        rows = [] if body.strip() in (b"null", b"") else rows_of(body, "data", "items")
        is_last = not of.is_paged or len(rows) < _PAGE_ROWS
        total = before + len(rows)
        reading = Reading(
            derive_id("toggl", self._workspace_id, feed, to_text(as_of)),
            of.record_type,
            as_of,
            is_snapshot=True,
            totals=(ControlTotal(group=feed, rows=total),) if is_last else (),
        )
        seen = Seen(as_of, is_polled=True)
        statements = tuple(
            statement(
                of.model,
                row.value,
                self._settings,
                seen=seen,
                raw=row.raw,
                location=f"row {before + index + 1}",
            )
            for index, row in enumerate(rows)
        )
        following = {} if is_last else {"as_of": to_text(as_of), "page": number + 1, "rows": total}
        return Page(reading, statements, dumps(following), is_last)
