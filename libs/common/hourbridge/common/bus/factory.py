"""Which bus the settings ask for."""

from __future__ import annotations

from typing import Protocol

from hourbridge.common.bus.adapter import Bus
from hourbridge.common.bus.embedded import EmbeddedBus
from hourbridge.common.bus.rabbit import RabbitBus

EMBEDDED_URL = "embedded:"


class BusSettings(Protocol):
    """The settings that decide."""

    @property
    def broker_url(self) -> str:
        """``embedded:`` or an AMQP URL."""
        ...

    @property
    def broker_management_url(self) -> str | None:
        """The management API, if bindings may be checked there."""
        ...


def open_bus(settings: BusSettings, *, name: str = "hourbridge") -> Bus:
    """Return the bus; an embedded one is shared by handing it to every service."""
    if settings.broker_url == EMBEDDED_URL:
        return EmbeddedBus()
    return RabbitBus(settings.broker_url, name=name, management_url=settings.broker_management_url)
