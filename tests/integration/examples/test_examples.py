"""The examples of the manual, run as a reader would run them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integration.examples.installation import BOOK, Installation
from tests.support.provisioning import apt_install, give_up

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
pytestmark = [pytest.mark.broker, pytest.mark.database]


def run(*command: str, **environment: str) -> str:
    """Run an example and return what it printed; fail with its words if it fails."""
    done = subprocess.run(
        command,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def needed(program: str, package: str) -> str:
    """Return the path of a program, installed if that is possible here."""
    if shutil.which(program) is None and not apt_install(package):
        give_up(program, f"nothing, but install Debian's {package}")
    return program


def await_accepted(installation: Installation, wanted: set[str]) -> None:
    """Return when ``wanted`` was accepted; fail when it is not in half a minute."""
    deadline = time.monotonic() + 30
    while installation.accepted_ids() != wanted:
        assert time.monotonic() < deadline, installation.accepted_ids()
        time.sleep(0.05)


def test_curl_reports_one_event_and_a_batch(installation: Installation) -> None:
    needed("curl", "curl")
    environment = {"HOURBRIDGE_URL": installation.url, "HOURBRIDGE_KEY": installation.key}

    first = run(str(EXAMPLES / "http_curl.sh"), **environment)
    again = run(str(EXAMPLES / "http_curl.sh"), **environment)

    assert [_statuses(line) for line in first.splitlines()] == [["accepted"], ["accepted"] * 2]
    assert [_statuses(line) for line in again.splitlines()] == [["duplicate"], ["duplicate"] * 2]
    assert installation.accepted_ids() == {"curl-1", "curl-2", "curl-3"}


def test_curl_with_a_wrong_key_fails(installation: Installation) -> None:
    needed("curl", "curl")
    environment = {"HOURBRIDGE_URL": installation.url, "HOURBRIDGE_KEY": "hbk_wrong_key"}

    with pytest.raises(AssertionError, match="not_authenticated"):
        run(str(EXAMPLES / "http_curl.sh"), **environment)

    assert installation.accepted_ids() == set()


def test_pika_reports_and_reads_what_was_refused(installation: Installation) -> None:
    printed = run(
        sys.executable,
        str(EXAMPLES / "publish_pika.py"),
        BROKER_URL=installation.upstream_broker_url,
        BOOK=BOOK,
    )

    assert "confirmed: 3" in printed
    assert "refused: pika-3@2026-03-02T17:10:00Z data.work_date:" in printed
    await_accepted(installation, {"pika-1", "pika-2"})


def test_a_c_client_reports(installation: Installation) -> None:
    needed("amqp-publish", "amqp-tools")
    run(
        str(EXAMPLES / "publish_amqp_tools.sh"),
        BROKER_URL=installation.upstream_broker_url,
        BOOK=BOOK,
    )

    await_accepted(installation, {"tools-1"})


def _statuses(answer: str) -> list[str]:
    return [event["status"] for event in json.loads(answer)["events"]]
