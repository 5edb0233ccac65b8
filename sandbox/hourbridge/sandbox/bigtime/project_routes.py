"""Projects, their teams and custom fields, and tasks."""

from __future__ import annotations

from hourbridge.sandbox.bigtime.calls import Asked, Route
from hourbridge.sandbox.bigtime.firm import Firm
from hourbridge.sandbox.bigtime.list_routes import client_view, upsert, view
from hourbridge.sandbox.bigtime.refusals import invalid
from hourbridge.sandbox.bigtime.time_views import source_name
from hourbridge.sandbox.bigtime.values import Row, lowered, read

STATUSES = {1: "Active", 2: "On Hold", 3: "Complete"}


def project_view(firm: Firm, row: Row, *, detailed: bool) -> Row:
    """Return a project as a caller sees it."""
    client = firm.row("clients", row["ClientId"])
    name = client["Nm"] if client else None
    shown = view(firm, "projects", row, detailed=detailed)
    shown["DisplayName"] = ":".join(filter(None, (name, row["Nm"])))
    shown["ClientNm"] = name
    shown["StatusProd_nt"] = STATUSES.get(row["StatusProd"])
    if detailed:
        shown["Client"] = client_view(firm, client, detailed=False) if client else None
        shown["UdfList"] = custom_fields(firm, "project", row["SystemId"])
    return shown


def task_view(firm: Firm, row: Row, *, detailed: bool) -> Row:
    """Return a task as a caller sees it; FullName tells its parents."""
    shown = view(firm, "tasks", row, detailed=detailed)
    names, parent = [row["TaskNm"]], row["ParentSid"]
    while parent and (above := firm.row("tasks", parent)) and len(names) < 10:
        names.insert(0, above["TaskNm"])
        parent = above["ParentSid"]
    shown["FullName"] = ":".join(names)
    shown["CurrentStatus_nt"] = STATUSES.get(row["CurrentStatus"])
    return shown


def custom_fields(firm: Firm, kind: str, identity: int) -> list[Row]:
    """Return the custom fields of a project or staffer; those of a project name it."""
    rows = firm.custom_fields.get(f"{kind}:{identity}", [])
    return [{**row, "ProjectSid": identity} if kind == "project" else row for row in rows]


def set_custom_fields(firm: Firm, kind: str, identity: int, given: list[Row]) -> list[Row]:
    """Set custom fields by Sid or by Name; values are text; a new name makes a new field."""
    rows = {row["Name"]: row for row in firm.custom_fields.get(f"{kind}:{identity}", [])}
    for field in map(lowered, given):
        sid = read(field.get("sid"), "id", "Sid")
        name = next((row["Name"] for row in rows.values() if row["Sid"] == sid), None)
        name = name or read(field.get("name"), "text", "Name")
        if not name:
            raise invalid(f"There is no custom field {sid}.")
        sid = rows[name]["Sid"] if name in rows else field_id(firm, kind, name)
        rows[name] = {"Sid": sid, "Name": name, "Value": read(field.get("value"), "text", name)}
    firm.custom_fields[f"{kind}:{identity}"] = list(rows.values())
    return custom_fields(firm, kind, identity)


def field_id(firm: Firm, kind: str, name: str) -> int:
    """Return the id of a custom field, the same for all records of the kind."""
    for owner, rows in firm.custom_fields.items():
        if owner.startswith(f"{kind}:"):
            for row in rows:
                if row["Name"] == name:
                    return int(row["Sid"])
    return firm.next_id(f"{kind} fields")


def given_fields(asked: Asked) -> list[Row]:
    """Return custom fields in a body: a list of rows, or one row."""
    body = asked.document()
    rows = body if isinstance(body, list) else [body]
    if not all(isinstance(row, dict) for row in rows):
        raise invalid("Custom fields are objects with Sid or Name, and Value.")
    return rows


def project_routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("GET", "project", _projects),
        Route("GET", "project/detail/{}", _project),
        Route("POST", "project/detail", _save_project, "admin"),
        Route("POST", "project/detail/{}", _save_project, "admin"),
        Route("DELETE", "project/detail/{}", _delete_project, "admin"),
        Route("GET", "project/team/{}", _team),
        Route("POST", "project/team/{}", _set_team, "admin"),
        Route("GET", "project/customfields/{}", _fields),
        Route("POST", "project/customfields/{}", _set_fields, "admin"),
        Route("POST", "project/customfieldsbyname", _set_fields_by_name, "admin"),
        Route("GET", "task/listbyproject/{}", _tasks_of_project),
        Route("GET", "task/listbystaffer/{}", _tasks_of_staffer),
        Route("GET", "task/list", _tasks),
        Route("GET", "task/detail/{}", _task),
        Route("POST", "task/detail", _save_task, "admin"),
        Route("POST", "task/detail/{}", _save_task, "admin"),
        Route("DELETE", "task/detail/{}", _delete_task, "admin"),
    ]


