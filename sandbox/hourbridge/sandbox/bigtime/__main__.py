"""``python -m hourbridge.sandbox.bigtime``: the stand-in as a process."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from hourbridge.common.exact_json import loads
from hourbridge.sandbox.bigtime.seed import DATASETS, seed_firm
from hourbridge.sandbox.bigtime.server import BigTimeServer
from hourbridge.sandbox.bigtime.settings import SandboxSettings
from hourbridge.sandbox.common.serving import HOST

_DEFAULT_PORT = 8091


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted; a snapshot that exists takes the place of the data sets."""
    options = _parser().parse_args(arguments)
    settings = SandboxSettings()
    if options.no_throttle:
        settings.change({"requests_per_minute_max": None})
    server = BigTimeServer(
        host=options.host, port=options.port, settings=settings, snapshot=options.snapshot
    )
    if options.snapshot is None or not options.snapshot.exists():
        seeds = [loads(path.read_bytes()) for path in options.seed]
        seeds += [{"realm": name, "dataset": name} for name in options.dataset]
        for seed in seeds:
            firm = seed_firm(server.world, seed)
            known = f"firm {firm.realm} ({firm.tenant_id}): key {firm.keys[0].key}"
            sys.stdout.write(f"{known}, {len(firm.time)} time entries\n")
    server.serve(announce=_announce)


def _announce(base_url: str) -> None:
    sys.stdout.write(f"BigTime stand-in on {base_url}/BigtimeData/api/v2/\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="A stand-in for the BigTime IQ API v2.")
    parser.add_argument("--host", default=HOST, help="address to listen on")
    parser.add_argument("--port", type=int, default=_DEFAULT_PORT)
    parser.add_argument("--seed", type=Path, action="append", default=[], help="firm JSON file")
    parser.add_argument(
        "--dataset", choices=sorted(DATASETS), action="append", default=[], help="ready-made firm"
    )
    parser.add_argument("--snapshot", type=Path, help="file that keeps the firms across restarts")
    parser.add_argument("--no-throttle", action="store_true")
    return parser


if __name__ == "__main__":
    main()
