"""Runs the ingestor as a process: ``python -m hourbridge.ingestor``."""

from __future__ import annotations

from hourbridge.common.runtime.main import run_service
from hourbridge.ingestor.settings import IngestorSettings
from hourbridge.ingestor.wiring import NAME, build


def main() -> None:
    """Run until told to stop."""
    run_service(NAME, IngestorSettings(), build)


if __name__ == "__main__":
    main()
