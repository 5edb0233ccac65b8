"""What a description's tags say: client, project, task, whether the client pays. Pure.

A tag is ``#`` and letters, digits, dash, underscore, slash or anything beyond ASCII, as in
TimeTagger itself; case does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hourbridge.connectors.timetagger.settings import TagMeaning, TimeTaggerSettings

_TAG = re.compile(r"#([A-Za-z0-9_/\-\u0080-\U0010ffff]+)")
_PARTS_MAX = 3


@dataclass(frozen=True)
class Meaning:
    """What all tags of one record say together."""

    tags: tuple[str, ...]
    client: str | None = None
    project: str | None = None
    task: str | None = None
    state: str = "unknown"
    clashes: tuple[tuple[str, str], ...] = ()
    """(field, detail) where tags contradict each other: nobody should guess."""


def tags_of(description: str) -> tuple[str, ...]:
    """Return a description's tags in lower case, each once, in order."""
    return tuple(dict.fromkeys(tag.lower() for tag in _TAG.findall(description)))


def meaning_of(description: str, settings: TimeTaggerSettings) -> Meaning:
    """Return what a description's tags say."""
    tags = tags_of(description)
    found: dict[str, dict[str, str]] = {"client": {}, "project": {}, "task": {}}
    for tag in tags:
        for name, value in _named(tag, settings):
            found[name].setdefault(value, tag)
    clashes = [
        (name, f"{_listed(values.values())} name different {name}s")
        for name, values in found.items()
        if len(values) > 1
    ]
    state, clash = _state(tags, settings)
    if clash:
        clashes.append(("billable_state", clash))
    first = {name: next(iter(values), None) for name, values in found.items()}
    return Meaning(tags, **first, state=state, clashes=tuple(clashes))


def _named(tag: str, settings: TimeTaggerSettings) -> Iterator[tuple[str, str]]:
    """Yield what one tag names; a meaning said outright goes before every convention."""
    outright = settings.tags.get(tag)
    if outright is not None:
        yield from _parts_of(outright)
        return
    for name, prefix in (
        ("client", settings.client_prefix),
        ("project", settings.project_prefix),
        ("task", settings.task_prefix),
    ):
        if prefix and tag.startswith(prefix) and len(tag) > len(prefix):
            yield name, tag[len(prefix) :]
            return
    parts = [part for part in tag.split("/") if part]
    if settings.slash and 1 < len(parts) <= _PARTS_MAX:
        yield "client", parts[0]
        yield "project", "/".join(parts[:2])
        if len(parts) == _PARTS_MAX:
            yield "task", "/".join(parts)


def _parts_of(meaning: TagMeaning) -> Iterator[tuple[str, str]]:
    for name in ("client", "project", "task"):
        value = getattr(meaning, name)
        if value:
            yield name, value


def _state(tags: tuple[str, ...], settings: TimeTaggerSettings) -> tuple[str, str | None]:
    against = [tag for tag in tags if tag in settings.non_billable]
    for_it = [tag for tag in tags if tag in settings.billable]
    if against and for_it:
        return "unknown", f"{_listed([*against, *for_it])} contradict each other"
    if against:
        return "non_billable", None
    return ("billable" if for_it else settings.default_state), None


def _listed(tags: Iterable[str]) -> str:
    return " and ".join(f"#{tag}" for tag in tags)
