"""Connecting a company by consent, from the command line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import httpx
import pytest

from cli.tests.conftest import Shell
from hourbridge.cli.consent_callback import Callback, answer_in, given_consent
from hourbridge.common.runtime.admin import RequestInvalid

ADDRESS = "http://localhost:8765/callback?code=c1&state=s1&realmId=42"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.fixture
def authorizing(connected: Shell) -> Iterator[subprocess.Popen[str]]:
    command = ["-m", "hourbridge.cli", "ledger", "authorize", "--name", connected.book]
    page = f"{connected.sandbox.base_url}/connect/oauth2"
    revoke = f"{connected.sandbox.base_url}/v2/oauth2/tokens/revoke"
    process = subprocess.Popen(
        [
            sys.executable,
            *command,
            "--authorize-url",
            page,
            "--revoke-url",
            revoke,
            "--port",
            str(free_port()),
        ],
        env={"PATH": os.environ["PATH"], "COLUMNS": "80", **connected.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    process.kill()
    process.wait()


def address_printed(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return next(line.strip() for line in process.stdout if line.startswith("http"))


def test_a_company_is_connected_anew(connected: Shell, authorizing: subprocess.Popen[str]) -> None:
    """What a browser would do: go there, consent, be sent back to the port of this machine."""
    url = address_printed(authorizing)
    page = httpx.get(f"{url}&realm={connected.realm}", follow_redirects=True, timeout=30)
    assert "You can close this page" in page.text
    rest, _ = authorizing.communicate(timeout=60)
    assert f"connected {connected.book}, company {connected.realm}" in rest
    rows = connected.json("ledger", "list")
    (row,) = [row for row in rows if row["name"] == connected.book]
    assert (row["state"], row["days_left"]) == ("connected", 100)
    assert row["refresh_hard_expires_at"]
    assert "disconnected" in connected.run("ledger", "disconnect", connected.book)
    rows = connected.json("ledger", "list")
    assert [r["state"] for r in rows if r["name"] == connected.book] == ["disconnected"]


def test_a_consent_that_is_refused(authorizing: subprocess.Popen[str]) -> None:
    httpx.get(f"{address_printed(authorizing)}&deny=1", follow_redirects=True, timeout=30)
    rest, _ = authorizing.communicate(timeout=60)
    assert "access_denied" in rest
    assert authorizing.returncode == 1


def test_the_pasted_address() -> None:
    given = given_consent(answer_in(f" {ADDRESS}\n"), "s1")
    assert given == {"state": "s1", "code": "c1", "realm_id": "42"}
    for address in (ADDRESS.replace("s1", "forged"), ADDRESS.replace("code=c1", "code="), "x"):
        with pytest.raises(RequestInvalid):
            given_consent(answer_in(address), "s1")


def test_only_the_callback_is_an_answer() -> None:
    callback = Callback(0)
    found: list[dict[str, str]] = []
    waiting = threading.Thread(target=lambda: found.append(callback.wait(30)))
    waiting.start()
    assert httpx.get(callback.address.replace("/callback", "/favicon.ico")).status_code == 404
    assert httpx.get(f"{callback.address}?code=c1").status_code == 200
    waiting.join(30)
    assert found == [{"code": "c1"}]


def test_nobody_answers() -> None:
    with pytest.raises(RequestInvalid, match="no answer came"):
        Callback(0).wait(0)
