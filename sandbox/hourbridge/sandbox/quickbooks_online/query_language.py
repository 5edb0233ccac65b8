"""The service's query language: text to a parsed query."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from hourbridge.sandbox.quickbooks_online.refusals import bad_query, unparsable_query

PAGE_DEFAULT = 100
PAGE_MAX = 1000

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^'\\]|\\.)*')
      | (?P<operator><=|>=|=|<|>)
      | (?P<mark>[(),*])
      | (?P<word>[A-Za-z0-9_.+:\-]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_OPERATORS = ("=", "<", ">", "<=", ">=")


class Token(NamedTuple):
    """A word, operator, mark or text, with texts unescaped."""

    kind: str
    value: str


@dataclass(frozen=True)
class Condition:
    """``property operator values``; only IN has more than one value."""

    property: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """One parsed SELECT."""

    entity: str
    is_count: bool = False
    conditions: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    """(property, descending) pairs."""
    start: int = 1
    limit: int = PAGE_DEFAULT
    projection: tuple[str, ...] = ()
    """Properties to show; empty: all. Officially unsupported, yet used by the service's pages."""


def parse(text: str) -> Query:
    """Return the query in ``text``; raises 4000 for what cannot be read, 4001 for bad values."""
    return _Parser(_tokens(text)).query()


def _tokens(text: str) -> list[Token]:
    tokens, position, text = [], 0, text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise unparsable_query(f"Encountered {text[position : position + 20]!r}")
        kind = str(match.lastgroup)
        value = match.group(kind)
        if kind == "text":
            value = re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL)
        tokens.append(Token(kind, value))
        position = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def query(self) -> Query:
        self._expect("SELECT")
        is_count, projection = self._projection()
        self._expect("FROM")
        entity = self._take("word")
        conditions = self._conditions()
        order = self._order()
        start = self._number("STARTPOSITION", 1)
        limit = self._number("MAXRESULTS", PAGE_DEFAULT)
        if self._at != len(self._tokens):
            raise unparsable_query(f"Encountered {self._tokens[self._at].value!r}")
        if limit > PAGE_MAX:
            raise bad_query(f"value {limit} is too large. Max allowed value is {PAGE_MAX}")
        return Query(entity, is_count, conditions, order, start, limit, projection)

    def _projection(self) -> tuple[bool, tuple[str, ...]]:
        if self._skip("COUNT"):
            for mark in "(*)":
                self._expect(mark)
            return True, ()
        if self._skip("*"):
            while self._skip(","):  # ``*, Sku``, as python-quickbooks asks for items
                self._take("word")
            return False, ()
        names = [self._take("word")]
        while self._skip(","):
            names.append(self._take("word"))
        return False, tuple(names)

    def _conditions(self) -> tuple[Condition, ...]:
        if not self._skip("WHERE"):
            return ()
        found = [self._condition()]
        while self._skip("AND"):
            found.append(self._condition())
        return tuple(found)

    def _condition(self) -> Condition:
        name = self._take("word")
        if self._skip("IN"):
            return Condition(name, "IN", self._values())
        if self._skip("LIKE"):
            return Condition(name, "LIKE", (self._value(),))
        operator = self._take("operator")
        if operator not in _OPERATORS:
            raise unparsable_query(f"Encountered {operator!r}")
        return Condition(name, operator, (self._value(),))

    def _values(self) -> tuple[str, ...]:
        self._expect("(")
        values = [self._value()]
        while self._skip(","):
            values.append(self._value())
        self._expect(")")
        return tuple(values)

    def _order(self) -> tuple[tuple[str, bool], ...]:
        if self._skip("ORDER"):
            self._expect("BY")
        elif not self._skip("ORDERBY"):
            return ()
        found = [self._order_part()]
        while self._skip(","):
            found.append(self._order_part())
        return tuple(found)

    def _order_part(self) -> tuple[str, bool]:
        name = self._take("word")
        if self._skip("DESC"):
            return name, True
        self._skip("ASC")
        return name, False

    def _number(self, keyword: str, default: int) -> int:
        if not self._skip(keyword):
            return default
        text = self._value()
        if not text.isdigit():
            raise unparsable_query(f"{keyword} takes a number, not {text!r}")
        if int(text) < 1:
            raise bad_query(f"value {text} is too small. Min allowed value is 1")
        return int(text)

    def _value(self) -> str:
        if self._at < len(self._tokens) and self._tokens[self._at].kind in ("text", "word"):
            self._at += 1
            return self._tokens[self._at - 1].value
        raise unparsable_query("a value is missing")

    def _take(self, kind: str) -> str:
        if self._at < len(self._tokens) and self._tokens[self._at].kind == kind:
            self._at += 1
            return self._tokens[self._at - 1].value
        raise unparsable_query(f"a {kind} is missing")

    def _skip(self, expected: str) -> bool:
        if self._at >= len(self._tokens):
            return False
        token = self._tokens[self._at]
        if token.kind == "text" or token.value.upper() != expected:
            return False
        self._at += 1
        return True

    def _expect(self, expected: str) -> None:
        if not self._skip(expected):
            raise unparsable_query(f"{expected} is missing")
