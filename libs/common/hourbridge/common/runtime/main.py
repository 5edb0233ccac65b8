"""The main program of one service: connect, run until told to stop, stop gracefully."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Callable
from typing import TypeVar

import structlog

from hourbridge.common.bus.adapter import Bus
from hourbridge.common.bus.factory import open_bus
from hourbridge.common.clock import Clock, SystemClock
from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.runtime.logs import configure_logs
from hourbridge.common.runtime.service import ServiceDefinition, ServiceRunner
from hourbridge.common.runtime.settings import EMBEDDED, CommonSettings
from hourbridge.common.runtime.tracing import configure_tracing
from hourbridge.common.store.engine import Store
from hourbridge.common.zones import use_zones

log = structlog.get_logger(__name__)

SettingsT = TypeVar("SettingsT", bound=CommonSettings)
Build = Callable[..., ServiceDefinition]
"""A service's composition root: ``build(settings, *, store, bus, clock)``."""

_COLLECTOR_THRESHOLDS = (50_000, 20, 100)


def run_service(name: str, settings: SettingsT, build: Build) -> None:
    """Run one service as this process until SIGTERM or SIGINT."""
    if EMBEDDED in (settings.broker_url, settings.database_url):
        raise ConfigurationInvalid(
            "a single service needs a broker and a database of its own",
            advice="Set HOURBRIDGE_BROKER_URL and HOURBRIDGE_DATABASE_URL, or use "
            "`hourbridge run all`, which can run both embedded.",
        )
    configure_logs(level=settings.log_level, log_format=settings.log_format)
    configure_tracing(name)
    structlog.contextvars.bind_contextvars(service=name)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    bus = open_bus(settings)
    runner = start_service(name, settings, build, bus=bus, clock=SystemClock())
    collect_garbage_seldom()
    stopping.wait()
    runner.stop()
    bus.close()


def collect_garbage_seldom() -> None:
    """Let the collector look at what batches leave behind, not at what a batch is made of.

    A batch of 500 messages makes some 50,000 objects that die with it. By default Python searches
    them for cycles again and again: a fifth of the services' processor time, as measured. What
    exists when a service has started lives as long as it does and is never searched.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTOR_THRESHOLDS)


def start_service(
    name: str, settings: SettingsT, build: Build, *, bus: Bus, clock: Clock
) -> ServiceRunner:
    """Build and start one service in this process; the caller stops it and closes the bus."""
    if settings.zoneinfo_path is not None:
        use_zones(settings.zoneinfo_path)
    store = Store(settings.database_url, name, pool_size=settings.database_pool_size)
    definition = build(settings, store=store, bus=bus, clock=clock)
    runner = ServiceRunner(definition, settings)
    runner.start()
    return runner
