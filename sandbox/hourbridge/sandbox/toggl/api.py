"""The calls below ``/api/v9`` and ``/webhooks/api/v1``, free of any web framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hourbridge.sandbox.toggl.world import Row, Subscription, World

_COLLECTIONS = {
    "clients": "client",
    "projects": "project",
    "tasks": "task",
    "tags": "tag",
    "users": "user",
    "time_entries": "time_entry",
}
_PAGED = ("projects", "tasks")
_PER_PAGE = 50


class Refusal(Exception):
    """A call that is refused."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Call:
    """A request by a known person."""

    method: str
    path: tuple[str, ...]
    """After the version."""
    parameters: Mapping[str, str]
    body: Any
    user_id: int


class Api:
    """Answers calls over a world; the caller holds the world's lock."""

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, call: Call) -> Any:
        """Return what goes back as JSON, or raise Refusal."""
        match (call.method, call.path):
            case ("GET", ("me",)):
                return self._world.tables["user"][call.user_id]
            case ("GET", ("me", "time_entries")):
                return self._own_entries(call)
            case ("GET", ("me", "time_entries", identity)):
                return self._one("time_entry", identity)
            case ("GET", ("workspaces", workspace)):
                return self._workspace(workspace)
            case (_, ("workspaces", workspace, collection, *rest)) if collection in _COLLECTIONS:
                self._workspace(workspace)
                return self._collection(call, int(workspace), collection, rest)
            case (_, ("subscriptions", workspace, *rest)):
                self._workspace(workspace)
                return self._subscriptions(call, int(workspace), rest)
        raise Refusal(404, "not found")

    def _workspace(self, text: str) -> Row:
        row = self._world.workspaces.get(int(text) if text.isdigit() else 0)
        if row is None:
            raise Refusal(403, "Incorrect username and/or password")
        return row

    def _one(self, model: str, text: str) -> Row:
        row = self._world.tables[model].get(int(text) if text.isdigit() else 0)
        if row is None:
            raise Refusal(404, f"{model} not found")
        return row

    def _own_entries(self, call: Call) -> list[Row]:
        rows = [
            row
            for row in self._world.tables["time_entry"].values()
            if row["user_id"] == call.user_id
        ]
        since = call.parameters.get("since")
        if since is not None:
            rows = self._world.changed_since(rows, self._since(since))
        else:
            begin, end = self._window(call.parameters)
            rows = [
                row
                for row in rows
                if row["server_deleted_at"] is None
                and begin <= datetime.fromisoformat(row["start"]) < end
            ]
        rows.sort(key=lambda row: (row["start"], row["id"]), reverse=True)
        return rows[: self._world.settings.rows_max]

    def _since(self, text: str) -> datetime:
        if not text.isdigit():
            raise Refusal(400, "since must be a UNIX timestamp")
        since = datetime.fromtimestamp(int(text), UTC)
        if since < self._world.clock.now() - timedelta(days=self._world.settings.since_days_max):
            raise Refusal(400, "since must not be older than three months")
        return since

    def _window(self, parameters: Mapping[str, str]) -> tuple[datetime, datetime]:
        now = self._world.clock.now()
        try:
            begin = _instant(parameters.get("start_date"), now - timedelta(days=9))
            end = _instant(parameters.get("end_date"), now + timedelta(days=1))
        except ValueError:
            raise Refusal(400, "start_date and end_date must be dates") from None
        if begin < now - timedelta(days=self._world.settings.since_days_max):
            raise Refusal(400, "start_date must not be earlier than three months ago")
        return begin, end

    def _collection(self, call: Call, workspace: int, collection: str, rest: list[str]) -> Any:
        model = _COLLECTIONS[collection]
        if rest:
            row = self._one(model, rest[0])
            if call.method == "PUT":
                return self._world.update(model, row["id"], call.body or {})
            if call.method == "DELETE":
                self._world.delete(model, row["id"])
                return None
            if row["server_deleted_at"] is not None and model != "time_entry":
                raise Refusal(404, f"{model} not found")
            return row
        if call.method == "POST":
            return self._world.create(workspace, model, self._new(call, model))
        rows = [
            row
            for row in self._world.tables[model].values()
            if row["workspace_id"] == workspace and row["server_deleted_at"] is None
        ]
        if collection in _PAGED:
            return _paged(rows, call.parameters, collection)
        return rows or None

    def _new(self, call: Call, model: str) -> Row:
        values = dict(call.body or {})
        if model == "time_entry":
            values.setdefault("user_id", call.user_id)
            values["uid"] = values["user_id"]
            for name in ("project_id", "task_id", "stop", "description"):
                values.setdefault(name, None)
            values.setdefault("billable", False)
            values.setdefault("tags", [])
            values.setdefault("duronly", True)
            if "start" not in values or "duration" not in values:
                raise Refusal(400, "start and duration are needed")
        elif model != "user" and not values.get("name"):
            raise Refusal(400, f"{model} name can't be blank")
        return values

    def _subscriptions(self, call: Call, workspace: int, rest: list[str]) -> Any:
        if not rest and call.method == "POST":
            identity = self._world.new_id()
            subscription = Subscription(
                identity,
                workspace,
                url_callback=call.body["url_callback"],
                secret=call.body["secret"],
                validation_code=f"code-{identity}",
                event_filters=list(call.body.get("event_filters", [])),
            )
            self._world.subscriptions[identity] = subscription
            return _told(subscription)
        found = [
            each for each in self._world.subscriptions.values() if each.workspace_id == workspace
        ]
        if not rest:
            return [_told(each) for each in found]
        match = [each for each in found if str(each.subscription_id) == rest[0]]
        if not match:
            raise Refusal(404, "subscription not found")
        if rest[1:] == ["events"]:
            return self._world.events
        return _told(match[0])


def _told(subscription: Subscription) -> Row:
    """Return a subscription as the API shows it: never its secret."""
    return {
        "subscription_id": subscription.subscription_id,
        "workspace_id": subscription.workspace_id,
        "url_callback": subscription.url_callback,
        "enabled": subscription.enabled,
        "validated_at": "yes" if subscription.validated else None,
        "event_filters": subscription.event_filters,
    }


def _paged(rows: list[Row], parameters: Mapping[str, str], collection: str) -> Any:
    page, size = int(parameters.get("page", 1)), int(parameters.get("per_page", _PER_PAGE))
    part = rows[(page - 1) * size : page * size]
    if collection == "tasks":
        return {"total_count": len(rows), "page": page, "per_page": size, "data": part}
    return part


def _instant(text: str | None, default: datetime) -> datetime:
    if text is None:
        return default
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
