"""What can be turned on the stand-in, at start or while it runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

Rotation = Literal["always", "daily", "never"]


@dataclass
class SandboxSettings:
    """Behaviour switches; the defaults are those of the real service."""

    requestid_memory_seconds: int = 86_400
    """How long a repeated ``requestid`` is answered with the first success; 0: never."""
    requests_per_minute_max: int | None = 500
    requests_per_second_max: int | None = 10
    """Per realm; None: no throttling."""
    access_token_seconds: int = 3600
    refresh_token_seconds: int = 8_726_400
    refresh_rotation: Rotation = "daily"
    refresh_grace_seconds: int = 86_400
    """How long the previous refresh token still works after a rotation."""
    void_paid_invoices: bool = False
    """Whether an invoice with a payment can be voided; reports differ, production refused it."""
    answers_xml: bool = False
    """Whether XML is sent where JSON isn't asked for, as the service does; else that is a 406,
    which shows a forgotten header at once."""
    refresh_hard_expiry_seconds: int = 157_680_000
    """The absolute end of a grant; told where x-include-refresh-token-hard-expires-in asks."""
    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-secret"

    def change(self, values: dict[str, Any]) -> None:
        """Set the named switches; raises ValueError for an unknown name or a wrong type."""
        known = {field.name for field in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"unknown setting {name!r}; known: {', '.join(sorted(known))}")
            self._check(name, value)
        for name, value in values.items():
            setattr(self, name, value)

    def _check(self, name: str, value: Any) -> None:
        if name == "refresh_rotation":
            right = value in ("always", "daily", "never")
        elif name.endswith("_max"):
            right = value is None or (type(value) is int and value > 0)
        else:
            right = type(value) is type(getattr(self, name))
        if not right:
            raise ValueError(f"{value!r} is not a value of {name}")

    def as_dict(self) -> dict[str, Any]:
        """Return all switches except the client secret."""
        return {name: value for name, value in asdict(self).items() if name != "client_secret"}
