"""Reading a Toggl workspace: what webhooks may have missed, and what they don't tell.

The feed of changed entries (``me/time_entries?since=``) includes deleted ones and is that of the
token's own user, at most 90 days back and 1000 rows. Beyond either it is read anew by windows, so
that no entry stays missing; what was deleted meanwhile only a webhook tells then. Lists are whole
snapshots.
"""

from __future__ import annotations

from collections.abc import Collection

from hourbridge.common.clock import Clock
from hourbridge.common.errors import HourbridgeError, SourceRefused
from hourbridge.common.messages.records import Attachment, RecordType
from hourbridge.connectors.json_calls import JsonCalls
from hourbridge.connectors.json_rows import parse
from hourbridge.connectors.source import Feed, Page, SourceCapabilities, Span
from hourbridge.connectors.toggl.calls import ROOT
from hourbridge.connectors.toggl.entries import EntryReading, is_deleted
from hourbridge.connectors.toggl.lists import LISTS, ListReading, list_feed
from hourbridge.connectors.toggl.settings import TogglSettings

SYSTEM = "toggl"
TIME = "time"
_MINUTES = 60

CAPABILITIES = SourceCapabilities(
    system=SYSTEM,
    feeds=(
        Feed(
            TIME,
            frozenset({RecordType.TIME_ENTRY}),
            "changed_since",
            deletions=frozenset({"tombstone_feed", "webhook"}),
            # 30 calls an hour with a free plan, shared with the lists.
            interval_seconds=10 * _MINUTES,
            window_days=90,
            has_history=True,
            control_totals=True,
        ),
        *(list_feed(name) for name in LISTS),
    ),
    quotas=((30, 3600), (1, 1)),
    webhook="hmac_body",
)


class TogglSource:
    """One workspace, read with one user's token."""

    def __init__(
        self, calls: JsonCalls, workspace_id: str, settings: TogglSettings, clock: Clock
    ) -> None:
        self._calls = calls
        self._workspace_id = workspace_id
        self._clock = clock
        self._entries = EntryReading(calls, workspace_id, settings, clock)
        self._lists = ListReading(calls, workspace_id, settings, clock)

    @property
    def capabilities(self) -> SourceCapabilities:
        """What this source can do."""
        return CAPABILITIES

    def read(self, feed: str, cursor: str | None, span: Span | None = None) -> Page:
        """Return the next page of a feed; history goes back as far as Toggl lets it."""
        CAPABILITIES.feed(feed)
        if feed == TIME:
            return self._entries.read(cursor, span)
        return self._lists.read(feed, cursor)

    def gone(self, feed: str, external_ids: Collection[str]) -> frozenset[str]:
        """Return those ids that Toggl no longer has, asked one by one."""
        return frozenset(each for each in external_ids if self._is_gone(feed, each))

    def file(self, attachment: Attachment) -> bytes:
        """Raise SourceRefused: Toggl keeps no receipts."""
        what = "Toggl has no expenses and no receipts"
        raise SourceRefused(what, reason_code="no_files", attachment=attachment.id)

    def check(self) -> tuple[str, ...]:
        """Return what is wrong with the token, the workspace and the machine's clock."""
        problems = []
        try:
            me = parse(self._calls.get(f"{ROOT}/me"))
            if not isinstance(me, dict) or "id" not in me:
                problems.append("Toggl's answer to `me` names no user")
            path = f"{ROOT}/workspaces/{self._workspace_id}"
            if self._calls.exists(path) is None:
                problems.append(f"the token's user has no workspace {self._workspace_id}")
        except (HourbridgeError, ValueError) as error:
            problems.append(str(error))
        return tuple(problems)

    def close(self) -> None:
        """Release connections."""
        self._calls.close()

    def _is_gone(self, feed: str, external_id: str) -> bool:
        if feed == TIME:
            path = f"{ROOT}/me/time_entries/{external_id}"
        else:
            path = f"{ROOT}/{LISTS[feed].path.format(workspace=self._workspace_id)}/{external_id}"
        if not external_id.isalnum():  # never a path of somebody's making
            return False
        body = self._calls.exists(path)
        if body is None:
            return True
        try:
            row = parse(body)
        except ValueError:
            return False
        return isinstance(row, dict) and is_deleted(row)
