"""Running services and the sandbox."""

from __future__ import annotations

import signal
import threading

import typer

from hourbridge.cli.client import SERVICES
from hourbridge.cli.commands.context import fail
from hourbridge.cli.output import console
from hourbridge.cli.platform import Platform, build_function, settings_class
from hourbridge.common.errors import HourbridgeError
from hourbridge.common.runtime.logs import configure_logs
from hourbridge.common.runtime.main import run_service
from hourbridge.common.runtime.settings import EMBEDDED, CommonSettings
from hourbridge.common.runtime.tracing import configure_tracing


def run(
    service: str = typer.Argument(..., help="ingestor, mapper, poster, reconciler, or all."),
) -> None:
    """Run one service, or all in this process, until interrupted."""
    try:
        if service == "all":
            _run_all()
        elif service in SERVICES:
            run_service(service, settings_class(service)(), build_function(service))
        else:
            raise typer.BadParameter(f"{service!r} is none of {', '.join(SERVICES)}, all")
    except HourbridgeError as error:
        fail(error)


def _run_all() -> None:
    settings = CommonSettings()
    configure_logs(level=settings.log_level, log_format=settings.log_format)
    configure_tracing("all")
    platform = Platform()
    platform.start()
    if EMBEDDED in (settings.broker_url, settings.database_url):
        console.print("[yellow]embedded: started empty, and gone when this process ends[/]")
    for name, runner in platform.runners.items():
        console.print(f"{name:<11} {runner.http.url}", highlight=False)
    if not settings.admin_tokens:
        console.print(f"export HOURBRIDGE_ADMIN_TOKEN={platform.admin_token}", highlight=False)
    wait_for_signal()
    platform.stop()


def wait_for_signal() -> None:
    """Block until SIGTERM or SIGINT."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    stopping.wait()
