"""``POST /v1/imports``: a file in, a line of JSON per batch out, the summary as the last line."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from hourbridge.common.errors import HourbridgeError
from hourbridge.common.runtime.admin import NotFound, Role, json_response, require
from hourbridge.common.store.engine import Store
from hourbridge.ingestor.http_bodies import save_body, validated
from hourbridge.ingestor.imports import runs
from hourbridge.ingestor.imports.importer import Importer
from hourbridge.ingestor.imports.job import Job
from hourbridge.ingestor.imports.options import ImportOptions

NDJSON = "application/x-ndjson"


class ImportApi:
    """The functions behind the routes."""

    def __init__(self, store: Store, importer: Importer, *, file_bytes_max: int) -> None:
        self._store = store
        self._importer = importer
        self._file_bytes_max = file_bytes_max

    def routes(self) -> list[Route]:
        """Return all routes."""
        return [
            Route("/v1/imports", self._post, methods=["POST"]),
            Route("/v1/imports/{reading_id}", self._show),
            Route("/v1/imports/{reading_id}/rejected", self._rejected),
        ]

    async def _post(self, request: Request) -> Response:
        """Survey the file, then import it while the answer is read; what is wrong comes first."""
        actor = require(request, Role.OPERATOR)
        options = validated(ImportOptions, dict(request.query_params))
        scratch = tempfile.TemporaryDirectory(prefix="hb-import-")
        try:
            path = Path(scratch.name) / "received"
            await save_body(request, path, self._file_bytes_max)
            job = await run_in_threadpool(self._open, path, options, actor.name)
        except BaseException:
            scratch.cleanup()
            raise
        return StreamingResponse(self._lines(job, scratch), media_type=NDJSON)

    def _open(self, path: Path, options: ImportOptions, actor: str) -> Job:
        return self._importer.open(path, options, actor=actor, scratch=path.parent)

    def _lines(self, job: Job, scratch: tempfile.TemporaryDirectory[str]) -> Iterator[bytes]:
        with scratch:
            try:
                for line in self._importer.run(job):
                    yield to_json(line) + b"\n"
            except HourbridgeError as error:  # the status is sent already: say it in a line
                yield to_json(_error_line(job, error)) + b"\n"

    def _show(self, request: Request) -> Response:
        require(request, Role.VIEWER)
        return json_response(self._run(request))

    def _run(self, request: Request) -> dict[str, Any]:
        reading_id = request.path_params["reading_id"]
        with self._store.transaction() as connection:
            found = runs.get(connection, reading_id)
        if found is None:
            raise NotFound("no such import", reading_id=reading_id)
        return found

    def _rejected(self, request: Request) -> Response:
        """Return the rejected rows as they were, with row number and reasons in front."""
        require(request, Role.VIEWER)
        run = self._run(request)
        with self._store.transaction() as connection:
            rows = runs.rejected(connection, run["reading_id"])
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["row", "reasons", *run["header"]])
        for row in rows:
            writer.writerow([row["row_number"], _reasons_text(row["reasons"]), *row["cells"]])
        return Response(text.getvalue(), media_type="text/csv; charset=utf-8")


def _reasons_text(reasons: list[dict[str, str]]) -> str:
    return "; ".join(f"{each['field']}: {each['code']} ({each['detail']})" for each in reasons)


def _error_line(job: Job, error: HourbridgeError) -> dict[str, Any]:
    return {
        "kind": "error",
        "reading_id": job.reading_id,
        "error": error.code,
        "what": error.what,
        "advice": error.remedy,
    }
