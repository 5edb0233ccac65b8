"""JSON whose numbers stay exact: decimals are read as Decimal and written digit by digit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from json.encoder import encode_basestring
from typing import Any


def loads(text: str | bytes) -> Any:
    """Return the parsed document with every fractional number as Decimal.

    Raises ValueError for anything that is not JSON, NaN and Infinity included.
    """
    try:
        return json.loads(text, parse_float=_exact, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def dumps(value: Any) -> str:
    """Return compact JSON text; Decimal becomes a plain number, a binary float is refused."""
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts)


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:40]} is beyond any number") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _write(value: Any, parts: list[str]) -> None:
    if isinstance(value, str):
        parts.append(encode_basestring(value))
    elif value is None or isinstance(value, bool):
        parts.append({None: "null", True: "true", False: "false"}[value])
    elif isinstance(value, int):
        parts.append(str(value))
    elif isinstance(value, Decimal):
        parts.append(_number(value))
    elif isinstance(value, Mapping):
        _write_object(value, parts)
    elif isinstance(value, list | tuple):
        _write_array(value, parts)
    else:
        raise TypeError(f"{type(value).__name__} has no exact JSON form")


def _number(value: Decimal) -> str:
    if not value.is_finite():
        raise TypeError(f"{value} has no JSON form")
    return format(value, "f")


def _write_object(value: Mapping[Any, Any], parts: list[str]) -> None:
    separator = "{"
    for name, member in value.items():
        parts.append(f"{separator}{encode_basestring(str(name))}:")
        _write(member, parts)
        separator = ","
    parts.append("}" if value else "{}")


def _write_array(value: list[Any] | tuple[Any, ...], parts: list[str]) -> None:
    separator = "["
    for member in value:
        parts.append(separator)
        _write(member, parts)
        separator = ","
    parts.append("]" if value else "[]")
