"""BigTime as a ListWriter: lists that flow back from the ledger. Nobody is ever invited.

BigTime has no operation memory and no edit tokens. Before it creates, the writer looks for an
entry with the same link or the same name; before it changes, it reads, and afterwards it reads
what BigTime made of it: fields that may not be written are ignored there without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hourbridge.common.errors import SourceRefused, ensure
from hourbridge.common.messages.records import ListEntry
from hourbridge.connectors.bigtime.faults import MISSING
from hourbridge.connectors.bigtime.feeds import WRITABLE_LISTS
from hourbridge.connectors.bigtime.firm import WITH_INACTIVE, other_returned
from hourbridge.connectors.bigtime.list_forms import ListForm, body_of, entry_of, form_of
from hourbridge.connectors.bigtime.rows import Row
from hourbridge.connectors.bigtime.transport import Transport
from hourbridge.connectors.list_writer import ListWrite, WrittenEntry

NAME_TAKEN = "name_taken"
EDIT_TOKEN_STALE = "edit_token_stale"  # noqa: S105 - a reason
NOT_TAKEN = "not_taken"
_DETAILED = {"View": "Detailed"}


class BigTimeListWriter:
    """Writes lists of one firm; see ``ListWriter``."""

    def __init__(self, transport: Transport, *, company: str | None = None) -> None:
        self._transport = transport
        self._company = company

    @property
    def writable_lists(self) -> frozenset[str]:
        """The lists that can be written."""
        return WRITABLE_LISTS

    @property
    def operation_key_characters_max(self) -> int:
        """Return 0: BigTime takes no operation key."""
        return 0

    def write_entry(self, write: ListWrite) -> WrittenEntry:
        """Carry out one write; see ``ListWriter.write_entry``."""
        form = form_of(write.list_name)
        if write.kind == "create":
            return self._create(form, write)
        ensure(write.entry_id is not None, "a change needs the entry's id", list=form.list_name)
        return self._change(form, write, form.own_id(str(write.entry_id)))

    def read_entry(self, list_name: str, entry_id: str) -> ListEntry | None:
        """Return one entry, active or not; of expense codes only the active ones can be seen."""
        form = form_of(list_name)
        row = self._row(form, form.own_id(entry_id))
        return None if row is None else entry_of(form, row, company=self._company)

    def find_entries(self, list_name: str, name: str) -> tuple[ListEntry, ...]:
        """Return entries of a name without regard to case or spaces, inactive ones too."""
        form = form_of(list_name)
        wanted = _canonical(name)
        return tuple(
            entry
            for row in self._rows(form, None)
            if _canonical((entry := entry_of(form, row, company=self._company)).name) == wanted
        )

    def close(self) -> None:
        """Release connections."""
        self._transport.close()

    def _create(self, form: ListForm, write: ListWrite) -> WrittenEntry:
        body = body_of(form, write.wanted)
        known = self._existing(form, write, body)
        if known is not None:
            return WrittenEntry(known, is_adopted=True)
        parameters = dict(form.create_parameters)
        row = self._transport.row("POST", form.create_path, parameters, body=body)
        own = row.identifier(form.id_field, "Id")
        held = None if own is None else self._row(form, own)
        return WrittenEntry(entry_of(form, held or row, company=self._company))

    def _existing(
        self, form: ListForm, write: ListWrite, body: Mapping[str, Any]
    ) -> ListEntry | None:
        """Return the entry to adopt; raises SourceRefused when another one has the name.

        One with our link is ours. One with our name is, if an earlier attempt may have made it;
        otherwise somebody has to say whether the two are the same.
        """
        pointed = {str(body[name]) for name in _identifying(form) if name in body}
        wanted, parent = _canonical(write.wanted.name), write.wanted.parent_id
        of_name: list[ListEntry] = []
        for row in self._rows(form, parent):
            entry = entry_of(form, row, company=self._company)
            if _pointed_at(form, row) & pointed:
                return entry
            is_beside = form.parent_field is None or row.identifier(form.parent_field) == parent
            if is_beside and _canonical(entry.name) == wanted:
                of_name.append(entry)
        for entry in of_name:
            row = self._row(form, form.own_id(entry.entry_id)) or Row({})
            linked = _pointed_at(form, row)
            if linked & pointed or (write.is_repeat and not linked - pointed):
                return entry_of(form, row, company=self._company)
        if of_name:
            holder = of_name[0]
            raise SourceRefused(
                f"the name {write.wanted.name!r} is taken: BigTime has a {form.list_name} "
                f"{holder.entry_id} of that name{'' if holder.is_active else ', inactive'}",
                reason_code=NAME_TAKEN,
                holder_list=form.list_name,
                holder_id=holder.entry_id,
                holder_name=holder.name,
            )
        return None

    def _change(self, form: ListForm, write: ListWrite, own: str) -> WrittenEntry:
        current = self._row(form, own)
        if current is None and form.has_detail:
            what = f"BigTime has no {form.list_name} {own} any more"
            raise SourceRefused(what, reason_code=MISSING, entry_id=own)
        current = current or Row({form.id_field: own})
        modified = current.text("DtModified")
        if write.edit_token is not None and modified not in (None, write.edit_token):
            what = f"somebody changed the {form.list_name} {own} since it was read"
            raise SourceRefused(what, reason_code=EDIT_TOKEN_STALE, entry_id=own)
        stated = _stated(form, write)
        if all(_says(current, name, value) for name, value in stated.items()):
            return WrittenEntry(entry_of(form, current, company=self._company))
        # Whether absent fields are left alone is documented nowhere: state them as they are.
        body = {**_scalars(current), **stated, form.id_field: _number(own)}
        path = f"{form.detail_path}/{own}" if form.has_detail else form.create_path
        answer = self._transport.row("POST", path, body=body)
        held = self._row(form, own) or Row({**answer.values, **stated})
        self._check_taken(form, held, stated, own)
        return WrittenEntry(entry_of(form, held, company=self._company))

    def _check_taken(self, form: ListForm, held: Row, stated: Mapping[str, Any], own: str) -> None:
        """Refuse to call a change done that BigTime ignored in what a person would notice."""
        noticed = {form.name_field, form.inactive_field, "FName", "SName"}
        ignored = [
            name
            for name, value in stated.items()
            if name in noticed and not _says(held, name, value)
        ]
        if ignored:
            what = f"BigTime ignored {', '.join(ignored)} of the {form.list_name} {own}"
            raise SourceRefused(what, reason_code=NOT_TAKEN, entry_id=own)

    def _row(self, form: ListForm, own: str) -> Row | None:
        if not form.has_detail:
            rows = self._rows(form, None)
            return next((row for row in rows if row.identifier("Id", form.id_field) == own), None)
        row = self._transport.find(f"{form.detail_path}/{own}", _DETAILED)
        returned = None if row is None else row.identifier(form.id_field)
        if returned is not None and returned != own:
            raise other_returned(form.detail_path, own, returned)
        return row

    def _rows(self, form: ListForm, parent: str | None) -> list[Row]:
        if form.list_name != "task":
            return self._transport.rows(form.list_path, {**WITH_INACTIVE, **_DETAILED})
        path = "task/list" if parent is None else f"{form.list_path}/{parent}"
        return self._transport.rows(path, {"showCompleted": "true", **_DETAILED})


def _identifying(form: ListForm) -> list[str]:
    """Return the fields whose links tell an entry; many may have the same class."""
    return [name for kind, name in form.links.items() if kind != "class"]


def _pointed_at(form: ListForm, row: Row) -> set[str]:
    return {found for name in _identifying(form) if (found := row.identifier(name))}


def _stated(form: ListForm, write: ListWrite) -> dict[str, Any]:
    """Return what a change states: of (in)activation that alone."""
    if write.kind in ("inactivate", "reactivate"):
        return {form.inactive_field: write.kind == "inactivate"}
    body = body_of(form, write.wanted)
    del body[form.inactive_field]
    return body


def _says(row: Row, name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return bool(row.flag(name)) == value
    held, said = row.text(name) or "", Row({"v": value}).text("v") or ""
    if held == said:
        return True
    numbers = Row({"held": held, "said": said})
    one, other = numbers.number("held"), numbers.number("said")
    return one is not None and one == other


def _scalars(row: Row) -> dict[str, Any]:
    return {
        name: value
        for name, value in row.values.items()
        if value is not None and not isinstance(value, Mapping | list)
    }


def _number(own: str) -> Any:
    return int(own) if own.isdecimal() else own


def _canonical(name: str) -> str:
    return " ".join(name.split()).casefold()
