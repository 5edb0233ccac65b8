"""Set-up commands, running, and how the command line explains itself."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import httpx
import pytest
import typer
from typer.testing import CliRunner

from cli.tests.conftest import EXAMPLES
from hourbridge.cli.main import app

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, code: int = 0, **environment: str) -> str:
    done = CliRunner().invoke(app, list(arguments), env=environment)
    assert done.exit_code == code, f"exit {done.exit_code}\n{done.output}\n{done.exception!r}"
    return done.output


def process(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "hourbridge.cli", *arguments],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def line_with(running: subprocess.Popen[str], words: str) -> str:
    """Return the next line that holds ``words``; fail when the process ends before it."""
    seen = []
    assert running.stdout is not None
    for line in running.stdout:
        seen.append(line)
        if words in line:
            return line
    raise AssertionError("".join(seen))


@pytest.mark.broker
def test_a_broker_lacks_the_topology_until_it_is_applied(broker_url: str) -> None:
    broker = {"HOURBRIDGE_BROKER_URL": broker_url}
    assert "problem" in run("topology", "check", code=1, **broker)
    assert "topology whole" in run("topology", "apply", **broker)
    assert "topology whole" in run("topology", "check", **broker)
    assert "topology whole" in run("topology", "apply", **broker)


@pytest.mark.database
def test_a_database_can_be_set_up_twice(database_url: str) -> None:
    for _ in range(2):
        assert "database ready" in run("database", "setup", HOURBRIDGE_DATABASE_URL=database_url)


def test_servers_that_are_away_are_named_not_traced() -> None:
    away = run("database", "setup", code=1, HOURBRIDGE_DATABASE_URL="postgresql://x@127.0.0.1:1/x")
    assert "error store_unavailable" in away
    no_url = run("database", "setup", code=1, HOURBRIDGE_DATABASE_URL="mysql://x@127.0.0.1/x")
    assert "not a PostgreSQL URL" in no_url
    no_broker = run("topology", "check", code=1, HOURBRIDGE_BROKER_URL="amqp://127.0.0.1:1/")
    assert "error bus_error" in no_broker


def test_embedded_servers_need_no_set_up() -> None:
    assert "nothing to do" in run("topology", "apply", HOURBRIDGE_BROKER_URL="embedded:")
    assert "nothing to do" in run("database", "setup", HOURBRIDGE_DATABASE_URL="embedded:")


def test_the_committed_schemas_are_fresh_and_compatible() -> None:
    assert "schemas fresh and compatible" in run("schemas", "check", str(ROOT / "docs"))


def test_missing_schemas_are_a_problem_until_exported(tmp_path: Path) -> None:
    assert "problem" in run("schemas", "check", str(tmp_path), code=1)
    run("schemas", "export", str(tmp_path))
    assert "schemas fresh" in run("schemas", "check", str(tmp_path))


def test_a_single_service_needs_servers_of_its_own() -> None:
    shown = run("run", "mapper", code=1, HOURBRIDGE_BROKER_URL="embedded:")
    assert "needs a broker and a database of its own" in shown
    assert "is none of ingestor" in run("run", "nonesuch", code=2)


def test_all_services_run_until_they_are_told_to_stop() -> None:
    running = process("run", "all", HOURBRIDGE_HTTP_PORT="0")
    try:
        url = line_with(running, "reconciler  http").split()[1]
        assert "HOURBRIDGE_ADMIN_TOKEN=" in line_with(running, "export")
        assert httpx.get(f"{url}/readyz", timeout=10).json() == {"problems": []}
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=60)
        assert running.returncode == 0
    finally:
        running.kill()
        running.communicate()


def test_the_sandbox_serves_a_seeded_company() -> None:
    seed = str(EXAMPLES / "company.json")
    running = process("sandbox", "run", "quickbooks-online", "--port", "0", "--seed", seed)
    try:
        assert "refresh token" in line_with(running, "company 9130350000000042")
        url = line_with(running, "stand-in on").split()[-1]
        assert httpx.get(f"{url}/_sandbox/companies/9130350000000042", timeout=10).is_success
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)


def test_a_wrong_setting_is_named_not_traced() -> None:
    running = process("report", "status", "-b", "x", HOURBRIDGE_CLIENT_TIMEOUT_SECONDS="soon")
    shown, _ = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "HOURBRIDGE_CLIENT_TIMEOUT_SECONDS: Input should be a valid integer" in shown
    assert "Traceback" not in shown


def test_a_service_that_is_away_is_named() -> None:
    shown = run(
        "report", "status", "-b", "x", code=1, HOURBRIDGE_RECONCILER_URL="http://127.0.0.1:1"
    )
    assert "error service_unreachable" in shown
    assert "hourbridge run all" in shown


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Return every command with the words that call it."""
    waiting: list[tuple[tuple[str, ...], click.Command]] = [((), typer.main.get_command(app))]
    while waiting:
        words, command = waiting.pop()
        subcommands = getattr(command, "commands", {})
        waiting += [((*words, name), each) for name, each in subcommands.items()]
        yield words, command


COMMANDS = dict(commands())


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_within_80_columns(words: tuple[str, ...]) -> None:
    shown = run(*words, "--help", COLUMNS="80", TERMINAL_WIDTH="80")
    assert COMMANDS[words].help
    assert max(len(line) for line in shown.splitlines()) <= 80


def documented() -> Iterator[tuple[str, list[str]]]:
    """Return the commands that stand in code blocks of the manual."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for match in re.finditer(r"^(?:    )?(?:export \w+=\$\()?hourbridge (.+)$", text, re.M):
            line = match[1].partition("#")[0].rstrip(" )")
            yield f"{page.name}: {line}", line.split()


DOCUMENTED = dict(documented())


@pytest.mark.parametrize("line", DOCUMENTED)
def test_every_documented_command_exists_with_its_options(line: str) -> None:
    given = DOCUMENTED[line]
    words = tuple(given[:2]) if tuple(given[:2]) in COMMANDS else tuple(given[:1])
    assert words in COMMANDS, f"no such command: {line}"
    known = {name for each in COMMANDS[words].params for name in (*each.opts, *each.secondary_opts)}
    assert {each for each in given if each.startswith("-")} <= known
