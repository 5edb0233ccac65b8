"""Each rule finds what it forbids, where it forbids it, and nowhere else."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from tools.lint.__main__ import ROOT, python_files
from tools.lint.core import check, check_files, parse
from tools.lint.rules import FUNCTION_LINES_MAX, MODULE_LINES_MAX, RULES

BILLING = "libs/billing/hourbridge/billing/pricing.py"
MAPPER = "services/mapper/hourbridge/mapper/handlers.py"
CLOCK = "libs/common/hourbridge/common/clock.py"
ENGINE = "libs/common/hourbridge/common/store/engine.py"
BUS = "libs/common/hourbridge/common/bus/publisher.py"
RUNTIME = "libs/common/hourbridge/common/runtime/service.py"
TEST = "services/mapper/tests/test_handlers.py"
LONG_FUNCTION = "def long():\n" + "    x = 1\n" * FUNCTION_LINES_MAX
LONG_MODULE = "x = 1\n" * (MODULE_LINES_MAX + 1)


def codes(path: str, text: str) -> list[str]:
    return [found.code for found in check(parse(PurePosixPath(path), text), RULES)]


@pytest.mark.parametrize(
    ("code", "path", "text"),
    [
        ("HB101", BILLING, "rate = 0.5"),
        ("HB101", BILLING, "price = float(amount)"),
        ("HB101", BILLING, "total(amount=1.5)"),
        ("HB101", "libs/common/hourbridge/common/money.py", "x = 1e3"),
        ("HB101", "libs/common/hourbridge/common/messages/fields.py", "x = 1.5"),
        ("HB101", "libs/connectors/hourbridge/connectors/quickbooks_online/sales_x.py", "x = 1.5"),
        ("HB101", MAPPER, "share = hours * 0.1"),
        ("HB102", MAPPER, "datetime.now()"),
        ("HB102", MAPPER, "datetime.now(UTC)"),
        ("HB102", MAPPER, "datetime.datetime.utcnow()"),
        ("HB102", MAPPER, "date.today()"),
        ("HB102", MAPPER, "time.time()"),
        ("HB102", MAPPER, "datetime.fromtimestamp(1)"),
        ("HB102", "sandbox/hourbridge/sandbox/x.py", "time.time()"),
        ("HB103", MAPPER, "connection.commit()"),
        ("HB103", "libs/common/hourbridge/common/store/outbox.py", "connection.commit()"),
        ("HB104", MAPPER, "import pika"),
        ("HB104", MAPPER, "from kombu.transport import memory"),
        ("HB104", RUNTIME, "channel.basic_publish('', 'q', b'')"),
        ("HB105", TEST, "try:\n    x = 1\nexcept:\n    raise"),
        ("HB106", TEST, LONG_FUNCTION),
        ("HB106", MAPPER, LONG_FUNCTION.replace("def", "async def")),
        ("HB107", MAPPER, LONG_MODULE),
        ("HB108", MAPPER, "from hourbridge.poster.billing import bill"),
        ("HB108", MAPPER, "import hourbridge.ingestor"),
        ("HB108", MAPPER, "from hourbridge import reconciler"),
        ("HB108", TEST, "from hourbridge.poster import billing"),
        ("HB109", MAPPER, "assert x"),
    ],
)
def test_finds(code: str, path: str, text: str) -> None:
    assert codes(path, text) == [code]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (BILLING, "rate = Decimal('0.5')"),
        (BILLING, "timeout_seconds = 0.5"),
        (BILLING, "pause_seconds_max: float = 0.5"),
        (BILLING, "wait(timeout_seconds=0.5 * 2)"),
        (BILLING, "interval_seconds = float(settings.interval_seconds)"),
        (BILLING, "isinstance(value, float)"),
        (RUNTIME, "wait(0.5)"),
        ("services/mapper/hourbridge/mapper/metrics.py", "buckets = (0.1, 0.5)"),
        ("services/mapper/hourbridge/mapper/settings.py", "x = Field(0.5)"),
        ("services/mapper/tests/test_x.py", "x = 0.5"),
        (CLOCK, "datetime.now(UTC)"),
        (MAPPER, "clock.now()"),
        (MAPPER, "datetime.fromtimestamp(1, UTC)"),
        (MAPPER, "datetime.fromtimestamp(1, tz=UTC)"),
        (MAPPER, "time.monotonic()"),
        (TEST, "datetime.now(UTC)"),
        (ENGINE, "connection.commit()"),
        (TEST, "connection.commit()"),
        (BUS, "import pika"),
        (BUS, "channel.basic_publish('', 'q', b'')"),
        ("examples/publish.py", "import pika"),
        (MAPPER, "import pikachu"),
        (MAPPER, "try:\n    x = 1\nexcept ValueError:\n    raise"),
        (MAPPER, LONG_FUNCTION.replace("    x = 1\n", "", 1)),
        (MAPPER, LONG_MODULE.replace("x = 1\n", "", 1)),
        (MAPPER, "from hourbridge.mapper.rules import resolve"),
        (MAPPER, "from hourbridge.common import money"),
        ("cli/hourbridge/cli/main.py", "from hourbridge.poster import billing"),
        (TEST, "assert x"),
    ],
)
def test_leaves_alone(path: str, text: str) -> None:
    assert codes(path, text) == []


def test_an_allowance_with_a_reason_silences_one_rule_on_one_line() -> None:
    allowed = "x = 0.5  # lint: allow HB101 -- a probability, not money"
    assert codes(BILLING, allowed) == []
    assert codes(BILLING, f"{allowed}\ny = 0.5") == ["HB101"]
    assert codes(BILLING, allowed.replace("HB101", "HB103")) == ["HB100", "HB101"]


def test_an_allowance_without_a_reason_is_a_violation() -> None:
    assert codes(BILLING, "x = 0.5  # lint: allow HB101") == ["HB100"]


def test_an_allowance_that_nothing_needs_is_a_violation() -> None:
    assert codes(BILLING, "x = 1  # lint: allow HB101 -- once it was a float") == ["HB100"]


def test_text_that_looks_like_an_allowance_is_none() -> None:
    assert codes(BILLING, 'x = "# lint: allow HB101 -- why"') == []


def test_a_violation_says_where_and_what_instead() -> None:
    (found,) = check(parse(PurePosixPath(MAPPER), "\nimport pika"), RULES)
    assert str(found) == f"{MAPPER}:2: HB104 pika belongs to hourbridge.common.bus: use its Bus"


def test_codes_are_unique() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)


def test_this_repository_keeps_its_rules() -> None:
    assert [str(found) for found in check_files(ROOT, python_files(ROOT), RULES)] == []
