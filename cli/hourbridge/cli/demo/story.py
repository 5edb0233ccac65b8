"""What happens in the demonstration, step by step, each one checked."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from hourbridge.cli.client import AdminClient
from hourbridge.cli.commands.billing import run_billing
from hourbridge.cli.commands.imports import run_import
from hourbridge.cli.commands.journal import examine, has_problems
from hourbridge.cli.commands.reconciling import open_discrepancies, repair_all
from hourbridge.cli.demo import firm
from hourbridge.cli.demo.sample import (
    CORRECTED_AT,
    EXPORTED_AT,
    Row,
    build_sample,
    write_rows,
)
from hourbridge.cli.demo.world import DemoWorld
from hourbridge.common.errors import HourbridgeError

THROUGH = "2026-03-31"
STEP_SECONDS_MAX = 120


class DemoFailed(HourbridgeError):
    """A step of the demonstration did not come out as it must."""

    code = "demo_failed"
    advice = "Run again with HOURBRIDGE_LOG_LEVEL=info and report what you see."


class Story:
    """Tells the story in one world."""

    def __init__(self, world: DemoWorld, console: Console) -> None:
        self._world = world
        self._console = console
        self._table = Table(title="What happened", title_justify="left")
        for column in ("step", "what", "result"):
            self._table.add_column(column, overflow="fold")
        self._started = time.monotonic()

    @property
    def _client(self) -> AdminClient:
        if self._world.client is None:
            raise DemoFailed("the services are not started")
        return self._world.client

    def tell(self) -> str:
        """Run all steps; return the last line. Raises DemoFailed or what a service refused."""
        sample = build_sample()
        self._apply_mapping(with_late_task=False)
        outcomes = self._import("export.csv", sample.export, EXPORTED_AT)
        _expect(outcomes.get("rejected"), sample.malformed, "rejected rows")
        self._bill("first billing run")
        self._release_parked()
        self._bill("billing run for what was parked")
        self._import("corrections.csv", sample.corrections, CORRECTED_AT)
        self._wait_for_credits()
        self._bill("billing run after corrections")
        again = self._import("export.csv again", sample.export, EXPORTED_AT)
        _expect(again.get("accepted", 0), 0, "records accepted from an old file")
        self._expect_discrepancies({}, "after posting")
        self._disturb_the_ledger()
        self._expect_discrepancies({"target_edit": 1, "target_deleted": 1}, "after strangers")
        repaired = repair_all(self._client, open_discrepancies(self._client, firm.BOOK))
        self._note("repair", "both documents put back as posted", len(repaired))
        self._wait_posted()
        self._expect_discrepancies({}, "after repair")
        self._export_the_journal()
        return self._last_line()

    # --- steps ------------------------------------------------------------------------------

    def _apply_mapping(self, *, with_late_task: bool) -> None:
        document = json.dumps(firm.configuration(with_late_task=with_late_task)).encode()
        answer = self._client.post("mapper", "/v1/mappings/apply", content=document)
        self._note("mapping", "book configuration applied", f"version {answer['version']}")

    def _import(self, name: str, rows: list[Row], as_of: str) -> dict[str, int]:
        path = self._world.folder / name.replace(" ", "-")
        write_rows(rows, path)
        query = {
            "book": firm.BOOK,
            "source": firm.SOURCE,
            "profile": "generic_csv",
            "mode": "append",
            "as_of": as_of,
            "filename": path.name,
        }
        summary = run_import(self._client, path, query, show_progress=True)
        outcomes: dict[str, int] = summary["outcomes"]
        shown = ", ".join(f"{outcome} {count}" for outcome, count in outcomes.items() if count)
        self._note("import", f"{name}, {len(rows)} rows", shown)
        return outcomes

    def _bill(self, what: str) -> None:
        run = run_billing(self._client, firm.BOOK, THROUGH, wait_seconds=STEP_SECONDS_MAX)
        if run["state"] == "failed":
            raise DemoFailed(f"{what} failed", run=run["run_id"])
        self._wait_posted()
        self._note("bill", what, f"{run.get('documents', 0)} documents")

    def _release_parked(self) -> None:
        parked = self._parked()
        _expect(bool(parked), True, "something parked for the missing mapping")
        self._apply_mapping(with_late_task=True)
        self._wait("parked records to go on by themselves", lambda: not self._parked())
        self._note("release", "parked for a missing task mapping", f"{len(parked)} went on")

    def _wait_for_credits(self) -> None:
        self._wait("credit memos for shortened and deleted entries", lambda: self._credits())
        self._wait_posted()
        credits = self._credits()
        total = sum((Decimal(row["total"]) for row in credits), Decimal(0))
        result = f"{len(credits)} credit memos, {total}"
        self._note("correct", "entries changed after posting", result)

    def _disturb_the_ledger(self) -> None:
        invoices = [row for row in self._documents("posted") if row["kind"] == "invoice"]
        edited, deleted = invoices[3], invoices[-3]
        number = edited["number"]
        change = {
            "action": "edit_line",
            "number": number,
            "line": 1,
            "changes": {"UnitPrice": 1},
        }
        self._world.somebody_in_the_ledger(change)
        self._world.somebody_in_the_ledger({"action": "delete", "number": deleted["number"]})
        numbers = f"{edited['number']} edited, {deleted['number']} deleted"
        self._note("strangers", "somebody works in the ledger", numbers)

    def _expect_discrepancies(self, wanted: dict[str, int], when: str) -> None:
        self._client.post("reconciler", f"/v1/books/{firm.BOOK}/reconcile", {})
        causes: dict[str, int] = {}
        for row in open_discrepancies(self._client, firm.BOOK):
            causes[row["cause"]] = causes.get(row["cause"], 0) + 1
        _expect(causes, wanted, f"discrepancies {when}")
        shown = ", ".join(f"{cause} {count}" for cause, count in causes.items()) or "none"
        self._note("reconcile", f"discrepancies {when}", shown)

    def _export_the_journal(self) -> None:
        folder = Path("build", "demo")
        folder.mkdir(parents=True, exist_ok=True)
        answer = examine(self._client, firm.BOOK, folder)
        if has_problems(answer):
            raise DemoFailed("the journal is wrong", folder=folder)
        told = ", ".join(f"{row['program']}: {row['result']}" for row in answer["programs"])
        entries = f"{answer['entries']} balanced entries"
        self._note("journal", f"double entry exported to {folder}", f"{entries}; {told}")

    def _last_line(self) -> str:
        report = self._client.get("reconciler", f"/v1/books/{firm.BOOK}/reports/status")
        documents = self._documents(None)
        posted = [row for row in documents if row["status"] == "posted"]
        self._console.print(self._table)
        return (
            f"demo: OK records={report['records']} charges={report['charges']} "
            f"documents={len(documents)} posted={len(posted)} "
            f"unbilled_hours={report['unbilled_hours']} "
            f"discrepancies={report['open_discrepancies']}"
        )

    # --- looking ----------------------------------------------------------------------------

    def _documents(self, status: str | None) -> list[dict[str, Any]]:
        path = f"/v1/books/{firm.BOOK}/documents"
        answer = self._client.get("poster", path, status=status, limit=1000)
        rows: list[dict[str, Any]] = answer["documents"]
        return rows

    def _credits(self) -> list[dict[str, Any]]:
        return [row for row in self._documents(None) if row["kind"] == "credit_memo"]

    def _parked(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._client.get(
            "mapper", "/v1/parked", book=firm.BOOK, limit=1000
        )["parked"]
        return rows

    def _wait_posted(self) -> None:
        self._wait("documents to be posted", lambda: not self._documents("posting"))
        parked = self._documents("parked")
        if parked:
            raise DemoFailed("a document was parked", document=parked[0]["document_id"])

    def _wait(self, what: str, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + STEP_SECONDS_MAX
        with self._console.status(f"waiting for {what}"):
            while not condition():
                if time.monotonic() > deadline:
                    raise DemoFailed(f"waited {STEP_SECONDS_MAX} s in vain for {what}")
                time.sleep(0.2)

    def _note(self, step: str, what: str, result: Any) -> None:
        self._table.add_row(step, what, str(result))
        elapsed = time.monotonic() - self._started
        line = f"[{elapsed:5.1f} s] {step}: {what}: {result}"
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


def _expect(found: Any, wanted: Any, what: str) -> None:
    if found != wanted:
        raise DemoFailed(f"{what}: expected {wanted}, found {found}")
