"""The journal in hledger's format: passes ``hledger check --strict``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hourbridge.billing.journal.entries import JournalEntry
from hourbridge.billing.journal.presentation import (
    Declarations,
    Price,
    amount_text,
    amounts_of,
    facts_of,
    one_line,
    price_of,
    sample_text,
    title_of,
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
    yield from map(_price, declared.prices)
    told = set(declared.prices)
    for entry in entries:
        price = price_of(entry)
        if price is not None and price not in told:
            told.add(price)
            yield _price(price)
        yield _transaction(entry)


def _price(price: Price) -> str:
    value = decimal_text(price.value)
    return f"\nP {price.day} {price.currency} {value} {price.price_currency}\n"


def _transaction(entry: JournalEntry) -> str:
    code = _title(entry.number)
    title = " | ".join(filter(None, (_title(entry.party), _title(_words(entry)))))
    lines = [f"\n{entry.entry_date} * ({code}) {title}"]
    lines += [f"{_INDENT}; {name}: {_tag(value)}" for name, value in facts_of(entry).items()]
    for shown in amounts_of(entry):
        line = f"{_INDENT}{shown.account}  {amount_text(shown.amount, shown.currency)}"
        line += f" {shown.currency}"
        if shown.total_price is not None:
            price = amount_text(shown.total_price, shown.price_currency)
            line += f" @@ {price} {shown.price_currency}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def _words(entry: JournalEntry) -> str:
    memo = one_line(entry.memo)
    return f"{title_of(entry)} - {memo}" if memo else title_of(entry)


def _title(text: str) -> str:
    return one_line(text.translate(_IN_TITLES))


def _tag(text: str) -> str:
    return one_line(text.translate(_IN_TAGS))
