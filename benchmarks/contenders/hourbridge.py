"""Hourbridge as it is deployed: four service processes, its migrations, topology and admin API."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, create_engine, text

from benchmarks.children import Child, Children
from benchmarks.contenders.base import Finish, Progress, await_true
from benchmarks.servers import Room
from benchmarks.workload import BOOK, LAST_DAY, book_configuration
from hourbridge.common.bus.rabbit import RabbitBus
from hourbridge.common.bus.topology import SERVICES, build_topology
from hourbridge.common.store.provision import migrate_all, provision
from tests.support.processes import free_ports

_READY_SECONDS = 90
_COVERED = text("SELECT coalesce((SELECT contiguous FROM poster.position WHERE book = :book), 0)")
_SEEN = text(
    "SELECT coalesce(sum(last - first + 1), 0) FROM reconciler.sequence_range WHERE book = :book"
)
# The watermark's row is written with the charges of every batch.
_POSTER_FINISH = text(
    "SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin)) FROM poster.position "
    "WHERE book = :book"
)
_RECONCILER_FINISH = text(
    "SELECT extract(epoch FROM max(last_seen_at)) FROM reconciler.sequence_range WHERE book = :book"
)
_STAGES = text(
    "SELECT r.external_id, extract(epoch FROM pg_xact_commit_timestamp(r.xmin)), "
    "extract(epoch FROM pg_xact_commit_timestamp(m.xmin)), "
    "extract(epoch FROM pg_xact_commit_timestamp(c.xmin)) "
    "FROM ingestor.record r JOIN mapper.mapped_record m ON m.record_id = r.record_id::text "
    "JOIN poster.charge c ON c.record_id = m.record_id WHERE r.external_id LIKE :run"
)
_BILLED = text(
    "SELECT extract(epoch FROM finished_at - requested_at), result ->> 'documents' "
    "FROM poster.billing_run WHERE run_id = :run_id"
)
_UNBILLED = text("SELECT count(*) FROM poster.charge WHERE book = :book AND state = 'unbilled'")
_BILL_SECONDS = 300


class NotAllBilled(Exception):
    """A billing run left charges out."""


@dataclass(frozen=True)
class Billed:
    """What a billing run took, from the request to its end, and what it made."""

    seconds: float
    documents: int


class Hourbridge:
    """The four services."""

    name = "ours"
    dialect = "hourbridge"

    def __init__(self, room: Room, *, profiles: Path | None = None) -> None:
        self._profiles = profiles
        self.broker_url = room.broker_url
        self.database_url = room.database_url
        self.children = Children()
        self.engine: Engine = create_engine(room.database_url, isolation_level="AUTOCOMMIT")
        self._token = secrets.token_urlsafe(16)
        self._encryption_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        self._http = httpx.Client(
            headers={"Authorization": f"Bearer {self._token}"}, timeout=httpx.Timeout(600)
        )
        self._ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
        self.services: list[Child] = []
        prepare(room)

    def start(self) -> None:
        """Start the processes and wait until all are ready."""
        self.services = [self._start(service) for service in SERVICES]
        await_true(lambda: all(map(self._is_ready, SERVICES)), _READY_SECONDS)

    def configure(self) -> None:
        """Apply the book's configuration."""
        self.call("POST", "mapper", "/v1/mappings/apply", content=book_configuration().encode())

    def stop_services(self) -> None:
        """End the processes; broker and database keep what they have."""
        self.children.stop()
        self.children = Children()
        self.services = []

    def _start(self, service: str) -> Child:
        environment = {
            "HOURBRIDGE_BROKER_URL": self.broker_url,
            "HOURBRIDGE_DATABASE_URL": self.database_url,
            "HOURBRIDGE_HTTP_PORT": str(self._ports[service]),
            "HOURBRIDGE_ADMIN_TOKENS": json.dumps({self._token: "bench:administrator"}),
            "HOURBRIDGE_ENCRYPTION_KEYS": json.dumps([self._encryption_key]),
        }
        module = f"hourbridge.{service}"
        arguments = ["-m", module]
        if self._profiles is not None:
            arguments = ["-m", "benchmarks.profiled", str(self._profiles / service), module]
        return self.children.start(service, arguments, environment, output_to_log=True)

    def _is_ready(self, service: str) -> bool:
        for child in self.services:
            child.ensure_running()
        try:
            answer = self._http.get(f"http://127.0.0.1:{self._ports[service]}/readyz")
        except httpx.TransportError:
            return False
        return answer.status_code == 200

    def call(self, method: str, service: str, path: str, **arguments: Any) -> Any:
        """Call a service's admin API and return its JSON; raise on a refusal."""
        url = f"http://127.0.0.1:{self._ports[service]}{path}"
        answer = self._http.request(method, url, **arguments)
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text[:1000]}")
        return answer.json()

    def stored(self) -> Progress:
        """Return how many messages each last consumer has stored, by its own positions."""
        with self.engine.connect() as connection:
            poster = connection.execute(_COVERED, {"book": BOOK}).scalar_one()
            reconciler = connection.execute(_SEEN, {"book": BOOK}).scalar_one()
        return Progress(int(poster), int(reconciler))

    def finished_at(self, _run: str, /) -> Finish:
        """Return when the last message of the newest run was committed."""
        with self.engine.connect() as connection:
            poster = connection.execute(_POSTER_FINISH, {"book": BOOK}).scalar_one()
            reconciler = connection.execute(_RECONCILER_FINISH, {"book": BOOK}).scalar_one()
        return Finish(float(poster), float(reconciler))

    def committed_at(self, run: str) -> dict[int, tuple[float, float, float]]:
        """Return when ingestor, mapper and poster committed each entry, by the entry's number."""
        with self.engine.connect() as connection:
            rows = connection.execute(_STAGES, {"run": f"{run}-%"})
            return {
                int(external_id.rpartition("-")[2]): (float(record), float(mapped), float(charge))
                for external_id, record, mapped, charge in rows
            }

    def bill(self) -> Billed:
        """Assemble all charges into documents and return what the run took."""
        sequence = self.call("GET", "ingestor", f"/v1/books/{BOOK}/position")["sequence"]
        body = {"through": LAST_DAY.isoformat(), "sequence": sequence}
        run_id = self.call("POST", "poster", f"/v1/books/{BOOK}/bill", json=body)["run_id"]
        await_true(lambda: self._is_billed(run_id), _BILL_SECONDS)
        with self.engine.connect() as connection:
            seconds, documents = connection.execute(_BILLED, {"run_id": run_id}).one()
            unbilled = connection.execute(_UNBILLED, {"book": BOOK}).scalar_one()
        if unbilled:
            raise NotAllBilled(f"{unbilled} charges are on no document")
        return Billed(float(seconds), int(documents))

    def _is_billed(self, run_id: str) -> bool:
        found = self.call("GET", "poster", f"/v1/billing-runs/{run_id}")
        return bool(found["state"] == "completed")

    def stop(self) -> None:
        """End the processes."""
        self.children.stop()
        self._http.close()
        self.engine.dispose()


def prepare(room: Room) -> None:
    """Bring an empty room to where services can start: schemas, migrations, topology."""
    provision(room.database_url)
    migrate_all(room.database_url)
    bus = RabbitBus(room.broker_url, name="bench-topology")
    bus.apply(build_topology())
    bus.close()
