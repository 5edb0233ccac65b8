"""All four services in one process: for trying, for tests, and for small installations.

Still four services: each has its own schema, role, lanes and HTTP port, and they talk only over
the bus. With ``embedded:`` URLs the bus and the database run inside this process too, start
empty, and are gone afterwards.
"""

from __future__ import annotations

import importlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import Fernet
from pydantic import SecretStr

from hourbridge.cli.client import SERVICES
from hourbridge.cli.settings import ClientSettings
from hourbridge.common.bus.adapter import Bus
from hourbridge.common.bus.factory import open_bus
from hourbridge.common.bus.topology import build_topology
from hourbridge.common.clock import Clock, SystemClock
from hourbridge.common.errors import ConfigurationInvalid, DependencyUnavailable, InvariantViolated
from hourbridge.common.runtime.main import start_service
from hourbridge.common.runtime.service import ServiceRunner
from hourbridge.common.runtime.settings import EMBEDDED, CommonSettings
from hourbridge.common.store.embedded import EmbeddedPostgres
from hourbridge.common.store.provision import migrate_all, provision


def settings_class(service: str) -> type[CommonSettings]:
    """Return the settings class of a service."""
    module = importlib.import_module(f"hourbridge.{service}.settings")
    found: type[CommonSettings] = getattr(module, f"{service.capitalize()}Settings")
    return found


def build_function(service: str) -> Callable[..., Any]:
    """Return the composition root of a service."""
    found: Callable[..., Any] = importlib.import_module(f"hourbridge.{service}.wiring").build
    return found


@dataclass
class Platform:
    """Starts and stops the whole of Hourbridge in this process."""

    overrides: dict[str, Any] = field(default_factory=dict)
    """Settings that win over the environment, for every service."""
    free_ports: bool = False
    """Bind any free ports instead of each service's usual one."""
    clock: Clock = field(default_factory=SystemClock)
    services: tuple[str, ...] = SERVICES
    runners: dict[str, ServiceRunner] = field(default_factory=dict)
    bus: Bus | None = None
    database_url: str = ""
    admin_token: str = ""
    _postgres: EmbeddedPostgres | None = None

    def start(self, *, ready_timeout_seconds: float = 30) -> None:
        """Bring up database, topology and services; raise DependencyUnavailable if not ready."""
        common = CommonSettings(**self.overrides)
        self.database_url = self._open_database(common)
        self.bus = open_bus(common)
        self.bus.apply(build_topology(common.retry_delays_seconds))
        tokens = dict(common.admin_tokens)
        self.admin_token = next(
            (token for token, actor in tokens.items() if actor.endswith(":administrator")), ""
        ) or secrets.token_urlsafe(24)
        tokens.setdefault(self.admin_token, "local:administrator")
        shared = {"admin_tokens": tokens, "encryption_keys": _keys(common)}
        for service in self.services:
            self._start_service(service, shared)
        for service, runner in self.runners.items():
            problems = runner.wait_ready(timeout_seconds=ready_timeout_seconds)
            if problems:
                raise DependencyUnavailable("; ".join(problems), service=service)

    def stop(self) -> None:
        """Stop services gracefully, then the bus and the embedded database."""
        for runner in reversed(self.runners.values()):
            runner.stop()
        if self.bus is not None:
            self.bus.close()
        if self._postgres is not None:
            self._postgres.close()

    def client_settings(self) -> ClientSettings:
        """Return settings with which the command line reaches these services."""
        urls = {f"{name}_url": runner.http.url for name, runner in self.runners.items()}
        return ClientSettings.model_validate({**urls, "admin_token": self.admin_token})

    def _open_database(self, common: CommonSettings) -> str:
        database_url = common.database_url
        if database_url == EMBEDDED:
            self._postgres = EmbeddedPostgres()
            database_url = self._postgres.url
        provision(database_url)
        migrate_all(database_url)
        return database_url

    def _start_service(self, service: str, shared: dict[str, Any]) -> None:
        overrides = {
            **self.overrides,
            **shared,
            "database_url": self.database_url,
            **({"http_port": 0} if self.free_ports else {}),
        }
        settings = settings_class(service)(**overrides)
        if self.bus is None:
            raise InvariantViolated("services start after the bus", service=service)
        self.runners[service] = start_service(
            service, settings, build_function(service), bus=self.bus, clock=self.clock
        )


def _keys(common: CommonSettings) -> tuple[SecretStr, ...]:
    """Return the keys for secrets at rest; a database that is gone afterwards needs none kept."""
    if common.encryption_keys:
        return common.encryption_keys
    if common.database_url != EMBEDDED:
        raise ConfigurationInvalid(
            "a database that stays needs encryption keys",
            advice="Set HOURBRIDGE_ENCRYPTION_KEYS to a JSON array with a Fernet key.",
        )
    return (SecretStr(Fernet.generate_key().decode()),)
