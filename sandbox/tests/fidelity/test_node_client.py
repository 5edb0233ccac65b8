"""A second client that knows nothing of us: node-quickbooks, where node and the package are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

REALM = "4620816365000000001"
PACKAGE = "node-quickbooks@2.0.50"
SCRIPT = Path(__file__).with_name("acceptance.js")
_INSTALL_SECONDS = 180
_RUN_SECONDS = 60


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the package into a directory of its own; skip loudly where that can't be done."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("NOT RUN: node-quickbooks needs node and npm, which are not installed here")
    place = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE]
    try:
        done = subprocess.run(
            command, cwd=place, capture_output=True, text=True, timeout=_INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"NOT RUN: npm could not install {PACKAGE} within {_INSTALL_SECONDS} s")
    if done.returncode:
        pytest.skip(f"NOT RUN: npm could not install {PACKAGE}: {done.stderr[-300:]}")
    return place / "node_modules"


def test_node_quickbooks_finds_what_it_expects(server, modules):
    with httpx.Client(base_url=server.base_url) as http:
        grant = {"grant_type": "refresh_token", "refresh_token": f"RT1-{REALM}"}
        auth = ("sandbox-client", "sandbox-secret")
        tokens = http.post("/oauth2/v1/tokens/bearer", data=grant, auth=auth).json()
    arguments = [server.base_url, REALM, tokens["access_token"], tokens["refresh_token"]]
    done = subprocess.run(
        ["node", str(SCRIPT), *arguments],
        env={**os.environ, "NODE_PATH": str(modules)},
        capture_output=True,
        text=True,
        timeout=_RUN_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "found": ["O'Neil"],
        "counted": 4,
        "replayed": True,
        "duplicate": "6140",
        "second": True,
        "token": "1",
        "pdf": "%PDF-",
        "batch": ["Customer", "6240", "QueryResponse"],
        "voided": 0,
        "captured": [["live"] * 5, ["live", "Deleted"]],
        "rate": 1,
        "country": "US",
        "refreshed": "bearer",
    }
