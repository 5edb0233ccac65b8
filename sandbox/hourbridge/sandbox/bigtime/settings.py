"""What can be turned on the stand-in, at start or while it runs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

BeforeSubmission = Literal["zero", "absent", "applied"]
Stamp = Literal["milliseconds", "text", "absent"]
_CHOICES = {"rates_before_submission": BeforeSubmission, "entry_stamps": Stamp}


@dataclass
class SandboxSettings:
    """Behaviour switches of the whole server; those of one firm are in ``FirmSettings``."""

    requests_per_minute_max: int | None = 30
    """Per key, token or user who logs in; None: no throttling. Counted by the movable clock."""
    throttle_status: int = 429
    retry_after_seconds: int | None = None
    """Sent with a throttled answer; the real service is not known to send one."""
    session_seconds: int = 86_400
    rejection_changes_sid: bool = True
    rates_before_submission: BeforeSubmission = "zero"
    entry_stamps: Stamp = "milliseconds"
    """How DtCreated and DtModified of time entries look: their units are not documented."""
    entries_show_modified_on_rate_change: bool = False
    """Re-application of rates leaves DtModified alone, unless this is on."""
    ticket_polls: int = 2
    """How many polls of an asynchronous ticket find it pending."""
    posted_status_writable: bool = True
    """Whether an invoice's PostedStatus can be set from outside; otherwise it is ignored."""
    lists_show_link_fields: bool = False
    """Whether Basic views carry the fields of Detailed ones too."""

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
        if name in _CHOICES:
            right = value in get_args(_CHOICES[name])
        elif name in ("requests_per_minute_max", "retry_after_seconds"):
            right = value is None or (type(value) is int and value > 0)
        else:
            right = type(value) is type(getattr(self, name))
        if not right:
            raise ValueError(f"{value!r} is not a value of {name}")

    def as_dict(self) -> dict[str, Any]:
        """Return all switches."""
        return asdict(self)


RATE_PRIORITY = (
    "staff+task+labor",
    "staff+task",
    "labor+task",
    "labor+staff",
    "task",
    "staff",
    "labor",
)
"""Which custom rate wins, most particular first; the base rate comes after all."""


@dataclass
class FirmSettings:
    """What an administrator of one firm sets in My Company."""

    entry_rounding_minutes: int = 0
    """Entry Rounding: changes Hours_IN; 0: none."""
    billable_rounding_minutes: int = 0
    """Billable Entry Rounding: changes HoursBillable alone."""
    rounds_up: bool = False
    """Up to the next step; otherwise to the nearest, half up."""
    approval_levels: int = 1
    """0 (submitted is approved) to 3 (Primary, Secondary, Final)."""
    approved_only: bool = False
    """Only approved time and expenses are invoiced and posted."""
    lock_dt: str | None = None
    """Nothing on or before this day can be changed, by nobody."""
    rate_lock_dt: str | None = None
    """Rates of entries on or before this day are not applied again."""
    rate_priority: tuple[str, ...] = RATE_PRIORITY
    period: str = "weekly"
    """Timesheet period: weekly, bi-weekly, semi-monthly or monthly."""
    tax_style: str = "Single Invoice Rate (US)"
    retainer_field: str = "Retainer"
    """The custom field of a project with the amount of the retainer calculator."""
    ar_account_id: int = 0
    next_invoice_number: int = 1001

    def change(self, values: dict[str, Any]) -> None:
        """Set the named switches; raises ValueError for an unknown name or a wrong type."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"unknown setting {name!r}; known: {', '.join(sorted(known))}")
            if name == "rate_priority":
                if sorted(value) != sorted(RATE_PRIORITY):
                    raise ValueError(f"rate_priority orders {', '.join(RATE_PRIORITY)}")
                known[name] = tuple(value)
            elif name.endswith("lock_dt"):
                known[name] = value
            elif type(value) is not type(known[name]):
                raise ValueError(f"{value!r} is not a value of {name}")
            else:
                known[name] = value
        for name, value in known.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """Return all switches."""
        return asdict(self) | {"rate_priority": list(self.rate_priority)}
