"""``python -m hourbridge.sandbox.toggl``: the stand-in as a process."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from hourbridge.common.exact_json import dumps, loads
from hourbridge.sandbox.common.serving import HOST
from hourbridge.sandbox.toggl.seed import seed_workspace
from hourbridge.sandbox.toggl.server import TogglServer
from hourbridge.sandbox.toggl.settings import TogglSandboxSettings

_DEFAULT_PORT = 8092


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    options = _parser().parse_args(arguments)
    settings = TogglSandboxSettings(delivers_at_once=True)
    if options.no_throttle:
        settings.calls_per_hour_max = None
    server = TogglServer(
        host=options.host, port=options.port, settings=settings, snapshot=options.snapshot
    )
    for path in options.seed:
        opened = seed_workspace(server.world, loads(path.read_bytes()))
        sys.stdout.write(f"workspace {dumps(opened)}\n")
    server.serve(announce=_announce)


def _announce(base_url: str) -> None:
    sys.stdout.write(f"Toggl stand-in on {base_url}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="A stand-in for Toggl Track's API and webhooks.")
    parser.add_argument("--host", default=HOST, help="address to listen on")
    parser.add_argument("--port", type=int, default=_DEFAULT_PORT)
    parser.add_argument("--seed", type=Path, action="append", default=[], help="workspace JSON")
    parser.add_argument("--snapshot", type=Path, help="file that keeps it across restarts")
    parser.add_argument("--no-throttle", action="store_true")
    return parser


if __name__ == "__main__":
    main()
