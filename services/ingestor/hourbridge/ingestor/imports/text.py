"""From the bytes of a file to text: compression, encoding, delimiter."""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, TextIO

from charset_normalizer import from_bytes

from hourbridge.common.errors import HourbridgeError

_SAMPLE_BYTES = 256 * 1024
_COPY_BYTES = 1 << 20
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LEGACY = ["cp1252", "cp1250", "utf_16_le", "utf_16_be"]
"""What is considered when a file is not UTF-8; the rest of the world's encodings must be named."""
DELIMITERS = (",", ";", "\t")


class FileUnreadable(HourbridgeError):
    """The file as a whole can't be read; nothing of it was imported."""

    code = "file_unreadable"
    advice = "Check the file and the profile's format options, then import again."


def decompress(path: Path, target: Path, *, bytes_max: int) -> Path:
    """Return ``path``, or ``target`` with its unpacked content if it is .xz or .gz.

    Raises FileUnreadable when it is damaged or unpacks to more than ``bytes_max``.
    """
    with path.open("rb") as stream:
        magic = stream.read(6)
    if magic.startswith(b"\xfd7zXZ"):
        opener: Callable[..., Any] = lzma.open
    elif magic.startswith(b"\x1f\x8b"):
        opener = gzip.open
    else:
        return path
    with opener(path, "rb") as packed, target.open("wb") as unpacked:
        _copy(packed, unpacked, bytes_max)
    return target


def _copy(packed: IO[bytes], unpacked: BinaryIO | IO[bytes], bytes_max: int) -> None:
    size = 0
    try:
        while chunk := packed.read(_COPY_BYTES):
            size += len(chunk)
            if size > bytes_max:
                raise FileUnreadable(f"unpacks to more than {bytes_max} bytes")
            unpacked.write(chunk)
    except (lzma.LZMAError, EOFError, OSError, zlib.error) as error:
        raise FileUnreadable(f"damaged compressed file: {error}") from None


def detect_encoding(path: Path) -> str:
    """Return the name of the file's encoding: by its mark, else UTF-8, else the likeliest legacy.

    Raises FileUnreadable when none of those considered fits.
    """
    with path.open("rb") as stream:
        sample = stream.read(_SAMPLE_BYTES)
    for mark, name in _BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return name
    if _is_utf8(path):
        return "utf-8"
    found = from_bytes(sample, cp_isolation=_LEGACY).best()
    if found is None:
        raise FileUnreadable("the text encoding isn't recognised; name it with `encoding`")
    return found.encoding


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_COPY_BYTES):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


@contextmanager
def open_text(path: Path, encoding: str) -> Iterator[TextIO]:
    """Open for reading with line ends left to the parser; raise FileUnreadable on bad bytes."""
    try:
        with path.open("r", encoding=encoding, newline="") as stream:
            yield stream
    except UnicodeError as error:
        raise FileUnreadable(f"not valid {encoding}: {error}") from None
    except LookupError:
        raise FileUnreadable(f"unknown encoding {encoding!r}") from None


def sniff_delimiter(header_line: str) -> str:
    """Return which delimiter a header line uses: the one found most often outside quotes."""
    counts = dict.fromkeys(DELIMITERS, 0)
    is_quoted = False
    for char in header_line:
        if char == '"':
            is_quoted = not is_quoted
        elif char in counts and not is_quoted:
            counts[char] += 1
    return max(DELIMITERS, key=lambda delimiter: counts[delimiter])


def first_line(stream: io.TextIOBase | TextIO) -> str:
    """Return the first line that isn't blank, or an empty text."""
    for line in stream:
        if line.strip():
            return str(line)
    return ""
