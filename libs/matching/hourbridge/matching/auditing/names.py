"""Names: duplicates, near-duplicates, and what a ledger would refuse or change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from hourbridge.common.book.lists import TARGETS, LedgerList, ListName
from hourbridge.matching.auditing.findings import AuditFinding, subject, where
from hourbridge.matching.correspondence import SHARED_NAMES
from hourbridge.matching.entry import LEDGER, Entry
from hourbridge.matching.names import (
    bears_deleted,
    canonical,
    characters_max,
    refused_characters,
    tidy,
)
from hourbridge.matching.similarity import near_pairs

_AREA = "names"
_TWICE_MATTERS = frozenset({"client", "project", "staff", "vendor", "customer", "employee"})
_NEAR_LISTS = _TWICE_MATTERS
_SEVERAL = 2


def names(entries: Iterable[Entry]) -> Iterator[AuditFinding]:
    """Yield what is wrong or doubtful about the names of active entries of all sides."""
    usable = [entry for entry in entries if entry.is_usable and not entry.is_synthetic]
    lists: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in usable:
        lists[entry.side, entry.list_name].append(entry)
        yield from _form(entry)
    for (_, list_name), group in lists.items():
        if list_name in _TWICE_MATTERS:
            yield from _twice(group)
        if list_name in _NEAR_LISTS:
            yield from _near(group)
    yield from _taken_by_others(lists)


def _form(entry: Entry) -> Iterator[AuditFinding]:
    name = entry.name
    if name != tidy(name):
        yield AuditFinding(
            "spaces",
            "warning",
            _AREA,
            subject(entry),
            f"{name!r} has spaces at its ends, several in a row, or invisible characters",
            "Correct the name; ledgers trim it, and it would differ from then on.",
        )
    if entry.side == LEDGER:
        if bears_deleted(name):
            yield AuditFinding(
                "deleted_mark",
                "warning",
                _AREA,
                subject(entry),
                f"{name!r} is active, but still bears the mark of a deleted entry",
                "Take the mark off its name in the ledger.",
            )
        return
    target = _target_list(entry.list_name)
    if target is None:
        return
    refused = refused_characters(name, target)
    if refused:
        yield AuditFinding(
            "refused_characters",
            "warning",
            _AREA,
            subject(entry),
            f"the ledger refuses {', '.join(map(repr, refused))} in {name!r}",
            "Rename it, or it gets a dash instead in the ledger.",
        )
    most = characters_max(target)
    if len(tidy(name)) > most:
        yield AuditFinding(
            "too_long",
            "warning",
            _AREA,
            subject(entry),
            f"{len(name)} characters; the ledger shows {most}",
            "Shorten the name, or it is cut in the ledger.",
        )


def _target_list(list_name: str) -> LedgerList | None:
    return next((targets[0] for name, targets in TARGETS.items() if name == list_name), None)


def _twice(group: Sequence[Entry]) -> Iterator[AuditFinding]:
    by_name: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in group:
        by_name[entry.owner_id or entry.parent_id or "", canonical(entry.label)].append(entry)
    for same in by_name.values():
        if len(same) < _SEVERAL:
            continue
        ids = ", ".join(entry.entry_id for entry in same)
        is_case = len({entry.label for entry in same}) > 1
        what = "differ only in upper and lower case" if is_case else "have the same name"
        yield AuditFinding(
            "case_only" if is_case else "duplicate",
            "error",
            _AREA,
            subject(same[0]),
            f"{len(same)} entries {what}: {ids}",
            "Merge them, or make one inactive: only one can be linked.",
        )


def _near(group: Sequence[Entry]) -> Iterator[AuditFinding]:
    scopes: dict[str, dict[str, str]] = defaultdict(dict)
    by_id = {entry.entry_id: entry for entry in group}
    for entry in group:
        is_below = entry.owner_id if entry.list_name == "project" else entry.parent_id
        scopes[is_below or ""][entry.entry_id] = entry.label
    for scope in scopes.values():
        for pair in near_pairs(scope):
            one, other = by_id[pair.one], by_id[pair.other]
            if canonical(one.label) == canonical(other.label):
                continue
            yield AuditFinding(
                "near_duplicate",
                "warning",
                _AREA,
                subject(one),
                f"nearly the same as {other.words()} ({pair.percent} %)",
                "If they are the same, merge them; else leave them.",
            )


def _taken_by_others(
    lists: Mapping[tuple[str, str], Sequence[Entry]],
) -> Iterator[AuditFinding]:
    """Yield names that the ledger has in another list of its common name space."""
    held: dict[str, list[Entry]] = defaultdict(list)
    for list_name in SHARED_NAMES:
        for entry in lists.get((LEDGER, list_name), ()):
            held[canonical(entry.label)].append(entry)
    kinds: tuple[ListName, ...] = ("client", "project", "vendor", "staff")
    for (side, own_list), group in lists.items():
        if side == LEDGER or own_list not in kinds:
            continue
        own_targets = {target for name in kinds if name == own_list for target in TARGETS[name]}
        for entry in group:
            holders = held.get(canonical(entry.label), [])
            if holders and not any(h.list_name in own_targets for h in holders):
                yield AuditFinding(
                    "name_taken",
                    "warning",
                    _AREA,
                    subject(entry),
                    f"the ledger uses the name for {holders[0].words()}",
                    "It gets a distinguishing name in the ledger, or link the two by hand.",
                )


def across(
    entries: Iterable[Entry], linked: frozenset[tuple[str, str, str]]
) -> Iterator[AuditFinding]:
    """Yield unlinked entries of different sides that are called nearly the same."""
    free = [e for e in entries if e.is_usable and not e.is_synthetic and e.key not in linked]
    for list_name, targets in TARGETS.items():
        ours = {e.key: e for e in free if e.side != LEDGER and e.list_name == list_name}
        theirs = {e.key: e for e in free if e.side == LEDGER and e.list_name in targets}
        if list_name == "project" or not ours or not theirs:
            continue
        named = {key: e.label for key, e in ours.items()}
        others = {key: e.label for key, e in theirs.items() if not e.is_header}
        for pair in near_pairs(named, others):
            one, other = ours[pair.one], theirs[pair.other]
            yield AuditFinding(
                "near_match",
                "warning",
                "links",
                subject(one),
                f"probably {other.words()} in {where(other)} ({pair.percent} %)",
                "Link them (`hourbridge lists held`, then approve or reject).",
            )


def between_sources(entries: Iterable[Entry]) -> Iterator[AuditFinding]:
    """Yield clients that two trackers call nearly, but not quite, the same."""
    clients = [e for e in entries if e.is_usable and e.side != LEDGER and e.list_name == "client"]
    by_side: dict[str, dict[tuple[str, str, str], Entry]] = defaultdict(dict)
    for entry in clients:
        by_side[entry.side][entry.key] = entry
    for one_side, other_side in combinations(sorted(by_side), 2):
        ours, theirs = by_side[one_side], by_side[other_side]
        for pair in near_pairs(
            {key: e.label for key, e in ours.items()}, {key: e.label for key, e in theirs.items()}
        ):
            one, other = ours[pair.one], theirs[pair.other]
            if canonical(one.label) != canonical(other.label):
                yield AuditFinding(
                    "near_duplicate",
                    "warning",
                    _AREA,
                    subject(one),
                    f"nearly the same as {subject(other)} ({pair.percent} %)",
                    "If they are the same client, give them the same name.",
                )
