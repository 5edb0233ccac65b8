"""``python -m hourbridge.reconciler``: run the service until told to stop."""

from __future__ import annotations

from hourbridge.common.runtime.main import run_service
from hourbridge.reconciler.settings import ReconcilerSettings
from hourbridge.reconciler.wiring import SERVICE, build


def main() -> None:
    """Run the reconciler as this process."""
    run_service(SERVICE, ReconcilerSettings(), build)


if __name__ == "__main__":
    main()
