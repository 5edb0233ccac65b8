"""Applying a configuration: a new version, its announcement, and the start of re-mapping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from hourbridge.common.book import BookConfiguration
from hourbridge.common.clock import Clock
from hourbridge.common.errors import ConfigurationInvalid, HourbridgeError
from hourbridge.common.faults import declare, fault_point
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.common.store.outbox import Outbox
from hourbridge.mapper import remap
from hourbridge.mapper.configurations import Configurations, NewVersion
from hourbridge.mapper.fact_changes import announce
from hourbridge.mapper.planning import Planner, report
from hourbridge.mapper.rules.difference import difference
from hourbridge.mapper.rules.index import CompiledBook

IN_APPLY = declare("mapper.in_apply", "a new version stored, not committed")
AFTER_APPLY = declare("mapper.after_apply", "a new version committed, not announced")


class VersionConflict(HourbridgeError):
    """Somebody else applied a version since the one that the caller had in mind."""

    code = "version_conflict"
    advice = "Plan again against the active version, then apply."


class Applier:
    """Puts configurations into force."""

    def __init__(
        self,
        store: Store,
        configurations: Configurations,
        *,
        planner: Planner,
        outbox: Outbox,
        clock: Clock,
        applied: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._configurations = configurations
        self._planner = planner
        self._outbox = outbox
        self._clock = clock
        self._applied = applied

    def apply(
        self,
        configuration: BookConfiguration,
        *,
        actor: str,
        note: str | None = None,
        expected_version: int | None = None,
    ) -> dict[str, Any]:
        """Make ``configuration`` the active version; an identical one changes nothing.

        Raises ConfigurationInvalid when a check finds a problem, VersionConflict when
        ``expected_version`` isn't active. What waited for the new rules goes on by itself.
        """
        findings = self._planner.findings(configuration)
        answer = report(configuration, findings)
        if not answer["ok"]:
            words = "; ".join(f"{p['where']}: {p['detail']}" for p in answer["problems"])
            raise ConfigurationInvalid(words, book=configuration.book)
        new = NewVersion(configuration, 0, self._clock.now(), actor, note)
        version, is_new = self._store_version(new, expected_version)
        fault_point(AFTER_APPLY)
        if is_new:
            self._outbox.try_flush()
            self._applied()
        return {**answer, "version": version, "changed": is_new}

    def _store_version(self, new: NewVersion, expected_version: int | None) -> tuple[int, bool]:
        """Return the version that is active now, and whether this made it."""
        book = new.configuration.book
        with self._store.transaction() as connection:
            active = self._configurations.lock(connection, book)
            version = active.version if active else 0
            if expected_version is not None and expected_version != version:
                what = f"version {version} is active, not {expected_version}"
                raise VersionConflict(what, book=book)
            if active is not None and active.configuration == new.configuration:
                return version, False
            self._add(connection, active, replace(new, version=version + 1))
            fault_point(IN_APPLY)
        return version + 1, True

    def _add(self, connection: Connection, active: CompiledBook | None, new: NewVersion) -> None:
        configuration = new.configuration
        announce(connection, self._configurations, self._outbox, new)
        remap.start_all(connection, configuration.book, new.version)
        changes = difference(active.configuration if active else None, configuration)
        audit.write(
            connection,
            actor=new.applied_by,
            action="configuration_applied",
            subject=f"book:{configuration.book}",
            book=configuration.book,
            detail={
                "version": new.version,
                "note": new.note,
                "changes": [f"{change.what} {change.where}" for change in changes],
            },
        )
