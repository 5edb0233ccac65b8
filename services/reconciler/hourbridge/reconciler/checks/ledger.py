"""Documents against the ledger: each posted document field by field, and what is only there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text

from hourbridge.common.book import LedgerReference
from hourbridge.common.clock import Clock
from hourbridge.common.messages.events import DocumentKind
from hourbridge.common.store.engine import Store
from hourbridge.connectors.ledger import Ledger
from hourbridge.reconciler.causes import LEDGER_CAUSES, Cause, Checked, Finding
from hourbridge.reconciler.checks.ledger_only import Stranger, in_flight, strangers
from hourbridge.reconciler.checks.scope import Scope
from hourbridge.reconciler.compare import Difference, FoundDocument
from hourbridge.reconciler.judging import judge
from hourbridge.reconciler.posted import Posted, as_found, posted_again, posted_documents
from hourbridge.reconciler.read_back import Target, read_back

_MOVING = text(
    "SELECT document_id FROM seen_document WHERE book = :book "
    "AND ledger_connection = :connection AND status NOT IN ('posted', 'withdrawn')"
)


@dataclass(frozen=True)
class LedgerOutcome:
    """What reading one ledger back led to."""

    checked: Checked
    documents_read: int
    closed_through: date | None


class LedgerCheck:
    """Compares one ledger with the documents that one book posted to it."""

    def __init__(
        self, store: Store, ledger: Ledger, *, scope: Scope, target: Target, clock: Clock
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._scope = scope
        self._target = target
        self._clock = clock
        self._ids: dict[tuple[str, str], str | None] = {}

    def run(self, already_open: set[str]) -> LedgerOutcome:
        """Read the ledger back, compare, and check every suspicion a second time.

        Raises LedgerError when the ledger can't be read; nothing is concluded then.
        """
        read = read_back(
            self._store,
            self._ledger,
            self._target,
            today=self._scope.now.date(),
            margin_days=self._scope.settings.ledger_margin_days,
        )
        undecided = self._moving()
        suspects, only_there = self._suspects(), self._strangers()
        if any(finding.discrepancy_id not in already_open for finding in suspects.values()) or any(
            self._stranger_finding(each).discrepancy_id not in already_open for each in only_there
        ):
            self._clock.sleep(self._scope.settings.recheck_seconds)
        findings, moved = self._confirmed(suspects)
        findings += self._confirmed_strangers(only_there)
        checked = self._scope.checked(
            f"ledger:{self._target.binding.connection}", LEDGER_CAUSES, findings
        )
        return LedgerOutcome(
            Checked(checked.scope, checked.causes, checked.findings, undecided | moved),
            read,
            self._ledger.closed_through(),
        )

    def _moving(self) -> frozenset[str]:
        """Return documents on their way: whatever the ledger holds of them is right or wrong."""
        with self._store.transaction() as connection:
            parameters = {
                "book": self._scope.book,
                "connection": self._target.binding.connection,
            }
            moving = set(connection.execute(_MOVING, parameters).scalars())
            return frozenset(moving | in_flight(connection, self._scope, self._target))

    def _suspects(self) -> dict[str, Finding]:
        suspects: dict[str, Finding] = {}
        after = ""
        while page := self._page(after):
            for posted in page:
                finding = self._judge(posted, posted.found(), posted.row["found_edit_token"])
                if finding is not None and len(suspects) < self._scope.settings.findings_max:
                    suspects[posted.document_id] = finding
            after = page[-1].document_id
        return suspects

    def _page(self, after: str) -> Sequence[Posted]:
        with self._store.transaction() as connection:
            return posted_documents(
                connection,
                self._scope.book,
                self._target.binding.connection,
                self._target.run_id,
                after,
            )

    def _confirmed(self, suspects: Mapping[str, Finding]) -> tuple[list[Finding], frozenset[str]]:
        """Read suspects again by id: return what stays wrong, and what moved meanwhile."""
        with self._store.transaction() as connection:
            now = posted_again(
                connection, self._scope.book, self._target.binding.connection, list(suspects)
            )
        findings = []
        for document_id in sorted(suspects):
            posted = now.get(document_id)
            finding = self._judge_again(posted) if posted else None
            if finding is not None:
                findings.append(finding)
        return findings, frozenset(set(suspects) - set(now))

    def _judge_again(self, posted: Posted) -> Finding | None:
        if posted.ledger_id is None:
            return self._judge(posted, None, None)
        again = self._ledger.read(posted.kind, posted.ledger_id)
        return self._judge(posted, as_found(again), again.edit_token if again else None)

    def _judge(
        self, posted: Posted, found: FoundDocument | None, edit_token: str | None
    ) -> Finding | None:
        if posted.ledger_id is None:
            return _finding(
                self._scope.book, posted, Difference(Cause.TARGET_MISSING, -posted.total)
            )
        touched = edit_token is None or edit_token != posted.row["edit_token"]
        expected = posted.expected(
            self._resolve,
            is_touched=touched and found is not None,
            found=found.stated if found else None,
        )
        difference = judge(expected, found)
        return None if difference is None else _finding(self._scope.book, posted, difference)

    def _resolve(self, kind: str, reference: LedgerReference) -> str | None:
        if reference.id is not None:
            return reference.id
        key = (kind, reference.key)
        if key not in self._ids:
            entity = self._ledger.resolve(kind, reference)
            self._ids[key] = entity.ledger_id if entity else None
        return self._ids[key]

    def _strangers(self) -> list[Stranger]:
        with self._store.transaction() as connection:
            return strangers(connection, self._scope, self._target)

    def _confirmed_strangers(self, found: Sequence[Stranger]) -> list[Finding]:
        """Return strangers that the ledger still holds and that did not become ours meanwhile."""
        if not found:
            return []
        still = {each.subject for each in self._strangers()}
        return [
            self._stranger_finding(each)
            for each in found
            if each.subject in still
            and self._ledger.read(DocumentKind(each.kind), each.ledger_id) is not None
        ]

    def _stranger_finding(self, stranger: Stranger) -> Finding:
        return stranger.finding(self._scope.book)


def _finding(book: str, posted: Posted, difference: Difference) -> Finding:
    detail: dict[str, Any] = {
        "number": posted.number,
        "kind": posted.kind,
        "ledger_id": posted.ledger_id,
        "fields": [
            {"field": item.field, "expected": item.expected, "found": item.found}
            for item in difference.fields
        ],
    }
    if difference.explained_by:
        detail["explained_by"] = difference.explained_by
    return Finding(
        book,
        difference.cause,
        posted.document_id,
        expected=_words(difference, "expected") or f"{posted.number}, total {posted.total}",
        found=_words(difference, "found") or difference.cause.removeprefix("target_"),
        difference_amount=difference.amount,
        currency=posted.base_currency if difference.is_in_base else posted.currency,
        client=posted.client,
        period=posted.period,
        detail=detail,
    )


def _words(difference: Difference, side: str) -> str:
    return ", ".join(f"{item.field} {getattr(item, side)}" for item in difference.fields)
