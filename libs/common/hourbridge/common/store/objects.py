"""Content-addressed object store in PostgreSQL: large bodies, files and receipts, by reference."""

from __future__ import annotations

from sqlalchemy import Connection, text

from hourbridge.common.errors import HourbridgeError
from hourbridge.common.ids import content_hash

SCHEMA = "objects"
_PUT = text(
    "INSERT INTO objects.object (sha256, content_type, content) "
    "VALUES (:sha256, :content_type, :content) ON CONFLICT (sha256) DO NOTHING"
)
_GET = text("SELECT content FROM objects.object WHERE sha256 = :sha256")


class ObjectMissing(HourbridgeError):
    """A reference leads to nothing: the retention has passed or the database was restored."""

    code = "object_missing"
    advice = "Ask the source for the original again."


def put(connection: Connection, content: bytes, content_type: str) -> str:
    """Keep ``content`` in the caller's transaction; return ``sha256:<hex>``. Idempotent."""
    digest = content_hash(content)
    connection.execute(_PUT, {"sha256": digest, "content_type": content_type, "content": content})
    return f"sha256:{digest}"


def get(connection: Connection, reference: str) -> bytes:
    """Return what ``reference`` (its ``#...`` suffix aside) leads to; raise ObjectMissing."""
    digest = reference.removeprefix("sha256:").partition("#")[0]
    content = connection.execute(_GET, {"sha256": digest}).scalar()
    if content is None:
        raise ObjectMissing("no object of this content address", reference=reference)
    return bytes(content)
