"""Derived identifiers: whatever decides duplicates is computed, never drawn at random."""

from __future__ import annotations

import hashlib
import uuid

_NAMESPACE = uuid.UUID("6f1c9a52-6f0e-5c53-9d3e-2f1b8d4f7a10")
_SEPARATOR = "\x1f"


def _joined(parts: tuple[str, ...]) -> str:
    """Return one text for ``parts`` such that no two different tuples give the same."""
    escaped = (part.replace("\x1e", "\x1e\x1e").replace("\x1f", "\x1e\x1f") for part in parts)
    return _SEPARATOR.join(escaped)


def derive_id(*parts: str) -> str:
    """Return a UUID text (36 characters) that depends on ``parts`` alone, order included."""
    return str(uuid.uuid5(_NAMESPACE, _joined(parts)))


def derive_key(*parts: str, length: int = 32) -> str:
    """Return ``length`` (at most 64) hexadecimal characters of SHA-256 over ``parts``."""
    return hashlib.sha256(_joined(parts).encode()).hexdigest()[:length]


def content_hash(content: bytes) -> str:
    """Return the full SHA-256 of ``content`` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def random_id() -> str:
    """Return a fresh UUID for things that never decide duplicates (attempts, holders, traces)."""
    return str(uuid.uuid4())
