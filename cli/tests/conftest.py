"""The command line against all four services on embedded defaults, started once."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from click.testing import Result
from typer.testing import CliRunner

from hourbridge.cli import output
from hourbridge.cli.main import app
from hourbridge.cli.platform import Platform
from hourbridge.sandbox.quickbooks_online.seed import seed_company, seed_from_json
from hourbridge.sandbox.quickbooks_online.server import SandboxServer

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "firm"
WAIT_SECONDS_MAX = 60
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Shell:
    """Runs commands as a person with the right environment would."""

    environment: dict[str, str]
    sandbox: SandboxServer
    platform: Platform
    book: str = ""
    realm: str = ""
    directory: Path = field(default_factory=Path)

    def run(self, *arguments: str | Path, code: int = 0, **environment: str) -> str:
        """Run a command; return what it printed, errors included. Fails on another exit code."""
        done: Result = CliRunner().invoke(
            app, [str(each) for each in arguments], env={**self.environment, **environment}
        )
        assert done.exit_code == code, f"exit {done.exit_code}\n{done.output}\n{done.exception!r}"
        return done.output

    def json(self, *arguments: str | Path, code: int = 0) -> Any:
        """Run a command with ``--json``; return what it printed."""
        return json.loads(self.run(*arguments, "--json", code=code))

    def hours(self, *arguments: str | Path, file: Path = EXAMPLES / "hours.csv") -> str:
        """Import a file into this shell's book."""
        command = ("import", file, "-b", self.book, "-s", "timesheets", "-p", "generic_csv")
        return self.run(*command, "--rejected", self.directory / "rejected.csv", *arguments)

    def bill(self) -> None:
        """Bill March and wait until everything is posted."""
        self.run("bill", "-b", self.book, "--through", "2026-03-31")
        wait_until(lambda: {row["status"] for row in self.documents()} == {"posted"})

    def documents(self) -> list[dict[str, Any]]:
        """Return this shell's documents."""
        rows: list[dict[str, Any]] = self.json("documents", "list", "-b", self.book)
        return rows

    def parked(self) -> list[dict[str, Any]]:
        """Return what is parked in this shell's book."""
        rows: list[dict[str, Any]] = self.json("parked", "list", "-b", self.book)
        return rows

    def mapping(self, **changes: str) -> Path:
        """Write the example's configuration for this book with some texts replaced."""
        text = (EXAMPLES / "book.yaml").read_text(encoding="utf-8")
        for old, new in {"demo": self.book, "9130350000000042": self.realm, **changes}.items():
            text = text.replace(old, new)
        text = text.replace("connection: main", f"connection: {self.book}")
        path = self.directory / "book.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def somebody_in_the_ledger(self, body: dict[str, Any]) -> None:
        """Do what a person with access to the accounting system could do to an invoice."""
        url = f"{self.sandbox.base_url}/_sandbox/companies/{self.realm}/people/invoice"
        httpx.post(url, json=body, timeout=10).raise_for_status()


@pytest.fixture(scope="session")
def _logs_aside() -> Iterator[None]:
    """Keep the services' logs out of what commands print: they share this process here."""
    before = structlog.get_config()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.__stderr__))
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def shell(_logs_aside: None) -> Iterator[Shell]:
    """The command line with everything running; no book, no ledger company yet."""
    output.console.width = output.errors.width = 80
    sandbox = SandboxServer()
    sandbox.world.settings.change(
        {"requests_per_minute_max": None, "requests_per_second_max": None}
    )
    platform = Platform(
        overrides={"broker_url": "embedded:", "database_url": "embedded:"}, free_ports=True
    )
    sandbox.start()
    try:
        platform.start(ready_timeout_seconds=WAIT_SECONDS_MAX)
        urls = {
            f"HOURBRIDGE_{name.upper()}_URL": runner.http.url
            for name, runner in platform.runners.items()
        }
        environment = {
            **urls,
            "HOURBRIDGE_ADMIN_TOKEN": platform.admin_token,
            "HOURBRIDGE_BROKER_URL": "embedded:",
            "HOURBRIDGE_DATABASE_URL": "embedded:",
        }
        yield Shell(environment, sandbox, platform)
    finally:
        platform.stop()
        sandbox.stop()


@pytest.fixture
def connected(shell: Shell, tmp_path: Path) -> Shell:
    """A book of its own name with a ledger company of its own, connected; nothing applied."""
    number = next(_numbers)
    mine = replace(shell, book=f"book{number}", realm=f"91303500001{number:05}", directory=tmp_path)
    seed = seed_from_json(
        {**json.loads((EXAMPLES / "company.json").read_text()), "realm": mine.realm}
    )
    token = seed_company(mine.sandbox.world, seed)
    settings = mine.sandbox.world.settings
    mine.run(
        "ledger", "connect", "--name", mine.book, "--company-id", mine.realm,
        "--client-id", settings.client_id, "--api-base-url", mine.sandbox.base_url,
        "--token-url", mine.sandbox.token_url,
        HOURBRIDGE_CLIENT_SECRET=settings.client_secret, HOURBRIDGE_REFRESH_TOKEN=token,
    )  # fmt: skip
    return mine


@pytest.fixture
def book(connected: Shell) -> Shell:
    """A book with the example's configuration in force."""
    connected.run("mapping", "apply", connected.mapping())
    return connected


@pytest.fixture
def billed(book: Shell) -> Shell:
    """A book whose example hours are imported, billed and posted."""
    book.hours()
    book.bill()
    return book


def wait_until(condition: Callable[[], object]) -> None:
    """Return when the condition holds; fail when it does not in a minute."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
