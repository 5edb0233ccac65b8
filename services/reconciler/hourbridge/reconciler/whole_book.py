"""Transactions for statements that read a whole book: joins of everything with everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from hourbridge.common.store.engine import Store

# Which lines are current and which charges count follows from several columns together, so the
# planner expects one row where there are thousands and loops: 50,000 charges took 9.5 s, hashed
# 0.4 s. Nothing here looks for a single row.
_HASH = text("SET LOCAL enable_nestloop = off")
_MEMORY = text("SET LOCAL work_mem = '32MB'")
# A loop that can't be avoided counts as very dear then, and compiling for it costs 0.75 s.
_NO_COMPILER = text("SET LOCAL jit = off")


@contextmanager
def whole_book(store: Store) -> Iterator[Connection]:
    """Run a block in one transaction whose statements read most of a book."""
    with store.transaction() as connection:
        connection.execute(_HASH)
        connection.execute(_MEMORY)
        connection.execute(_NO_COMPILER)
        yield connection
