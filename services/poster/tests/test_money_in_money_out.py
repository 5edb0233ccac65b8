"""Whatever happens in whatever order: the ledger ends with the price of what is there."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal

import pytest

from hourbridge.billing.assembly import assemble
from hourbridge.common.book import InvoicingPolicy
from hourbridge.common.messages.events import Charge, DocumentStatus
from tests.support.charges import make_charge
from tests.support.faulty_ledger import Lost, MemoryLedger, throttled, unavailable
from tests.support.posting import Poster, configured, in_place_for

RECORDS = [f"r{number}" for number in range(7)]
STEPS = 40


class Story:
    """Random changes, billing runs, postings and faults; remembers what is true at the end."""

    def __init__(self, poster: Poster, ledger: MemoryLedger, seed: int) -> None:
        self.poster = poster
        self.ledger = ledger
        self.chance = random.Random(seed)
        self.revisions = dict.fromkeys(RECORDS, 0)
        self.true: dict[str, Charge] = {}
        self.grouping = self.chance.choice(["entry", "project_month", "client_quarter"])

    def step(self) -> None:
        """Do one random thing."""
        actions = [self.change] * 6 + [self.delete] * 2
        actions += [self.bill, self.post, self.correct, self.disturb, self.wait]
        self.chance.choice(actions)()

    def change(self) -> None:
        record = self.chance.choice(RECORDS)
        charge = make_charge(
            record,
            self.chance.randint(1, 40) * 360,
            rate=self.chance.choice(["150.00", "150.00", "120.00"]),
            client=self.chance.choice(["Acme", "Acme", "Bolt"]),
            work_date=date(2026, self.chance.choice([2, 3]), self.chance.randint(1, 28)),
            invoicing=InvoicingPolicy.model_validate({"grouping": self.grouping}),
        )
        self.revisions[record] += 1
        self.true[record] = charge
        self.poster.charge(charge, revision=self.revisions[record])

    def delete(self) -> None:
        record = self.chance.choice(RECORDS)
        self.revisions[record] += 1
        self.true.pop(record, None)
        self.poster.withdraw(record, revision=self.revisions[record])

    def bill(self) -> None:
        self.poster.bill()

    def post(self) -> None:
        self.poster.post()

    def correct(self) -> None:
        self.poster.parts.corrector.run_due()

    def disturb(self) -> None:
        faults = [Lost(took_effect=True), Lost(took_effect=False), throttled(30), unavailable()]
        self.ledger.faults.append(self.chance.choice(faults))

    def wait(self) -> None:
        self.poster.clock.step(seconds=self.chance.choice([1, 30, 100_000]))


@pytest.mark.parametrize("mode", ["credit_memo", "update_in_place"])
@pytest.mark.parametrize("remembers_keys", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_money_in_equals_money_out(
    poster: Poster, ledger: MemoryLedger, seed: int, remembers_keys: bool, mode: str
) -> None:
    ledger.remembers_keys = remembers_keys
    if mode == "update_in_place":
        poster.feed(configured(2, clients=(in_place_for("Acme"), in_place_for("Bolt"))))
    story = Story(poster, ledger, seed)
    for _ in range(STEPS):
        story.step()
    for _ in range(3):
        poster.settle()
        poster.bill()
    poster.settle()
    expected = sum((assemble([charge]).total for charge in story.true.values()), Decimal(0))
    assert poster.net_billed() == expected
    assert set(poster.states()) == set(story.true)
    assert {document.status for document in poster.documents()} <= {
        DocumentStatus.POSTED,
        DocumentStatus.WITHDRAWN,
    }
    assert not poster.rows("SELECT * FROM correction_request")
