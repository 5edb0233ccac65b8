"""Runs the mapper as a process: ``python -m hourbridge.mapper``."""

from __future__ import annotations

from hourbridge.common.runtime.main import run_service
from hourbridge.mapper.settings import MapperSettings
from hourbridge.mapper.wiring import NAME, build


def main() -> None:
    """Run until told to stop."""
    run_service(NAME, MapperSettings(), build)


if __name__ == "__main__":
    main()
