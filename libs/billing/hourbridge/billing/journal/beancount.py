"""The journal in beancount's format: passes ``bean-check``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hourbridge.billing.journal.entries import JournalEntry
from hourbridge.billing.journal.presentation import (
    Declarations,
    Price,
    facts_of,
    half_unit_text,
    one_line,
    posting_lines,
    title_of,
    told_in_order,
)
from hourbridge.common.money import decimal_text

_INDENT = " " * 2
_NOT_IN_LINKS = re.compile(r"[^A-Za-z0-9._/-]+")


def to_beancount(entries: Iterable[JournalEntry], declared: Declarations) -> Iterator[str]:
    """Yield the journal piece by piece. Entries come in the order of their dates.

    Our ids are metadata, the kind of document a tag, its number and the numbers of what it
    settles links.
    """
    yield _quoted_option("title", declared.book)
    if declared.base_currency:
        yield _quoted_option("operating_currency", declared.base_currency)
    yield from (_tolerance(name) for name in declared.currencies)
    yield from (f"{declared.first_day} commodity {name}\n" for name in declared.currencies)
    yield from (f"{declared.first_day} open {name}\n" for name in declared.accounts)
    yield from told_in_order(entries, declared.prices, _price, _transaction)


def _quoted_option(name: str, value: str) -> str:
    return f"option {_quoted(name)} {_quoted(value)}\n"


def _tolerance(currency: str) -> str:
    """Return the option that says what sums may be off: half of the smallest unit.

    beancount infers it from decimals, and so finds none where a currency has none.
    """
    return _quoted_option("inferred_tolerance_default", f"{currency}:{half_unit_text(currency)}")


def _price(price: Price) -> str:
    value = decimal_text(price.value)
    return f"\n{price.day} price {price.currency} {value} {price.price_currency}\n"


def _transaction(entry: JournalEntry) -> str:
    tags = [f"#{entry.kind.value}"] + [f"#{entry.purpose}"] * bool(_is_tag(entry.purpose))
    links = [f"^{_link(number)}" for number in dict.fromkeys((entry.number, *entry.settles))]
    head = [str(entry.entry_date), "*", _quoted(entry.party), _quoted(title_of(entry))]
    lines = ["\n" + " ".join([*head, *tags, *links])]
    facts = facts_of(entry) | ({"memo": entry.memo} if entry.memo else {})
    lines += [f"{_INDENT}{name}: {_quoted(value)}" for name, value in facts.items()]
    lines += posting_lines(entry, _INDENT)
    return "\n".join(lines) + "\n"


def _is_tag(text: str | None) -> bool:
    return bool(text) and not _NOT_IN_LINKS.search(text or "")


def _link(number: str) -> str:
    return _NOT_IN_LINKS.sub("-", number)


def _quoted(text: str) -> str:
    escaped = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
