"""Reading a configuration: nothing guessed, nothing dropped."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.mapper.document import CHARACTERS_MAX, read_configuration
from hourbridge.mapper.rules.check import check

PAGE = Path(__file__).parents[3] / "docs" / "book-configuration.md"
SMALL = """
book: b
currency: USD
zone: Europe/Oslo
ledger: {connection: main, company_id: 0042}
sources: [{name: toggl}]
clients:
  - {client: NO, customer: {id: 007}, effective_from: 2026-01-01}
rates:
  rules: [{client: NO, amount: 1234567890.10}]
rounding: {increment_seconds: 900}
billable: {approved_only: false}
"""


def documented_example() -> str:
    page = PAGE.read_text()
    example = page.split("<!-- example: begin -->")[1].split("<!-- example: end -->")[0]
    return example.replace("```yaml", "").replace("```", "")


def test_the_documented_example_is_valid() -> None:
    configuration = read_configuration(documented_example())
    assert check(configuration) == []
    assert configuration.clients[2].flat_fee is not None


def test_text_stays_text() -> None:
    configuration = read_configuration(SMALL)
    assert configuration.ledger.company_id == "0042"
    assert configuration.clients[0].client == "NO"
    assert configuration.clients[0].customer.id == "007"
    assert configuration.rates.rules[0].amount == Decimal("1234567890.10")
    assert configuration.rounding.increment_seconds == 900
    assert not configuration.billable.approved_only


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (SMALL + "book: again\n", "stands here twice"),
        (SMALL + "extra: 1\n", "unknown fields: extra"),
        (SMALL.replace("USD", "XAU"), "currency"),
        (SMALL.replace("Oslo", "Nowhere"), "not an IANA time zone"),
        (SMALL.replace("amount: 1234567890.10", "amount: lots"), "rates.rules.0.amount"),
        ("a: [", "not readable as YAML"),
        ("- 1", "mapping of named fields"),
        ("? [a]\n: 1", "not text"),
        ("!!python/object:os.system {}", "not readable as YAML"),
        ("x" * (CHARACTERS_MAX + 1), "longer than"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, words: str) -> None:
    with pytest.raises(ConfigurationInvalid) as raised:
        read_configuration(text)
    assert words in str(raised.value)
