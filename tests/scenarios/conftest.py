"""Fixtures of the scenarios."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.office import Office


@pytest.fixture
def bare_office(broker_url: str, migrated_database_url: str, tmp_path: Path) -> Iterator[Office]:
    """All services on real servers; no book, no ledger company yet.

    When the scenario is over, its books' journals go before hledger and beancount, and every line
    of every document is explained.
    """
    office = Office(broker_url, migrated_database_url)
    office.open()
    yield office
    try:
        office.check_journal(tmp_path)
        office.check_explained()
    finally:
        office.close()


@pytest.fixture
def office(bare_office: Office) -> Office:
    """An office whose book and ledger follow the scenarios' conventions."""
    from tests.scenarios.office import configuration

    bare_office.connect()
    bare_office.configure(configuration())
    return bare_office


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real exports that tests read in place; skips loudly when it is absent."""
    default = Path(__file__).resolve().parents[3] / "shared" / "data"
    folder = Path(os.environ.get("HOURBRIDGE_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real exports at {folder}; set HOURBRIDGE_SHARED_DATA")
    return folder
