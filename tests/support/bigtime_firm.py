"""A running BigTime stand-in with a firm, and methods to act as the people in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from hourbridge.sandbox.bigtime import BigTimeServer, SandboxSettings, seed_firm
from hourbridge.sandbox.bigtime import people as stand_in_people
from hourbridge.sandbox.bigtime.firm import Firm
from hourbridge.sandbox.bigtime.time_book import TimeEntry

REALM = "acme"

SMALL: dict[str, Any] = {
    "realm": REALM,
    "name": "Acme Agency",
    "tables": {
        "staff": [
            {
                "FName": "Ada",
                "SName": "Berg",
                "EMail": "ada@acme.test",
                "Rate1": 150,
                "CostFactor": 60,
            },
            {
                "FName": "Bela",
                "SName": "Cohn",
                "EMail": "bela@acme.test",
                "Rate1": 120,
                "CostFactor": 50,
            },
        ],
        "clients": [{"Nm": "Edison Attic"}, {"Nm": "Curie Labs"}],
        "projects": [
            {"Nm": "Evaluation", "ClientId": 1, "BillingRate": 1},
            {"Nm": "Radium", "ClientId": 2, "BillingRate": 1},
        ],
        "labor_codes": [{"Nm": "Design", "Rate1": 125}, {"Nm": "Consulting", "Rate1": 160}],
        "tasks": [{"TaskNm": "Phase 1", "ProjectSid": 1}],
        "expense_codes": [{"Nm": "Travel"}],
    },
    "users": [
        {"user_id": "ada@acme.test", "password": "ada", "staff_sid": 1, "is_admin": True},
        {"user_id": "bela@acme.test", "password": "bela", "staff_sid": 2},
    ],
}
"""Two staffers, clients, projects and labor codes; ids count from 1 in each list."""


@dataclass
class BigTimeFirm:
    """One firm of a running stand-in; ids are BigTime's own numbers."""

    server: BigTimeServer
    firm: Firm

    @property
    def api_url(self) -> str:
        """The address of the API, with a slash at its end."""
        return self.server.api_url

    @property
    def realm(self) -> str:
        """The value of X-Auth-Realm."""
        return self.firm.realm

    @property
    def key(self) -> str:
        """A key of the firm, for X-Auth-ApiToken."""
        return self.firm.keys[0].key

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a call with the firm's key."""
        return {"X-Auth-ApiToken": self.key, "X-Auth-Realm": self.realm}

    def act(self, action: str, **what: Any) -> Any:
        """Do something as somebody in the firm; the actions are those of the control interface."""
        with self.server.world.lock:
            return stand_in_people.act(self.firm, action, what)

    def enter(
        self,
        day: str,
        hours: str,
        *,
        staff: int = 1,
        project: int = 1,
        labor: int = 1,
        submitted: bool = False,
        approved: bool = False,
        **more: Any,
    ) -> int:
        """Enter time and return its id, negative unless it is submitted (or approved) at once."""
        body = {"Dt": day, "StaffSID": staff, "ProjectSID": project, "BudgCatID": labor}
        body |= {"Hours_IN": Decimal(hours), "submitted": submitted or approved, **more}
        sid = int(self.act("enter_time", **body)["SID"])
        if approved:
            self.approve(sid)
        return sid

    def edit(self, sid: int, **changes: Any) -> None:
        """Change an entry."""
        self.act("edit_time", sid=sid, changes=changes)

    def submit(self, *sids: int) -> list[int]:
        """Submit entries, all without ids; returns their new ids."""
        return [row["SID"] for row in self.act("submit_time", **_chosen(sids))]

    def approve(self, *sids: int) -> None:
        """Approve entries, all without ids, at every level."""
        self.act("approve_time", levels=3, **_chosen(sids))

    def reject(self, *sids: int, note: str = "please check") -> list[int]:
        """Return entries to their staffers; returns their new ids."""
        return [row["SID"] for row in self.act("reject_time", note=note, **_chosen(sids))]

    def delete(self, *sids: int) -> None:
        """Delete entries without a trace."""
        self.act("delete_time", sids=list(sids))

    def save(self, table: str, identity: int = 0, **changes: Any) -> int:
        """Create or change a record of a list: clients, projects, staff, ...; returns its id."""
        row: Mapping[str, Any] = self.act("save", table=table, id=identity, changes=changes)
        return int(next(iter(row.values())))

    def entry(self, sid: int) -> TimeEntry:
        """Return an entry as it is kept; raises the refusal 404 when there is none."""
        return stand_in_people.chosen_time(self.firm, {"sids": [sid]})[0]

    def disturb(self, fault: str, **values: Any) -> None:
        """Set a fault, e.g. ``disturb("lose_response", next=1, on="writes")``."""
        with self.server.world.lock:
            self.server.world.disturbances.set(fault, values)

    def calm(self) -> None:
        """Set no fault any more."""
        self.server.world.disturbances.clear()

    def move_clock(self, seconds: int) -> None:
        """Set the stand-in's clock ahead."""
        self.server.world.clock.offset_seconds += seconds

    def set_clock(self, instant: datetime) -> None:
        """Set the stand-in's clock."""
        self.server.world.clock.set_to(instant)

    def calls(self) -> list[dict[str, Any]]:
        """Return every request so far: method, path in lower case, outcome, status."""
        with self.server.world.lock:
            return self.server.world.audit.exchanges(limit=1_000_000)


def _chosen(sids: tuple[int, ...]) -> dict[str, Any]:
    return {"sids": list(sids)} if sids else {}


@contextlib.contextmanager
def running_bigtime(
    seed: Mapping[str, Any] = SMALL, *, settings: SandboxSettings | None = None
) -> Iterator[BigTimeFirm]:
    """Run a stand-in with one firm; it never throttles unless the settings say so."""
    server = BigTimeServer(settings=settings or SandboxSettings(requests_per_minute_max=None))
    firm = seed_firm(server.world, seed)
    server.start()
    try:
        yield BigTimeFirm(server, firm)
    finally:
        server.stop()


def add_firm(first: BigTimeFirm, seed: Mapping[str, Any]) -> BigTimeFirm:
    """Open another firm on the same server."""
    return BigTimeFirm(first.server, seed_firm(first.server.world, seed))
