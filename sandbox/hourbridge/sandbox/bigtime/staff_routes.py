"""Staff: list, detail, custom fields, additions and invitations."""

from __future__ import annotations

from hourbridge.common.exact_json import dumps
from hourbridge.sandbox.bigtime.calls import Answer, Asked, Route
from hourbridge.sandbox.bigtime.firm import Firm, User
from hourbridge.sandbox.bigtime.list_routes import upsert, view
from hourbridge.sandbox.bigtime.project_routes import (
    custom_fields,
    given_fields,
    set_custom_fields,
)
from hourbridge.sandbox.bigtime.refusals import invalid
from hourbridge.sandbox.bigtime.values import Row, lowered, read


def staff_view(firm: Firm, row: Row, *, detailed: bool) -> Row:
    """Return a staffer as a caller sees one."""
    shown = view(firm, "staff", row, detailed=detailed)
    shown["FullName"] = " ".join(filter(None, (row["FName"], row["SName"])))
    if detailed:
        shown["UdfList"] = custom_fields(firm, "staff", row["StaffSID"])
    return shown


def staff_routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("GET", "staff", _list),
        Route("GET", "staff/detail/{}", _detail),
        Route("POST", "staff/detail/{}", _save, "admin"),
        Route("POST", "staff/detail", _save, "admin"),
        Route("POST", "staff/add", _add, "admin"),
        Route("POST", "staff/invite", _invite, "admin"),
        Route("GET", "staff/udflist/{}", _fields),
        Route("POST", "staff/udflist/{}", _set_fields, "admin"),
        Route("POST", "staff/udflistbyname", _set_fields_by_name, "admin"),
    ]


def _list(asked: Asked) -> list[Row]:
    rows = asked.firm.rows("staff", inactive=asked.shows_inactive)
    detailed = asked.is_detailed and asked.caller.is_admin
    return [staff_view(asked.firm, row, detailed=detailed) for row in rows]


def _detail(asked: Asked) -> Row:
    identity = asked.staffer(asked.identity())
    row = asked.firm.need("staff", identity)
    return staff_view(asked.firm, row, detailed=asked.text("View") is None or asked.is_detailed)


def _save(asked: Asked) -> Row:
    identity = asked.identity() or read(lowered(asked.fields()).get("staffsid"), "id", "StaffSID")
    if not identity:
        raise invalid("StaffSID required; POST staff/add adds somebody.")
    return staff_view(asked.firm, upsert(asked, "staff", identity), detailed=True)


def _add(asked: Asked) -> Row:
    if lowered(asked.fields()).get("staffsid"):
        raise invalid("A new staff member has no StaffSID.")
    row = upsert(asked, "staff", 0)
    if asked.flag("inviteUser"):
        _invite_one(asked.firm, row["StaffSID"])
    return staff_view(asked.firm, row, detailed=True)


def _invite(asked: Asked) -> Row | Answer:
    """Invite staffers; 202 tells that some of them could not be invited, and why."""
    given = lowered(asked.fields()).get("invitestaffsids")
    if not isinstance(given, list):
        raise invalid("InviteStaffSids required.")
    sids = [int(read(sid, "id", "InviteStaffSids")) for sid in given]
    failures = {sid: why for sid in sids if (why := _invite_one(asked.firm, sid))}
    invited = [sid for sid in sids if sid not in failures]
    if not failures:
        return {"SuccessfullyInvitedStaffSids": invited}
    messages = [{"StaffSid": sid, "ErrorMessage": why} for sid, why in failures.items()]
    errors = {"StaffSids": list(failures), "FailureErrorMessages": messages}
    body = {"SuccessfullyInvitedStaffSids": invited, "FailedInviteStaffErrors": errors}
    return Answer(202, dumps(body).encode())


def _invite_one(firm: Firm, sid: int) -> str | None:
    """Make a user of a staffer; returns why that is impossible."""
    row = firm.row("staff", sid)
    if row is None or row["IsInactive"]:
        return "The staff member does not exist or is inactive."
    if not row["EMail"]:
        return "The staff member has no e-mail address."
    if any(user.user_id == row["EMail"] for user in firm.users):
        return "The e-mail address is already in use."
    firm.users.append(User(row["EMail"], "", sid))
    return None


def _fields(asked: Asked) -> list[Row]:
    asked.firm.need("staff", asked.identity())
    return custom_fields(asked.firm, "staff", asked.identity())


def _set_fields(asked: Asked) -> list[Row]:
    asked.firm.need("staff", asked.identity())
    return set_custom_fields(asked.firm, "staff", asked.identity(), given_fields(asked))


def _set_fields_by_name(asked: Asked) -> list[Row]:
    shown: list[Row] = []
    for row in given_fields(asked):
        sid = read(lowered(row).get("staffsid"), "id", "StaffSid")
        asked.firm.need("staff", sid)
        shown = set_custom_fields(asked.firm, "staff", sid, [row])
    return shown