def _projects(asked: Asked) -> list[Row]:
    rows = asked.firm.rows("projects", inactive=asked.shows_inactive)
    return [project_view(asked.firm, row, detailed=asked.is_detailed) for row in rows]


def _project(asked: Asked) -> Row:
    row = asked.firm.need("projects", asked.identity())
    return project_view(asked.firm, row, detailed=asked.text("View") is None or asked.is_detailed)


def _save_project(asked: Asked) -> Row:
    firm = asked.firm
    client = read(lowered(asked.fields()).get("clientid"), "id", "ClientId")
    if client and firm.row("clients", client) is None:
        raise invalid(f"The client {client} does not exist.")
    row = upsert(asked, "projects", asked.identity())
    fields = read(lowered(asked.fields()).get("udflist"), "rows", "UdfList")
    if fields:
        set_custom_fields(firm, "project", row["SystemId"], fields)
    return project_view(firm, row, detailed=True)


def _delete_project(asked: Asked) -> Row:
    firm, identity = asked.firm, asked.identity()
    firm.need("projects", identity)
    if firm.time.of_project(identity, "0001-01-01", "9999-12-31"):
        raise invalid("This project has time and cannot be deleted.")
    del firm.tables["projects"][identity]
    return {"Deleted": True}


def _team(asked: Asked) -> list[Row]:
    asked.firm.need("projects", asked.identity())
    return [
        {**row, "StaffNm": source_name(asked.firm.row("staff", row["staffsid"]) or {})}
        for row in asked.firm.project_team.get(asked.identity(), [])
    ]


def _set_team(asked: Asked) -> list[Row]:
    """Set members of the team; those who are not named stay."""
    asked.firm.need("projects", asked.identity())
    team = {row["staffsid"]: row for row in asked.firm.project_team.get(asked.identity(), [])}
    for given in map(lowered, given_fields(asked)):
        sid = read(given.get("staffsid"), "id", "staffsid")
        asked.firm.need("staff", sid)
        role = read(given.get("contactrole"), "text", "ContactRole")
        lead = read(given.get("teamlead"), "flag", "TeamLead")
        team[sid] = {"staffsid": sid, "ContactRole": role, "TeamLead": lead}
    asked.firm.project_team[asked.identity()] = list(team.values())
    return _team(asked)


def _fields(asked: Asked) -> list[Row]:
    asked.firm.need("projects", asked.identity())
    return custom_fields(asked.firm, "project", asked.identity())


def _set_fields(asked: Asked) -> list[Row]:
    asked.firm.need("projects", asked.identity())
    return set_custom_fields(asked.firm, "project", asked.identity(), given_fields(asked))


def _set_fields_by_name(asked: Asked) -> list[Row]:
    shown: list[Row] = []
    for row in given_fields(asked):
        project = read(lowered(row).get("projectsid"), "id", "ProjectSid")
        asked.firm.need("projects", project)
        shown = set_custom_fields(asked.firm, "project", project, [row])
    return shown


def _tasks(asked: Asked) -> list[Row]:
    rows = asked.firm.rows("tasks")
    shows_all = asked.flag("ShowCompleted")
    return [
        task_view(asked.firm, row, detailed=asked.is_detailed)
        for row in rows
        if shows_all or not (row["IsArchived"] or row["CurrentStatus"] == 3)
    ]


def _tasks_of_project(asked: Asked) -> list[Row]:
    asked.firm.need("projects", asked.identity())
    return [row for row in _tasks(asked) if row["ProjectSid"] == asked.identity()]


def _tasks_of_staffer(asked: Asked) -> list[Row]:
    staff = asked.staffer(asked.identity())
    mine = {
        row["TaskSid"]
        for row in asked.firm.rows("tasks")
        if any(_assigned(each) == staff for each in row["AssignmentList"] or [])
    }
    return [row for row in _tasks(asked) if row["TaskSid"] in mine]


def _assigned(row: Row) -> int:
    given = lowered(row)
    return int(read(given.get("staffsid") or given.get("sid"), "id", "StaffSid"))


def _task(asked: Asked) -> Row:
    return task_view(asked.firm, asked.firm.need("tasks", asked.identity()), detailed=True)


def _save_task(asked: Asked) -> Row:
    project = read(lowered(asked.fields()).get("projectsid"), "id", "ProjectSid")
    if project:
        asked.firm.need("projects", project)
    return task_view(asked.firm, upsert(asked, "tasks", asked.identity()), detailed=True)


def _delete_task(asked: Asked) -> Row:
    asked.firm.need("tasks", asked.identity())
    del asked.firm.tables["tasks"][asked.identity()]
    return {"Deleted": True}
