"""Finding entries of lists by id and by name, inactive ones too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hourbridge.common.errors import LedgerRejected
from hourbridge.connectors.quickbooks_online.faults import OBJECT_NOT_FOUND
from hourbridge.connectors.quickbooks_online.list_forms import FORMS, PEOPLE, ListForm
from hourbridge.connectors.quickbooks_online.list_payload import DELETED_SUFFIX, Row
from hourbridge.connectors.quickbooks_online.queries import WITH_INACTIVE, quoted, select
from hourbridge.connectors.quickbooks_online.transport import Transport

_ROWS_MAX = 200


class ListSearch:
    """Looks entries up in one company."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def row(self, form: ListForm, entry_id: str) -> Row | None:
        """Return one entry as the service's JSON, None when there is none of this id."""
        try:
            answer = self._transport.get(f"{form.entity.lower()}/{entry_id}")
        except LedgerRejected as error:
            if error.reason_code != OBJECT_NOT_FOUND:
                raise
            return None
        row: Mapping[str, Any] = answer[form.entity]
        return row

    def named(self, form: ListForm, name: str) -> list[Row]:
        """Return the entries of a name, also those that carry the mark of the inactive."""
        wanted = {name.casefold(), f"{name}{DELETED_SUFFIX}".casefold()}
        rows = select(
            self._transport,
            form.entity,
            [self._condition(form, name), WITH_INACTIVE],
            rows_max=_ROWS_MAX,
        )
        return [row for row in rows if str(row[form.name_property]).casefold() in wanted]

    def holders(
        self, form: ListForm, name: str, parent_id: str | None
    ) -> Iterator[tuple[str, Row]]:
        """Yield list and entry of all that a new entry of this name would collide with.

        People share one space of names; other lists have one per parent.
        """
        if form.list_name not in PEOPLE:
            for row in self.named(form, name):
                same_parent = row.get("ParentRef", {}).get("value") == parent_id
                if same_parent and str(row[form.name_property]).casefold() == name.casefold():
                    yield form.list_name, row
            return
        for list_name in (form.list_name, *(one for one in PEOPLE if one != form.list_name)):
            for row in self.named(FORMS[list_name], name):
                if str(row["DisplayName"]).casefold() == name.casefold():
                    yield list_name, row

    def _condition(self, form: ListForm, name: str) -> str:
        if form.search_property == "FullyQualifiedName":
            # Their own names can't be asked for: the path that ends in it can.
            return f"FullyQualifiedName LIKE {quoted(f'%{name}%')}"
        either = ", ".join((quoted(name), quoted(f"{name}{DELETED_SUFFIX}")))
        return f"{form.search_property} IN ({either})"
