"""The sample firm: its clients, projects, people and services. All names are made up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SampleClient:
    """A client with its projects and hourly price."""

    name: str
    rate: str
    projects: tuple[str, ...]
    grouping: str | None = None


@dataclass(frozen=True)
class Person:
    """Somebody who reports time, in the zone where they live."""

    name: str
    zone: str


BOOK = "alder-and-rowe"
SOURCE = "timesheets"
REALM = "9130350000000001"
CONNECTION = "demo"

CLIENTS = (
    SampleClient("Aurora Outdoor", "145.00", ("Web shop", "Warehouse scan", "Support 2026")),
    SampleClient("Bellweather Clinics", "160.00", ("Patient portal", "Audit trail")),
    SampleClient("Cobalt Freight", "138.50", ("Route planner", "Driver app", "Data feed")),
    SampleClient("Dunmore & Sons", "120.00", ("Ledger move", "Payroll feed")),
    SampleClient("Eastgate Museum", "110.00", ("Ticketing", "Archive scan")),
    SampleClient("Fjordline Energy", "172.00", ("Meter data", "Forecast", "Control room")),
    SampleClient(
        "Granite Mutual", "185.00", ("Claims intake", "Rate engine", "Data lake"), "client_month"
    ),
    SampleClient("Harbor Foods", "130.00", ("Order desk", "Recall drill")),
    SampleClient("Inkwell Press", "115.00", ("Rights database", "Print queue"), "client_quarter"),
    SampleClient("Juniper Schools", "98.00", ("Timetable", "Parent portal")),
    SampleClient("Kestrel Air", "190.00", ("Crew roster", "Spare parts", "Noise report")),
    SampleClient('O\'Neill "Lantern" Labs', "150.00", ("Sensor net", "Field kit", "Grant report")),
)
_STAFF = {
    "America/New_York": ("Ada Brandt", "Ben Osei", "Chloe Park", "Dario Ruiz"),
    "America/Los_Angeles": ("Elif Kaya", "Farid Aziz", "Grace Lindqvist"),
    "Europe/Berlin": ("Hanna Vogel", "Ivo Petrov", "Jana Novak", "Karim Haddad"),
    "Asia/Tokyo": ("Leo Tanaka", "Mina Sato", "Noa Mori", "Oren Levi"),
}
PEOPLE = tuple(Person(name, zone) for zone, names in _STAFF.items() for name in names)
TASKS = {
    "Analysis": "Business analysis",
    "Development": "Software development",
    "Testing": "Quality assurance",
    "Meetings": "Project meetings",
    "Training": "Training",
}
"""Task in the tracker to service item in the ledger."""
LATE_TASK = "Security review"
"""A task that the first version of the mapping forgets."""
NOTES = (
    "Walked through open points with the client",
    "Implemented and reviewed",
    "Wrote test cases; two defects found",
    "Prepared the weekly report",
    "Fixed import of older files",
)


def customers() -> list[dict[str, Any]]:
    """Return the customers and jobs that the ledger has."""
    return [{"name": client.name, "jobs": list(client.projects)} for client in CLIENTS]


def items() -> list[str]:
    """Return the service items that the ledger has."""
    return [*TASKS.values(), "Security services"]


def configuration(*, with_late_task: bool) -> dict[str, Any]:
    """Return the book's configuration as it would stand in YAML."""
    tasks = dict(TASKS)
    if with_late_task:
        tasks[LATE_TASK] = "Security services"
    return {
        "book": BOOK,
        "currency": "USD",
        "zone": "America/New_York",
        "ledger": {"kind": "quickbooks_online", "connection": CONNECTION, "company_id": REALM},
        "sources": [{"name": SOURCE, "system": "generic", "zone": "America/New_York"}],
        "clients": [_client_rule(client) for client in CLIENTS],
        "projects": [
            {"project": project, "client": client.name, "job": {"name": f"{client.name}:{project}"}}
            for client in CLIENTS
            for project in client.projects
        ],
        "tasks": [{"task": task, "item": {"name": item}} for task, item in tasks.items()],
        "rates": {
            "use_source_rate": False,
            "rules": [{"client": client.name, "amount": client.rate} for client in CLIENTS],
        },
        "rounding": {"increment_seconds": 360, "mode": "half_up", "scope": "entry"},
        "invoicing": {"grouping": "project_month", "lines": "staff_task", "number_prefix": "AR"},
    }


def _client_rule(client: SampleClient) -> dict[str, Any]:
    rule: dict[str, Any] = {"client": client.name, "customer": {"name": client.name}}
    if client.grouping:
        rule["invoicing"] = {
            "grouping": client.grouping,
            "lines": "staff_task",
            "number_prefix": "AR",
        }
    return rule
