"""Rate tables as XML: the ECB's envelope of a cube per day with a cube per currency."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from xml.etree import ElementTree

from hourbridge.common.exchange_rates import PublishedRate, RatesInvalid
from hourbridge.connectors.exchange_rates.tables import parse_value

_CUBE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"


def read_envelope(content: bytes) -> Iterator[PublishedRate]:
    """Yield the rates of an envelope; raises RatesInvalid for any other document.

    Document type declarations are refused: the ECB sends none, and entities can be made to explode.
    """
    if b"<!DOCTYPE" in content:
        raise RatesInvalid("an envelope of rates has no document type declaration")
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise RatesInvalid(f"not XML: {error}") from None
    days = [cube for cube in root.iter(_CUBE) if "time" in cube.attrib]
    if not days:
        raise RatesInvalid("not an envelope of the ECB: it holds no day of rates")
    for cube in days:
        yield from _day(cube)


def _day(cube: ElementTree.Element) -> Iterator[PublishedRate]:
    stated = cube.attrib["time"]
    try:
        day = date.fromisoformat(stated)
    except ValueError:
        raise RatesInvalid(f"{stated!r} is no date") from None
    for rate in cube.findall(_CUBE):
        currency, value = rate.get("currency"), rate.get("rate")
        if currency is None or value is None:
            raise RatesInvalid(f"{stated}: a rate without currency or value")
        yield PublishedRate(day, currency, parse_value(value, f"{stated}, {currency}"))
