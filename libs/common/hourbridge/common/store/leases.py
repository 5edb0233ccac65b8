"""Leases with fencing numbers: one worker at a time, also when a former one wakes up late."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from hourbridge.common.errors import HourbridgeError
from hourbridge.common.store.engine import Store

_ACQUIRE = text(
    """
    INSERT INTO lease (name, holder, fencing, expires_at)
    VALUES (:name, :holder, 1, now() + make_interval(secs => :ttl_seconds))
    ON CONFLICT (name) DO UPDATE SET
        holder = excluded.holder, fencing = lease.fencing + 1, expires_at = excluded.expires_at
        WHERE lease.expires_at <= now() OR lease.holder = excluded.holder
    RETURNING fencing
    """
)
_RENEW = text(
    "UPDATE lease SET expires_at = now() + make_interval(secs => :ttl_seconds) "
    "WHERE name = :name AND holder = :holder AND fencing = :fencing AND expires_at > now()"
)
_RELEASE = text(
    "UPDATE lease SET expires_at = now() "
    "WHERE name = :name AND holder = :holder AND fencing = :fencing"
)
_HOLDS = text(
    "SELECT 1 FROM lease WHERE name = :name AND holder = :holder AND fencing = :fencing "
    "AND expires_at > now() FOR SHARE"
)


class LeaseLost(HourbridgeError):
    """Another worker took over; whatever was computed under the lease must not be stored."""

    code = "lease_lost"
    advice = "None needed; the present holder does the work."


@dataclass(frozen=True)
class Lease:
    """A lease held; ``fencing`` grows with every change of holder."""

    name: str
    holder: str
    fencing: int


class Leases:
    """The leases of one schema, as seen by one holder."""

    def __init__(self, store: Store, holder: str) -> None:
        self._store = store
        self._holder = holder

    def acquire(self, name: str, *, ttl_seconds: float) -> Lease | None:
        """Return the lease, or None while somebody else holds it."""
        with self._store.transaction() as connection:
            fencing = connection.execute(
                _ACQUIRE, {"name": name, "holder": self._holder, "ttl_seconds": ttl_seconds}
            ).scalar()
        return None if fencing is None else Lease(name, self._holder, fencing)

    def renew(self, lease: Lease, *, ttl_seconds: float) -> bool:
        """Prolong the lease; False when it was lost."""
        with self._store.transaction() as connection:
            result = connection.execute(
                _RENEW,
                {
                    "name": lease.name,
                    "holder": lease.holder,
                    "fencing": lease.fencing,
                    "ttl_seconds": ttl_seconds,
                },
            )
            return result.rowcount == 1

    def release(self, lease: Lease) -> None:
        """Give the lease up early."""
        with self._store.transaction() as connection:
            connection.execute(
                _RELEASE,
                {"name": lease.name, "holder": lease.holder, "fencing": lease.fencing},
            )


def ensure_held(connection: Connection, lease: Lease) -> None:
    """Raise LeaseLost unless the lease is still ours in this transaction (the fence)."""
    held = connection.execute(
        _HOLDS, {"name": lease.name, "holder": lease.holder, "fencing": lease.fencing}
    ).scalar()
    if held is None:
        raise LeaseLost("the lease was taken over", lease=lease.name, fencing=lease.fencing)
