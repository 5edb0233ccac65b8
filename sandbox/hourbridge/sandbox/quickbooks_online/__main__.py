"""``python -m hourbridge.sandbox.quickbooks_online``: the stand-in as a process."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from hourbridge.common.exact_json import loads
from hourbridge.sandbox.quickbooks_online.seed import seed_company, seed_from_json
from hourbridge.sandbox.quickbooks_online.server import HOST, SandboxServer
from hourbridge.sandbox.quickbooks_online.settings import SandboxSettings

_DEFAULT_PORT = 8090


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    options = _parser().parse_args(arguments)
    settings = SandboxSettings(requestid_memory_seconds=options.requestid_memory_seconds)
    if options.no_throttle:
        settings.change({"requests_per_minute_max": None, "requests_per_second_max": None})
    server = SandboxServer(
        host=options.host, port=options.port, settings=settings, snapshot=options.snapshot
    )
    for path in options.seed:
        seed = seed_from_json(loads(path.read_bytes()))
        token = seed_company(server.world, seed)
        sys.stdout.write(f"company {seed.realm}: refresh token {token}\n")
    server.serve(announce=_announce)


def _announce(base_url: str) -> None:
    sys.stdout.write(f"QuickBooks Online stand-in on {base_url}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="A stand-in for the QuickBooks Online API.")
    parser.add_argument("--host", default=HOST, help="address to listen on")
    parser.add_argument("--port", type=int, default=_DEFAULT_PORT)
    parser.add_argument("--seed", type=Path, action="append", default=[], help="company JSON file")
    parser.add_argument("--snapshot", type=Path, help="file that keeps the books across restarts")
    parser.add_argument("--requestid-memory-seconds", type=int, default=86_400)
    parser.add_argument("--no-throttle", action="store_true")
    return parser


if __name__ == "__main__":
    main()
