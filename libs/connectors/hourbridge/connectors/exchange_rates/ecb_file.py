"""The euro reference rates of the European Central Bank, from the files that it publishes.

``eurofxref-hist.zip`` and ``eurofxref.zip`` (CSV inside), the CSV itself, ``eurofxref-hist.xml``
and ``eurofxref-daily.xml``: which one it is shows in the content, not in the name.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from hourbridge.common.exchange_rates import PublishedRate, RatesInvalid
from hourbridge.connectors.exchange_rates.envelopes import read_envelope
from hourbridge.connectors.exchange_rates.tables import read_table

BYTES_MAX = 64 * 1024 * 1024
"""Twenty times the whole history since 1999, unpacked."""


class EcbFile:
    """A file of rates in one of the ECB's formats; others may publish in them too."""

    def __init__(self, content: bytes, *, source: str = "ecb", pivot: str = "EUR") -> None:
        self._content = content
        self._source = source
        self._pivot = pivot

    @property
    def source(self) -> str:
        """Whose rates they are."""
        return self._source

    @property
    def pivot(self) -> str:
        """The currency that they are quoted against."""
        return self._pivot

    def rates(self) -> Iterator[PublishedRate]:
        """Yield every rate of the file, each day and currency once.

        Raises RatesInvalid for other files, and for one that contradicts itself.
        """
        seen: dict[tuple[str, date], Decimal] = {}
        for rate in _read(self._content):
            key = (rate.currency, rate.rate_date)
            if rate.currency == self._pivot:
                raise RatesInvalid(f"{rate.currency} is what the others are quoted against")
            if key not in seen:
                seen[key] = rate.value
                yield rate
            elif seen[key] != rate.value:
                raise RatesInvalid(
                    f"two rates of {rate.currency} for {rate.rate_date}: "
                    f"{seen[key]} and {rate.value}"
                )


def _read(content: bytes) -> Iterator[PublishedRate]:
    if content.startswith(b"PK"):
        content = _unpacked(content)
    if content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return read_envelope(content)
    try:
        return read_table(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise RatesInvalid("neither a zip, nor XML, nor text in UTF-8") from None


def _unpacked(content: bytes) -> bytes:
    """Return the one file of an archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (member,) = archive.infolist()
            if member.file_size > BYTES_MAX:
                raise RatesInvalid(f"{member.filename} unpacks to {member.file_size} bytes")
            return archive.read(member)
    except (zipfile.BadZipFile, ValueError) as error:
        raise RatesInvalid(f"not an archive of one file: {error}") from None
