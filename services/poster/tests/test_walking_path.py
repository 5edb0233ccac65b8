from decimal import Decimal

from hourbridge.common.messages.events import DocumentKind, DocumentStatus
from tests.support.charges import hours, make_charge
from tests.support.posting import Poster


def test_hours_become_one_posted_invoice(poster: Poster) -> None:
    poster.charge(*(make_charge(f"c{i}", hours("1.5")) for i in range(3)))
    poster.bill()
    assert poster.post() == 1
    document = poster.document()
    assert (document.status, document.total) == (DocumentStatus.POSTED, Decimal("675.00"))
    (held,) = poster.ledger.of_kind(DocumentKind.INVOICE)
    assert held.total == Decimal("675.00")
    assert [d.status for d in poster.flush()] == ["posting", "posted"]
