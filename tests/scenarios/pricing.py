"""Short words for scenarios about prices: clients with terms, their work, what it came to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from tests.scenarios.office import Office, configuration, entry

MINUTE = 60


def open_book(
    office: Office,
    clients: Mapping[str, Mapping[str, Any]],
    rates: Mapping[str, str] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Let the office keep a book with these clients and their terms; return its configuration."""
    rules = [{"client": client, "amount": rate} for client, rate in (rates or {}).items()]
    book = configuration(
        clients=[{"client": c, "customer": {"name": c}, **terms} for c, terms in clients.items()],
        projects=changes.pop("projects", []),
        rates={"rules": [*rules, {"amount": "150.00"}]},
        **changes,
    )
    office.configure(book)
    return book


def connect(office: Office, clients: Mapping[str, Any], **seed: Any) -> None:
    """Open a ledger company with these customers."""
    office.connect(customers={client: [] for client in clients}, **seed)


def worked(client: str, number: int, seconds: int, **fields: Any) -> dict[str, Any]:
    """Return an approved entry of a client."""
    fields = {"input": {"seconds": seconds}, "client_id": client, **fields}
    return entry(f"{client}-{number}", "0", **fields)


def twice(play: Callable[[], None], check: Callable[[], None]) -> None:
    """Play and check; then all of it again, which must change nothing."""
    for _ in range(2):
        play()
        check()


def total(office: Office, client: str) -> Decimal:
    return sum((Decimal(each["total"]) for each in office.documents_of(client)), Decimal(0))


def lines(office: Office, client: str) -> list[dict[str, Any]]:
    return [line for each in office.documents_of(client) for line in each["lines"]]


def totals_of(office: Office, clients: Any) -> dict[str, str]:
    return {client: str(total(office, client)) for client in clients}
