"""What is sent: hours of a firm with 40 clients, 120 projects and hourly rates."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.messages.records import RecordType
from hourbridge.common.messages.registry import INTAKE_EXCHANGE, reported_type

BOOK = "bench"
SOURCE = "tracker"
CLIENTS = 40
PROJECTS_PER_CLIENT = 3
STAFF = 60
TASKS = ("Analysis", "Consulting", "Development", "Review", "Support", "Travel")
FIRST_DAY = date(2026, 1, 1)
DAYS = 90
LAST_DAY = FIRST_DAY + timedelta(days=DAYS - 1)
_REPORTED = reported_type(RecordType.TIME_ENTRY)
_ROUTING_KEY = _REPORTED.removeprefix("hourbridge.")
_NOTES = "Went through the quarterly figures with the client and noted what is open"


@dataclass(frozen=True)
class Sizes:
    """Bytes of a message's body on each hop."""

    reported: int
    accepted: int
    charge_set: int


TYPICAL_SIZES = Sizes(reported=509, accepted=800, charge_set=1500)
"""What Hourbridge's own messages measure; a full run measures them again and uses that."""


@dataclass(frozen=True)
class Entry:
    """The facts of the n-th time entry; the same for every contender."""

    external_id: str
    staff: str
    client: str
    project: str
    task: str
    work_date: date
    seconds: int


def entry(number: int, run: str = "r") -> Entry:
    """Return the n-th time entry; ``run`` keeps the ids of several runs apart."""
    client = number % CLIENTS
    project = (number // CLIENTS) % PROJECTS_PER_CLIENT
    return Entry(
        external_id=f"{run}-{number:08d}",
        staff=f"S{number % STAFF:02d}",
        client=f"Client {client:02d}",
        project=f"Project {client:02d}-{project}",
        task=TASKS[(number // 7) % len(TASKS)],
        work_date=FIRST_DAY + timedelta(days=(number * 31) % DAYS),
        seconds=900 * (1 + number % 16),
    )


def reported_event(number: int, run: str = "r") -> bytes:
    """Return the CloudEvent with which an upstream system reports the n-th entry."""
    facts = entry(number, run)
    updated = datetime(2026, 4, 1, 8, tzinfo=UTC) + timedelta(seconds=number % 86_400)
    return _compact(
        {
            "specversion": "1.0",
            "id": f"ev-{facts.external_id}",
            "source": SOURCE,
            "type": _REPORTED,
            "book": BOOK,
            "data": {
                "external_id": facts.external_id,
                "source_updated_at": updated.isoformat().replace("+00:00", "Z"),
                "staff_id": facts.staff,
                "client_name": facts.client,
                "project_name": facts.project,
                "task_name": facts.task,
                "work_date": facts.work_date.isoformat(),
                "input": {"seconds": facts.seconds, "decimal_text": f"{facts.seconds / 3600:.2f}"},
                "billable_state": "billable",
                "approval": {"state": "approved"},
                "notes": _NOTES,
            },
        }
    )


def reported_message(number: int, run: str = "r") -> Outgoing:
    """Return the n-th entry as a message for the intake exchange."""
    return Outgoing(
        exchange=INTAKE_EXCHANGE,
        routing_key=_ROUTING_KEY,
        body=reported_event(number, run),
        message_id=f"ev-{run}-{number:08d}",
        type=_REPORTED,
        headers={"book": BOOK},
    )


def peer_message(number: int, run: str = "r") -> Outgoing:
    """Return the n-th entry for the straightforward peer: plain JSON of the same size."""
    facts = entry(number, run)
    body = {
        "id": facts.external_id,
        "book": BOOK,
        "staff": facts.staff,
        "client": facts.client,
        "project": facts.project,
        "task": facts.task,
        "work_date": facts.work_date.isoformat(),
        "seconds": facts.seconds,
        "notes": "",
    }
    body["notes"] = "n" * (len(reported_event(number, run)) - len(_compact(body)))
    return Outgoing(
        exchange="peer.entries",
        routing_key="entry.reported",
        body=_compact(body),
        message_id=facts.external_id,
        type="entry.reported",
        content_type="application/json",
    )


MESSAGES: dict[str, Callable[[int, str], Outgoing]] = {
    "hourbridge": reported_message,
    "peer": peer_message,
}
"""How the loader writes an entry, by dialect."""


def _compact(content: dict[str, object]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def book_configuration(*, version_note: str = "") -> str:
    """Return the YAML of the book: hourly rates by project and task, one invoice per project."""
    lines = [
        f"# The benchmark's book. {version_note}".rstrip(),
        f"book: {BOOK}",
        "currency: USD",
        "zone: America/New_York",
        "ledger: {kind: quickbooks_online, connection: bench, company_id: '1'}",
        f"sources: [{{name: {SOURCE}}}]",
        "invoicing: {grouping: client_month, lines: staff_task, status: draft}",
        "clients:",
        *(
            f"  - {{client: Client {n:02d}, customer: {{name: Customer {n:02d}}}}}"
            for n in range(CLIENTS)
        ),
        "projects:",
        *(
            f"  - {{project: Project {n:02d}-{p}, client: Client {n:02d}, "
            f"job: {{name: Job {n:02d}-{p}}}}}"
            for n in range(CLIENTS)
            for p in range(PROJECTS_PER_CLIENT)
        ),
        "tasks:",
        *(f"  - {{task: {task}, item: {{name: {task} hours}}}}" for task in TASKS),
        "rates:",
        "  rules:",
        *(
            f"    - {{project: Project {n:02d}-{p}, task: {task}, amount: '{90 + n + 10 * p}.50'}}"
            for n in range(CLIENTS)
            for p in range(PROJECTS_PER_CLIENT)
            for task in TASKS
        ),
    ]
    return "\n".join(lines) + "\n"
