"""Who is asking: keys and sessions against the realm, and the limit of calls."""

from __future__ import annotations

from hourbridge.sandbox.bigtime.calls import Call, Caller
from hourbridge.sandbox.bigtime.firm import Firm
from hourbridge.sandbox.bigtime.refusals import throttled, unauthenticated, wrong_realm
from hourbridge.sandbox.bigtime.world import World


def admit(world: World, call: Call) -> tuple[Firm, Caller]:
    """Return the firm and the caller; raises the refusal 401, 403 or 429."""
    realm = call.headers.get("x-auth-realm", "")
    if "x-auth-apitoken" in call.headers:
        firm, caller = _by_key(world, call.headers["x-auth-apitoken"], realm)
    elif "x-auth-token" in call.headers:
        firm, caller = _by_session(world, call.headers["x-auth-token"], realm)
    else:
        raise unauthenticated()
    count(world, caller.name)
    return firm, caller


def count(world: World, caller: str) -> None:
    """Count one call; raises the refusal for too many."""
    if not world.throttle.admits(caller):
        raise throttled(world.settings.throttle_status)


def _by_key(world: World, key: str, realm: str) -> tuple[Firm, Caller]:
    for firm in world.firms.values():
        for known in firm.keys:
            if known.key == key:
                if world.firm_of(realm) is not firm:
                    raise wrong_realm()
                return firm, Caller(f"key {key}", may_write=known.may_write)
    raise unauthenticated()


def _by_session(world: World, token: str, realm: str) -> tuple[Firm, Caller]:
    session = world.sessions.of(token)
    if session is None:
        raise unauthenticated("The session has expired. Please log in again.")
    firm = world.firms.get(session.realm)
    if firm is None or world.firm_of(realm) is not firm:
        raise wrong_realm()
    user = next((user for user in firm.users if user.user_id == session.user_id), None)
    if user is None:
        raise unauthenticated()
    caller = Caller(
        f"token {token}",
        is_admin=user.is_admin,
        staff_sid=user.staff_sid,
        user_id=user.user_id,
        token=token,
    )
    return firm, caller
