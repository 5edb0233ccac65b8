"""An invoice of thousands of lines: too large to travel whole, and posted and seen all the same."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlalchemy import text

from hourbridge.common.store.claim_check import INLINE_BYTES_MAX
from hourbridge.common.store.engine import Store
from tests.scenarios.office import BOOK, Office, configuration, entry
from tests.support.installation import wait_until

pytestmark = [pytest.mark.database, pytest.mark.broker]
LINES = 2_200
_DOCUMENT_SIZES = text(
    "SELECT length(content) FROM objects.object "
    "WHERE substr(content, 1, 12) = convert_to('{\"document\":', 'UTF8')"
)


@pytest.fixture
def office(broker_url: str, migrated_database_url: str) -> Iterator[Office]:
    made = Office(broker_url, migrated_database_url)
    made.open()
    made.connect()
    made.configure(configuration())
    yield made
    made.close()


def document_sizes(database_url: str) -> list[int]:
    store = Store(database_url, "reconciler", pool_size=1)
    with store.transaction() as connection:
        sizes = connection.execute(_DOCUMENT_SIZES).scalars()
        found = [int(size) for size in sizes]
    store.close()
    return found


def test_an_invoice_of_thousands_of_lines_reaches_the_ledger_and_the_reconciler(
    office: Office, migrated_database_url: str
) -> None:
    hours = [entry(f"e-{n}", "0.5", notes=f"Visit {n} of a long month") for n in range(LINES)]
    for first in range(0, LINES, 500):
        office.report(*hours[first : first + 500])
    office.bill()
    (invoice,) = office.ledger("Invoice")
    assert len([line for line in invoice["Line"] if "SalesItemLineDetail" in line]) == LINES
    assert office.invoices() == [Decimal("0.5") * 150 * LINES]
    assert max(document_sizes(migrated_database_url)) > INLINE_BYTES_MAX

    def seen() -> bool:
        path = f"/v1/books/{BOOK}/reports/totals"
        return str(office.client.get("reconciler", path)).count("165000") > 0

    wait_until(seen, "the reconciler to know the document")
    assert office.reconcile() == []
    for service in ("mapper", "poster", "reconciler"):
        assert office.client.get(service, "/v1/dead")["dead"] == []
