"""How the service says no: a status and a message; 405 stands for a missing permission."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """The request is answered with a status of 400 and above and has no effect."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def body(self) -> dict[str, Any]:
        """Return the JSON body."""
        return {"Message": self.message}


def invalid(message: str) -> Refusal:
    """The request cannot be carried out as it stands."""
    return Refusal(400, message)


def unauthenticated(message: str = "Authorization has been denied for this request.") -> Refusal:
    """No credential, an unknown one, or an expired session."""
    return Refusal(401, message)


def wrong_realm() -> Refusal:
    """The credential does not belong to the firm in X-Auth-Realm."""
    return Refusal(403, "The token is not valid for this realm.")


def not_found(what: str) -> Refusal:
    """There is no such thing, or no more."""
    return Refusal(404, f"{what} was not found.")


def forbidden(what: str) -> Refusal:
    """The caller has no permission; the service answers 405 for it."""
    return Refusal(405, f"You do not have permission to {what}.")


def throttled(status: int = 429) -> Refusal:
    """Too many calls in a minute."""
    return Refusal(status, "API calls quota exceeded! maximum admitted 30 per Minute.")
