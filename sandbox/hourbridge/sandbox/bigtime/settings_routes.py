"""What a firm tells of its own settings."""

from __future__ import annotations

from hourbridge.sandbox.bigtime.calls import Asked, Route
from hourbridge.sandbox.bigtime.values import Row


def settings_routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("GET", "settings/vocabulary", _vocabulary),
        Route("GET", "settings/timesheet", _timesheet),
        Route("GET", "settings/expense", _expense),
        Route("GET", "system/status", lambda _asked: {"Status": "OK"}),
    ]


def _vocabulary(asked: Asked) -> Row:
    names = {"Client": "Client", "Project": "Project", "LaborCode": "Labor Code", "Task": "Task"}
    return names | {"Currency": asked.firm.currency, "TimeZone": asked.firm.zone}


def _timesheet(asked: Asked) -> Row:
    settings = asked.firm.settings
    return {
        "EntryRounding": settings.entry_rounding_minutes,
        "BillableEntryRounding": settings.billable_rounding_minutes,
        "Period": settings.period,
        "ApprovalLevels": settings.approval_levels,
        "PostApprovedOnly": settings.approved_only,
        "LockDt": settings.lock_dt,
        "RateLockDt": settings.rate_lock_dt,
    }


def _expense(asked: Asked) -> Row:
    settings = asked.firm.settings
    return {
        "TaxStyle": settings.tax_style,
        "PostApprovedOnly": settings.approved_only,
        "ApprovalLevels": settings.approval_levels,
        "BaseCurrency": asked.firm.currency,
    }
