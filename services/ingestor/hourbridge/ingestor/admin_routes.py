"""The admin API: positions, API keys, conflicts, records, payloads. Each route names its role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.clock import Clock
from hourbridge.common.messages.records import RecordType
from hourbridge.common.runtime.admin import (
    Actor,
    NotFound,
    RequestInvalid,
    Role,
    json_response,
    require,
)
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.common.store.outbox import Outbox
from hourbridge.ingestor import api_keys, conflicts, deciding, history, payloads, records
from hourbridge.ingestor.announcements import announce
from hourbridge.ingestor.api_keys import Caller
from hourbridge.ingestor.http_bodies import limit_of, name_in_path, read_model


class ReleaseRequest(BaseModel):
    """Which of two contents holds; without a choice the parked one does not."""

    model_config = ConfigDict(extra="ignore")

    choice: str = "kept"
    note: str | None = None


class AdminApi:
    """The functions behind the routes."""

    def __init__(self, store: Store, outbox: Outbox, *, clock: Clock) -> None:
        self._store = store
        self._outbox = outbox
        self._clock = clock

    def routes(self) -> list[Route]:
        """Return all routes."""
        source = "/v1/books/{book}/sources/{source}"
        return [
            Route("/v1/books/{book}/position", self._position),
            Route(f"{source}/keys", self._issue_key, methods=["POST"]),
            Route(f"{source}/keys/{{key_id}}", self._revoke_key, methods=["DELETE"]),
            Route("/v1/parked", self._parked),
            Route("/v1/parked/{id:uuid}/release", self._release, methods=["POST"]),
            Route("/v1/records/{id:uuid}", self._record),
            Route(f"{source}/records/{{record_type}}/{{external_id:path}}", self._find_record),
            Route("/v1/books/{book}/records", self._named_records),
            Route("/v1/payloads/{reference:path}", self._payload),
        ]

    def _position(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        book = name_in_path(request, "book")
        with self._store.transaction() as connection:
            return json_response({"book": book, "sequence": records.position(connection, book)})

    def _issue_key(self, request: Request) -> Response:
        actor, caller = require(request, Role.ADMINISTRATOR), _caller(request)
        with self._store.transaction() as connection:
            now = self._clock.now()
            key_id, key = api_keys.issue(connection, caller=caller, actor=actor.name, now=now)
            _audit_key(connection, actor, caller, "issued", key_id)
        return json_response({"key_id": key_id, "key": key, "book": caller.book}, 201)

    def _revoke_key(self, request: Request) -> Response:
        actor, caller = require(request, Role.ADMINISTRATOR), _caller(request)
        key_id = request.path_params["key_id"]
        with self._store.transaction() as connection:
            found = api_keys.revoke(
                connection, caller=caller, key_id=key_id, actor=actor.name, now=self._clock.now()
            )
            if not found:
                raise NotFound("no such key is in force", key_id=key_id)
            _audit_key(connection, actor, caller, "revoked", key_id)
        return json_response({"revoked": key_id})

    def _parked(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        book = request.query_params.get("book")
        with self._store.transaction() as connection:
            found = conflicts.list_open(connection, book, limit_of(request))
        return json_response({"parked": [_as_parked(row) for row in found]})

    async def _release(self, request: Request) -> Response:
        actor = require(request, Role.OPERATOR)
        asked = await read_model(request, ReleaseRequest)
        conflict_id = str(request.path_params["id"])
        return await run_in_threadpool(self._decide, conflict_id, asked, actor)

    def _decide(self, conflict_id: str, asked: ReleaseRequest, actor: Actor) -> Response:
        with self._store.transaction() as connection:
            revision = deciding.decide(
                connection,
                conflict_id,
                choice=asked.choice,
                actor=actor.name,
                note=asked.note,
                now=self._clock.now(),
            )
            self._outbox.add(connection, [announce(revision)] if revision else [])
        self._outbox.try_flush()
        sequence = revision.sequence if revision else None
        return json_response(
            {"released": conflict_id, "choice": asked.choice, "sequence": sequence}
        )

    def _record(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        return self._show(str(request.path_params["id"]))

    def _find_record(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        caller = _caller(request)
        record_type = request.path_params["record_type"]
        if record_type not in [known.value for known in RecordType]:
            raise NotFound("no such record type", record_type=record_type)
        name = (caller.book, caller.source, RecordType(record_type))
        with self._store.transaction() as connection:
            record_id = history.find(connection, (*name, request.path_params["external_id"]))
        return self._show(record_id)

    def _named_records(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        book = name_in_path(request, "book")
        external_id = request.query_params.get("external_id", "").strip()
        if not external_id:
            raise RequestInvalid("external_id is the id that a source gave the record")
        source = request.query_params.get("source")
        with self._store.transaction() as connection:
            found = history.named(connection, book, external_id, source)
        return json_response({"records": found})

    def _show(self, record_id: str) -> Response:
        with self._store.transaction() as connection:
            found = history.of_record(connection, record_id)
        if found is None:
            raise NotFound("no such record", record_id=record_id)
        return json_response(found)

    def _payload(self, request: Request) -> Response:
        require(request, Role.OPERATOR)
        reference = request.path_params["reference"]
        with self._store.transaction() as connection:
            body = payloads.get(connection, reference)
        if body is None:
            raise NotFound("no payload is kept under this reference", reference=reference)
        return Response(body, media_type="application/octet-stream")


def _caller(request: Request) -> Caller:
    return Caller(name_in_path(request, "book"), name_in_path(request, "source"))


def _audit_key(connection: Any, actor: Actor, caller: Caller, what: str, key_id: str) -> None:
    audit.write(
        connection,
        actor=actor.name,
        action=f"api_key.{what}",
        subject=f"{caller.book}/{caller.source}",
        book=caller.book,
        detail={"key_id": key_id},
    )


def _as_parked(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["conflict_id"],
        "book": row["book"],
        "kind": row["record_type"],
        "subject": row["record_id"],
        "code": "conflict",
        "detail": f"version {row['order_key']} of {row['source']} was stated with two contents",
        "waits_for": f"decision:{row['conflict_id']}",
        "since": row["opened_at"],
        "stored": row["stored_state"],
        "stated": row["stated_state"],
        "raw_ref": row["raw_ref"],
    }
