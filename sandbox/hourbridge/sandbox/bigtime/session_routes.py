"""Logging in, and what a session knows of itself."""

from __future__ import annotations

from hourbridge.sandbox.bigtime.calls import Asked, Call, Route
from hourbridge.sandbox.bigtime.firm import Firm, User
from hourbridge.sandbox.bigtime.gate import count
from hourbridge.sandbox.bigtime.refusals import not_found, unauthenticated
from hourbridge.sandbox.bigtime.values import Row, lowered
from hourbridge.sandbox.bigtime.world import World


def log_in(world: World, call: Call, body: Row) -> Row:
    """Return a new session of the user in the body; 401 for a wrong password or firm.

    A user of several firms names one (``Firm``, or the realm header); otherwise it is the first.
    """
    given = lowered(body)
    user_id, password = str(given.get("userid", "")), str(given.get("pwd", ""))
    count(world, f"login {user_id}")
    mine = _firms_of(world, user_id)
    known = [(firm, user) for firm, user in mine if user.password == password]
    realm = str(given.get("firm") or call.headers.get("x-auth-realm") or "")
    if realm:
        asked = world.firm_of(realm)
        known = [(firm, user) for firm, user in known if firm is asked]
    if not known:
        raise unauthenticated("The user id or password is incorrect.")
    firm, user = known[0]
    session = world.sessions.issue(user_id, firm.realm)
    return {"token": session.token, **_about(firm, user), "FirmCount": len(mine)}


def session_routes(world: World) -> list[Route]:
    """Return the routes of a session that exists."""

    def item(asked: Asked) -> Row:
        user_id = asked.caller.user_id
        user = next((user for user in asked.firm.users if user.user_id == user_id), None)
        if user is None:
            raise not_found("A session")
        return _about(asked.firm, user) | {"FirmCount": len(_firms_of(world, user.user_id))}

    def firms(asked: Asked) -> list[Row]:
        if asked.caller.user_id is None:
            return [_firm(asked.firm)]
        return [_firm(firm) for firm, _ in _firms_of(world, asked.caller.user_id)]

    def is_permitted(asked: Asked) -> bool:
        return asked.caller.is_admin

    return [
        Route("GET", "session", item),
        Route("GET", "session/item", item),
        Route("GET", "session/firms", firms),
        Route("GET", "session/firm", lambda asked: _firm(asked.firm)),
        Route("GET", "session/ispermitted", is_permitted),
    ]


def _firms_of(world: World, user_id: str) -> list[tuple[Firm, User]]:
    return [
        (firm, user)
        for firm in world.firms.values()
        for user in firm.users
        if user.user_id == user_id
    ]


def _firm(firm: Firm) -> Row:
    return {"firm": firm.realm, "FirmId": firm.tenant_id, "Nm": firm.name}


def _about(firm: Firm, user: User) -> Row:
    staff = firm.row("staff", user.staff_sid) or {}
    return {
        "firm": firm.realm,
        "staffsid": user.staff_sid,
        "userid": user.user_id,
        "fname": staff.get("FName"),
        "sname": staff.get("SName"),
        "IsFirmAdmin": user.is_admin,
        "IsFirmOwner": False,
        "SubscriptionType": 3,
    }
