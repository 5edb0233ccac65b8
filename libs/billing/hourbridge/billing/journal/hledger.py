"""The journal in hledger's format: passes ``hledger check --strict``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hourbridge.billing.journal.entries import JournalEntry
from hourbridge.billing.journal.presentation import (
    Declarations,
    Price,
    facts_of,
    one_line,
    posting_lines,
    sample_text,
    title_of,
    told_in_order,
)
from hourbridge.common.money import decimal_text

_INDENT = " " * 4
_IN_TAGS = str.maketrans(dict.fromkeys(",:;[]", " "))
"""What ends a tag or begins a date inside of comments."""
_IN_TITLES = str.maketrans(dict.fromkeys(";|()", " "))


def to_hledger(entries: Iterable[JournalEntry], declared: Declarations) -> Iterator[str]:
    """Yield the journal piece by piece. Entries come in the order of their dates.

    Amounts in other currencies carry their total price, so nothing is rounded on reading; our ids
    are tags of each transaction.
    """
    yield f"; Journal of the book {one_line(declared.book)}, exported by Hourbridge.\n"
    yield from (f"commodity {sample_text(name)} {name}\n" for name in declared.currencies)
    yield from (f"account {name}\n" for name in declared.accounts)
    yield from told_in_order(entries, declared.prices, _price, _transaction)


def _price(price: Price) -> str:
    value = decimal_text(price.value)
    return f"\nP {price.day} {price.currency} {value} {price.price_currency}\n"


def _transaction(entry: JournalEntry) -> str:
    code = _title(entry.number)
    title = " | ".join(filter(None, (_title(entry.party), _title(_words(entry)))))
    lines = [f"\n{entry.entry_date} * ({code}) {title}"]
    lines += [f"{_INDENT}; {name}: {_tag(value)}" for name, value in facts_of(entry).items()]
    lines += posting_lines(entry, _INDENT)
    return "\n".join(lines) + "\n"


def _words(entry: JournalEntry) -> str:
    memo = one_line(entry.memo)
    return f"{title_of(entry)} - {memo}" if memo else title_of(entry)


def _title(text: str) -> str:
    return one_line(text.translate(_IN_TITLES))


def _tag(text: str) -> str:
    return one_line(text.translate(_IN_TAGS))
