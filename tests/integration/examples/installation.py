"""Where an upstream system finds Hourbridge, and what it is given to get in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import create_engine, text

BOOK = "demo"


@dataclass(frozen=True)
class Installation:
    """Where an upstream system finds Hourbridge, and what it is given to get in."""

    url: str
    key: str
    upstream_broker_url: str
    operator_broker_url: str
    database_url: str

    def accepted_ids(self) -> set[str]:
        """Return the external ids of all accepted records."""
        engine = create_engine(self.database_url)
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT external_id FROM ingestor.record")).scalars()
            found = set(rows)
        engine.dispose()
        return found
