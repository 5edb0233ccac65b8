"""What has no counterpart in the ledger, and what work waits for that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from hourbridge.common.book.lists import TARGETS
from hourbridge.matching.auditing.findings import AuditFinding, subject
from hourbridge.matching.entry import LEDGER, Entry, EntryKey

_AREA = "links"
_NEEDED = frozenset({"client", "staff", "labor_code", "task", "expense_code"})
"""Without a counterpart nothing of them is posted; work of projects goes to the customer."""


def missing_links(
    entries: Iterable[Entry], linked: frozenset[EntryKey], ruled: Mapping[str, frozenset[str]]
) -> Iterator[AuditFinding]:
    """Yield active entries of trackers that neither a link nor a rule leads anywhere.

    ``ruled`` are the names and ids, by list, that rules of the mapping name.
    """
    for entry in entries:
        if entry.side == LEDGER or not entry.is_usable or entry.is_synthetic or entry.is_blocked:
            continue
        if entry.list_name not in TARGETS or entry.key in linked:
            continue
        known = ruled.get(entry.list_name, frozenset())
        if known & {entry.entry_id, entry.label, entry.name}:
            continue
        is_needed = entry.list_name in _NEEDED
        yield AuditFinding(
            "not_linked",
            "warning" if is_needed else "note",
            _AREA,
            subject(entry),
            "nothing in the ledger stands for it, nor does a rule of the mapping name it",
            "Link it, let it be created by a rule of its list, or block it.",
        )


def waiting_work(waits_for: Mapping[str, int]) -> Iterator[AuditFinding]:
    """Yield what records wait for now: keys such as ``client:Acme``, with how many records."""
    for key, count in sorted(waits_for.items(), key=lambda item: (-item[1], item[0])):
        kind, _, name = key.partition(":")
        yield AuditFinding(
            "work_waits",
            "error",
            "work that waits",
            key,
            f"{count} record{'s' if count > 1 else ''} can't be posted: no rule or link for "
            f"the {kind} {name!r}",
            "Link it or give it a rule; the records go on by themselves.",
        )
