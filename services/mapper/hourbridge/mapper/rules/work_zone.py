"""Where somebody is: the zones of workers, projects, clients and the company."""

from __future__ import annotations

from datetime import timedelta, tzinfo
from typing import NamedTuple

from hourbridge.common.local_time import offset_at, offset_zone, zone_or_none
from hourbridge.common.messages.records import TimeEntry
from hourbridge.common.zones import zone_of
from hourbridge.mapper.rules.index import CompiledBook
from hourbridge.mapper.rules.resolve import Resolution
from hourbridge.mapper.rules.subject import Subject


class Place(NamedTuple):
    """A zone and what it is called in charges."""

    name: str
    zone: tzinfo


def worker_place(book: CompiledBook, source: str, entry: TimeEntry, subject: Subject) -> Place:
    """Return where the work was done.

    As the entry says: its zone (its offset goes before a zone that is the whole firm's), else its
    offset; else the person's zone in the book, then in the source's own staff data; else the
    source's, else the company's.
    """
    stated = entry.zone
    if stated is not None:
        # Readers that know no zone write UTC and say that they assumed it: that tells nothing.
        is_guess = stated.iana == "UTC" and stated.confidence == "assumed"
        found = None if is_guess else zone_or_none(stated.iana)
        if found is not None and stated.iana is not None and not _is_elsewhere(entry, found):
            return Place(stated.iana, found)
        if stated.offset_minutes is not None:
            return fixed_place(stated.offset_minutes)
    names = [book.staff_zones.get(key) for key in subject.staff.keys]
    names += [subject.staff_zone, book.source_zones.get(source)]
    for name in names:
        found = zone_or_none(name)
        if name and found is not None:
            return Place(name, found)
    return company_place(book)


def _is_elsewhere(entry: TimeEntry, zone: tzinfo) -> bool:
    """Return whether the zone is the firm's and the entry was made under another offset."""
    stated = entry.zone
    if stated is None or stated.confidence != "firm" or stated.offset_minutes is None:
        return False
    own = timedelta(minutes=stated.offset_minutes)
    return entry.start_at is None or offset_at(entry.start_at, zone) != own


def company_place(book: CompiledBook) -> Place:
    """Return the book's own zone."""
    name = book.configuration.zone
    return Place(name, zone_of(name) or offset_zone(0))


def project_place(book: CompiledBook, found: Resolution) -> Place:
    """Return the zone of the project's rule, else as for its client."""
    name = found.project.zone if found.project else None
    zone = zone_or_none(name)
    return Place(name, zone) if name and zone is not None else client_place(book, found)


def client_place(book: CompiledBook, found: Resolution) -> Place:
    """Return the zone of the client's rule, else the company's."""
    name = found.client.zone if found.client else None
    zone = zone_or_none(name)
    return Place(name, zone) if name and zone is not None else company_place(book)


def fixed_place(minutes: int) -> Place:
    """Return a place of which only the offset is known, called like ``-07:00``."""
    hours, rest = divmod(abs(minutes), 60)
    return Place(f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}", offset_zone(minutes))
