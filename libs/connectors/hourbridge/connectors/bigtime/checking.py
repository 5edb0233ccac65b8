"""What is wrong with a connection to BigTime: asked before it is relied on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from hourbridge.common.clock import Clock
from hourbridge.common.errors import (
    SourceAuthorizationExpired,
    SourceError,
    SourceRefused,
    SourceThrottled,
    SourceUnavailable,
)
from hourbridge.common.zones import zone_of
from hourbridge.connectors.bigtime.faults import PERMISSION, REALM
from hourbridge.connectors.bigtime.firm import OTHER_RETURNED, Firm
from hourbridge.connectors.bigtime.report import read_report
from hourbridge.connectors.bigtime.settings import BigTimeSettings
from hourbridge.connectors.source import Span


def problems_of(firm: Firm, settings: BigTimeSettings, clock: Clock) -> tuple[str, ...]:
    """Return what is wrong, in words for whoever set the connection up.

    Raises SourceUnavailable and SourceThrottled: then nothing is known.
    """
    found = list(_in_settings(settings))
    try:
        firm.forget_lists()
        people = [row.identifier("StaffSID") for row in firm.list("staff")]
    except (SourceUnavailable, SourceThrottled):
        raise
    except SourceError as error:
        return (*found, _sentence("staff", error))
    if not people:
        found.append("BigTime lists no staff: the user may see nobody")
    found += _in_rights(firm, [each for each in people if each is not None])
    if settings.time_from == "report":
        found += _in_report(firm, settings, clock)
    return tuple(found)


def _in_settings(settings: BigTimeSettings) -> Iterator[str]:
    if settings.base_currency is None:
        yield "base_currency is not set: expenses can't be read, BigTime states no currency"
    for code, zone in (("zone", settings.zone), *settings.zones.items()):
        if zone is not None and zone_of(zone) is None:
            yield f"{code}: {zone!r} is no IANA time zone"


def _in_rights(firm: Firm, people: list[str]) -> Iterator[str]:
    """Ask for what only administrators see: several people's details, projects, invoices."""
    asked = [("staff/detail", "StaffSID", each) for each in people[:2]]
    for path, id_field, entry_id in asked:
        try:
            firm.detail(path, id_field, entry_id)
        except (SourceUnavailable, SourceThrottled):
            raise
        except SourceError as error:
            yield _sentence(path, error)
    for path in ("client", "project", "invoice/drafts"):
        try:
            firm.list(path)
        except (SourceUnavailable, SourceThrottled):
            raise
        except SourceError as error:
            yield _sentence(path, error)


def _in_report(firm: Firm, settings: BigTimeSettings, clock: Clock) -> Iterator[str]:
    if settings.report is None:
        return
    day = clock.now().date() - timedelta(days=1)
    try:
        read_report(firm.transport, settings.report, Span(day, day))
    except (SourceUnavailable, SourceThrottled):
        raise
    except SourceError as error:
        yield _sentence(f"report {settings.report.id}", error)


def _sentence(what: str, error: SourceError) -> str:
    if isinstance(error, SourceAuthorizationExpired):
        return f"{what}: BigTime does not accept the key or password ({error.what})"
    if isinstance(error, SourceRefused):
        words = {
            REALM: "the key or user does not belong to this firm (realm)",
            PERMISSION: "the key or user has no permission",
            OTHER_RETURNED: "the user sees only their own records",
        }
        return f"{what}: {words.get(error.reason_code, 'refused')} ({error.what})"
    return f"{what}: {error.what}"
