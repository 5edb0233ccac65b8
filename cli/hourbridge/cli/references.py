"""References that name a thing of one service: ``mapper:17``."""

from __future__ import annotations

from dataclasses import dataclass

from hourbridge.cli.client import SERVICES
from hourbridge.common.runtime.admin import RequestInvalid


@dataclass(frozen=True)
class Reference:
    """A thing of one service."""

    service: str
    id: str


def parse_reference(text: str) -> Reference:
    """Return the parts of ``service:id``; raise RequestInvalid for anything else."""
    service, colon, identifier = text.partition(":")
    if not colon or service not in SERVICES or not identifier or "/" in identifier:
        raise RequestInvalid(
            f"{text!r} is not SERVICE:ID", advice=f"Services: {', '.join(SERVICES)}."
        )
    return Reference(service, identifier)


def parse_service(text: str) -> str:
    """Return the name of a service; raise RequestInvalid for anything else."""
    if text not in SERVICES:
        raise RequestInvalid(f"{text!r} is no service", advice=f"Services: {', '.join(SERVICES)}.")
    return text
