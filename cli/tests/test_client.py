"""What the client makes of answers that are no success."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from hourbridge.cli.client import AdminClient, ServiceRefused, ServiceUnreachable
from hourbridge.cli.commands.billing import BillingStillWaits, run_billing
from hourbridge.cli.commands.imports import run_import
from hourbridge.cli.settings import ClientSettings


class Answers(BaseHTTPRequestHandler):
    """Answers every request with what the test has set for its path."""

    answers: ClassVar[dict[str, tuple[int, bytes]]] = {}

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            while self.rfile.readline().strip() != b"0":
                pass
            self.rfile.readline()
        else:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self._answer()

    def _answer(self) -> None:
        status, body = self.answers[self.path.partition("?")[0]]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def client() -> Iterator[AdminClient]:
    server = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    names = ("ingestor_url", "mapper_url", "poster_url", "reconciler_url")
    client = AdminClient(ClientSettings.model_validate(dict.fromkeys(names, url)))
    yield client
    client.close()
    server.shutdown()
    server.server_close()


def test_a_refusal_carries_the_service_s_code_and_advice(client: AdminClient) -> None:
    answer = {"error": "not_found", "what": "no such thing", "ids": {"id": "7"}, "advice": "Look."}
    Answers.answers = {"/x": (404, json.dumps(answer).encode())}
    with pytest.raises(ServiceRefused) as caught:
        client.get("mapper", "/x")
    error = caught.value
    assert (error.refusal, error.what, error.remedy) == ("not_found", "no such thing", "Look.")
    assert error.ids == {"id": "7", "service": "mapper"}


@pytest.mark.parametrize("body", [b"<html>bad gateway</html>", b'"text"', b""])
def test_an_answer_of_somebody_else_is_shown_as_it_is(client: AdminClient, body: bytes) -> None:
    Answers.answers = {"/x": (502, body)}
    with pytest.raises(ServiceRefused, match=body.decode() or "no body") as caught:
        client.get("mapper", "/x")
    assert caught.value.refusal == "http_502"


def test_a_wrong_token_leads_to_its_variable(client: AdminClient) -> None:
    Answers.answers = {"/x": (401, b'{"error": "not_authenticated", "what": "no token"}')}
    with pytest.raises(ServiceRefused, match="no token") as caught:
        client.get("mapper", "/x")
    assert "HOURBRIDGE_ADMIN_TOKEN" in caught.value.remedy


def test_a_service_that_is_away_is_unreachable() -> None:
    client = AdminClient(ClientSettings.model_validate({"poster_url": "http://127.0.0.1:1"}))
    with pytest.raises(ServiceUnreachable, match="service=poster"):
        client.get("poster", "/x")
    client.close()


def lines(*each: object) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in each)


def test_an_import_that_ends_with_an_error_is_one(client: AdminClient, tmp_path: Path) -> None:
    progress = {"kind": "progress", "rows_done": 1000, "rows_total": 2000}
    error = {"kind": "error", "reading_id": "r1", "error": "store_unavailable", "what": "gone"}
    Answers.answers = {"/v1/imports": (200, lines(progress, error))}
    with pytest.raises(ServiceRefused, match="gone") as caught:
        run_import(client, _file(tmp_path), {}, show_progress=False)
    assert caught.value.refusal == "store_unavailable"
    assert "goes on where it was" in caught.value.remedy


def test_an_import_without_a_summary_is_an_error(client: AdminClient, tmp_path: Path) -> None:
    Answers.answers = {"/v1/imports": (200, lines({"kind": "progress", "rows_done": 1}))}
    with pytest.raises(ServiceRefused, match="without a summary"):
        run_import(client, _file(tmp_path), {}, show_progress=False)


def test_a_billing_run_that_waits_says_for_what(client: AdminClient) -> None:
    run = {"run_id": "r1", "state": "waiting", "waits_for": "sequence:7"}
    Answers.answers = {
        "/v1/books/b/position": (200, b'{"sequence": 7}'),
        "/v1/books/b/bill": (202, json.dumps(run).encode()),
        "/v1/billing-runs/r1": (200, json.dumps(run).encode()),
    }
    with pytest.raises(BillingStillWaits, match="waits for sequence:7"):
        run_billing(client, "b", "2026-03-31", wait_seconds=0)


def _file(directory: Path) -> Path:
    file = directory / "hours.csv"
    file.write_text("a\n1\n", encoding="utf-8")
    return file
