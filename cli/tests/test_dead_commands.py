"""dead list, show, replay and discard."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from cli.tests.conftest import Shell, wait_until
from hourbridge.common.bus.adapter import Outgoing
from hourbridge.common.messages.registry import EVENTS_EXCHANGE

TYPE = "hourbridge.time_entry.accepted.v1"
_numbers = itertools.count(1)


@pytest.fixture
def dead(shell: Shell) -> str:
    """The mapper's reference of a message that nobody can read."""
    assert shell.platform.bus is not None
    message_id = f"poison-{next(_numbers)}"
    body = json.dumps({"specversion": "1.0", "id": message_id, "amount": "1.10"}).encode()
    shell.platform.bus.publish(
        [Outgoing(EVENTS_EXCHANGE, TYPE.removeprefix("hourbridge."), body, message_id, TYPE)]
    )

    def mine() -> list[str]:
        rows: list[dict[str, Any]] = shell.json("dead", "list", "--service", "mapper")
        return [row["id"] for row in rows if row["message_id"] == message_id]

    wait_until(mine)
    return mine()[0]


def test_the_list_counts_causes_and_names_reasons(shell: Shell, dead: str) -> None:
    shown = shell.run("dead", "list")
    assert f"{dead}\n  message_invalid: {TYPE}" in shown
    assert "Dead messages by cause" in shown


def test_a_dead_message_shows_with_its_body(shell: Shell, dead: str) -> None:
    shown = shell.run("dead", "show", dead)
    assert '  "amount": "1.10"' in shown.splitlines()
    assert "Headers" in shown
    assert shell.json("dead", "show", dead)["cause"] == "message_invalid"


def test_a_discarded_message_is_closed(shell: Shell, dead: str) -> None:
    assert "mapper: discarded 1" in shell.run("dead", "discard", dead, "--reason", "a test")
    again = shell.run("dead", "discard", dead, "--reason", "a test", code=1)
    assert f"not open any more, left alone: {dead}" in again


def test_a_discard_needs_a_reason(shell: Shell) -> None:
    assert "--reason" in shell.run("dead", "discard", "mapper:1", code=2)


def test_a_replay_takes_a_corrected_body(shell: Shell, dead: str, tmp_path: Path) -> None:
    corrected = tmp_path / "body.json"
    corrected.write_text('{"still": "wrong"}', encoding="utf-8")
    assert "mapper: replayed 1" in shell.run("dead", "replay", dead, "--body", corrected)
    assert shell.json("dead", "show", dead)["state"] == "replayed"


def test_a_cause_is_replayed_everywhere_at_once(shell: Shell, dead: str) -> None:
    shown = shell.run("dead", "replay", "--cause", "message_invalid")
    assert "poster: replayed 0" in shown
    assert shell.json("dead", "show", dead)["state"] == "replayed"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name messages, or a cause"),
        (("mapper:1", "--cause", "x"), "name messages, or a cause"),
        (("mapper:x",), "is no number"),
        (("--cause", "x", "--service", "nobody"), "is no service"),
    ],
)
def test_what_makes_no_sense_is_refused(
    shell: Shell, arguments: tuple[str, ...], words: str
) -> None:
    assert words in shell.run("dead", "replay", *arguments, code=1)


def test_an_unknown_message_is_not_found(shell: Shell) -> None:
    assert "no such dead letter" in shell.run("dead", "show", "mapper:999999999", code=1)
