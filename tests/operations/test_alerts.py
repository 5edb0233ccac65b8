"""Alert rules, their routing and their runbooks: the vendor's own tools test what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from hourbridge.cli.main import app
from tests.support.provisioning import apt_install

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy/prometheus"
RUNBOOKS = ROOT / "docs/runbooks"
RULES: list[dict[str, Any]] = yaml.safe_load((PROMETHEUS / "hourbridge.rules.yml").read_text())[
    "groups"
][0]["rules"]
NAMES = [rule["alert"] for rule in RULES]
_PACKAGES = {"promtool": "prometheus", "amtool": "prometheus-alertmanager"}


def tool(name: str) -> str:
    """Return the path of a tool, installed if that is possible; else skip, or fail in CI."""
    if shutil.which(name) is None and not apt_install(_PACKAGES[name]):
        what = f"{name} is missing: install Debian's {_PACKAGES[name]}"
        pytest.fail(what) if os.environ.get("CI") else pytest.skip(what)
    return str(shutil.which(name))


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=PROMETHEUS, capture_output=True, text=True, check=False)


def test_every_alert_fires_when_it_should_and_not_before() -> None:
    done = run(tool("promtool"), "test", "rules", "alerts.test.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested() -> None:
    tested = {
        test["name"]
        for test in yaml.safe_load((PROMETHEUS / "alerts.test.yml").read_text())["tests"]
    }
    assert set(NAMES) <= tested


@pytest.mark.parametrize(("severity", "receiver"), [("page", "pages"), ("ticket", "tickets")])
def test_severity_decides_who_is_told(severity: str, receiver: str) -> None:
    done = run(
        tool("amtool"),
        *("config", "routes", "test", "--config.file=alertmanager.yml"),
        *(f"--verify.receivers={receiver}", f"severity={severity}"),
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_that_an_alert_names_is_exported() -> None:
    known = set(re.findall(r"`(hourbridge_\w+)`", (ROOT / "docs/metrics.md").read_text()))
    named = {name for rule in RULES for name in re.findall(r"hourbridge_\w+", rule["expr"])}
    assert {name.removesuffix("_bucket").removesuffix("_count") for name in named} <= known


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_every_alert_has_severity_summary_and_runbook(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook_url"].endswith(f"/{rule['alert']}.md")
    assert (RUNBOOKS / f"{rule['alert']}.md").is_file()


def test_no_runbook_is_left_without_its_alert() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"} == set(NAMES)


def commands() -> set[tuple[str, ...]]:
    """Return the command line's commands that runbooks name."""
    found = set()
    for path in RUNBOOKS.glob("*.md"):
        for line in re.findall(r"^hourbridge (.+)$", path.read_text(), re.MULTILINE):
            words = re.split(r" -| [A-Z]|#", line)[0].split()
            found.add(tuple(words))
    return found


@pytest.mark.parametrize("words", sorted(commands()), ids=" ".join)
def test_every_command_of_a_runbook_exists(words: tuple[str, ...]) -> None:
    command: Any = typer.main.get_command(app)
    for word in words:
        assert word in command.commands, f"hourbridge has no {' '.join(words)}"
        command = command.commands[word]
    assert not hasattr(command, "commands"), "names a group only"
