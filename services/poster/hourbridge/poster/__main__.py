"""Runs the poster as a process: ``python -m hourbridge.poster``."""

from __future__ import annotations

from hourbridge.common.runtime.main import run_service
from hourbridge.poster.settings import PosterSettings
from hourbridge.poster.wiring import SERVICE, build


def main() -> None:
    """Run until told to stop."""
    run_service(SERVICE, PosterSettings(), build)


if __name__ == "__main__":
    main()
