"""QuickBooks Online as a ListWriter: creating and changing entries of lists, safe to repeat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hourbridge.common.clock import Clock
from hourbridge.common.errors import EditTokenStale, LedgerRejected, ensure
from hourbridge.common.ids import derive_key
from hourbridge.common.messages.records import ListEntry
from hourbridge.connectors.list_writer import ListWrite, WrittenEntry
from hourbridge.connectors.quickbooks_online import list_payload as payload
from hourbridge.connectors.quickbooks_online.faults import (
    DUPLICATE_NAME,
    DUPLICATE_OBJECT,
    DUPLICATE_REQUEST,
    STALE,
)
from hourbridge.connectors.quickbooks_online.list_forms import FORMS, ListForm
from hourbridge.connectors.quickbooks_online.list_payload import DELETED_SUFFIX, Body, Row
from hourbridge.connectors.quickbooks_online.list_searching import ListSearch
from hourbridge.connectors.quickbooks_online.marker import entry_key
from hourbridge.connectors.quickbooks_online.preferences import PreferencesReader
from hourbridge.connectors.quickbooks_online.tax_codes import create_tax_code, has_rate
from hourbridge.connectors.quickbooks_online.transport import Transport

REQUEST_ID_CHARACTERS_MAX = 50
NAME_TAKEN = "name_taken"
HAS_BALANCE = "has_balance"
"""The service inactivates nobody who owes or is owed money."""
_BALANCE_SENTENCE = "has balance"
_DUPLICATES = (DUPLICATE_NAME, DUPLICATE_OBJECT, DUPLICATE_REQUEST)


class QuickBooksOnlineListWriter:
    """Writes lists of one company; see ``ListWriter``."""

    def __init__(self, transport: Transport, clock: Clock) -> None:
        self._transport = transport
        self._search = ListSearch(transport)
        self._preferences = PreferencesReader(transport, clock)

    @property
    def writable_lists(self) -> frozenset[str]:
        """The lists that can be written."""
        return frozenset(FORMS)

    @property
    def operation_key_characters_max(self) -> int:
        """The longest operation key."""
        return REQUEST_ID_CHARACTERS_MAX

    def write_entry(self, write: ListWrite) -> WrittenEntry:
        """Carry out one write; see ``ListWriter.write_entry``."""
        ensure(
            0 < len(write.operation_key) <= REQUEST_ID_CHARACTERS_MAX,
            "operation key of a wrong length",
            key=write.operation_key,
        )
        form = _form(write.list_name)
        if write.kind == "create":
            return self._create(form, write)
        if not form.can_change:
            what = f"entries of {form.list_name} can't be changed through the interface"
            raise LedgerRejected(what, reason_code="not_writable", list_name=form.list_name)
        ensure(write.entry_id is not None, "a change needs the entry's id", list=form.list_name)
        return self._change(form, write, str(write.entry_id))

    def read_entry(self, list_name: str, entry_id: str) -> ListEntry | None:
        """Return one entry, active or not; None when the company has none of this id."""
        form = _form(list_name)
        row = self._search.row(form, entry_id)
        return None if row is None else payload.entry_of(form, row)

    def find_entries(self, list_name: str, name: str) -> tuple[ListEntry, ...]:
        """Return entries of a name without regard to case, inactive ones too."""
        form = _form(list_name)
        return tuple(payload.entry_of(form, row) for row in self._search.named(form, name.strip()))

    def close(self) -> None:
        """Release connections."""
        self._transport.close()

    # --- creating ---------------------------------------------------------------------------

    def _create(self, form: ListForm, write: ListWrite) -> WrittenEntry:
        stated = self._stated(form, write.wanted)
        _check_creatable(form, write.wanted, stated)
        if write.is_repeat:
            ours = self._of_an_earlier_attempt(form, write, stated)
            if ours is not None:
                return WrittenEntry(payload.entry_of(form, ours), is_adopted=True)
        try:
            row = self._send_create(form, write, stated)
        except LedgerRejected as error:
            if error.reason_code not in _DUPLICATES:
                raise
            ours = self._of_an_earlier_attempt(form, write, stated)
            if ours is None or not (write.is_repeat or _is_marked(form, ours, write)):
                raise self._taken(form, write, stated, error) from error
            return WrittenEntry(payload.entry_of(form, ours), is_adopted=True)
        if write.is_repeat and self._search.row(form, str(row["Id"])) is None:
            what = f"the company remembers creating this {form.list_name}, but it is gone since"
            raise LedgerRejected(what, reason_code="replayed", entry_id=row["Id"])
        return WrittenEntry(payload.entry_of(form, row))

    def _send_create(self, form: ListForm, write: ListWrite, stated: Body) -> Row:
        request_id = {"requestid": write.operation_key}
        if form.list_name == "tax_code":
            created = create_tax_code(self._transport, stated, request_id)
            row = self._search.row(form, created)
            ensure(row is not None, "a tax code just created is not there", id=created)
            return row or {}
        body = payload.for_create(form, write, stated)
        answer: Row = self._transport.write(form.entity.lower(), body, request_id)[form.entity]
        return answer

    def _of_an_earlier_attempt(self, form: ListForm, write: ListWrite, stated: Body) -> Row | None:
        """Return the entry that an attempt without an answer may have left, if it is there.

        By our marker where the list has one, else by saying all that we state.
        """
        name = str(stated[form.name_property])
        for row in self._search.named(form, name):
            if _is_marked(form, row, write):
                return row
            is_other = form.marker is not None and entry_key(row.get(form.marker)) is not None
            if not is_other and self._says_the_same(form, row, stated):
                return row
        return None

    def _says_the_same(self, form: ListForm, row: Row, stated: Body) -> bool:
        if form.list_name == "tax_code":
            return has_rate(self._transport, row, stated)
        return payload.says_the_same(form, row, stated)

    def _taken(
        self, form: ListForm, write: ListWrite, stated: Body, error: LedgerRejected
    ) -> LedgerRejected:
        """Return the refusal that says who has the name."""
        name = str(stated.get(form.name_property, write.wanted.name))
        holders = self._search.holders(form, name, write.wanted.parent_id)
        own = (form.list_name, write.entry_id)
        holder = next((one for one in holders if (one[0], one[1]["Id"]) != own), None)
        ids: dict[str, Any] = {}
        what = error.what
        if holder is not None:
            list_name, row = holder
            active = row.get("Active", True) is not False
            held = str(row[FORMS[list_name].name_property])
            ids = {"holder_list": list_name, "holder_id": str(row["Id"]), "holder_name": held}
            ids["holder_active"] = "true" if active else "false"
            what = f"the {list_name} {row['Id']} ({held!r}{'' if active else ', inactive'}) has it"
        return LedgerRejected(f"the name {name!r} is taken: {what}", reason_code=NAME_TAKEN, **ids)

    # --- changing ---------------------------------------------------------------------------

    def _change(self, form: ListForm, write: ListWrite, entry_id: str) -> WrittenEntry:
        current = self._existing(form, entry_id)
        stated = self._change_stated(form, write, current)
        if _is_done(form, write, current, stated):
            return WrittenEntry(payload.entry_of(form, current), is_adopted=True)
        if write.edit_token is not None and current["SyncToken"] != write.edit_token:
            what = f"somebody changed the {form.list_name} since the decision was made"
            raise EditTokenStale(what, reason_code="edit_token_stale", entry_id=entry_id)
        try:
            row = self._send_change(form, write, current, stated)
        except EditTokenStale as error:
            row = self._send_again(form, write, (current, stated), error)
        return WrittenEntry(payload.entry_of(form, row))

    def _send_again(
        self, form: ListForm, write: ListWrite, before: tuple[Row, Body], error: EditTokenStale
    ) -> Row:
        """Send once more when only what we don't write has moved since it was read."""
        current, stated = before
        newest = self._existing(form, str(current["Id"]))
        if not payload.is_same_content(form, current, newest):
            what = f"somebody is changing the {form.list_name} at the same time"
            raise EditTokenStale(what, reason_code="edit_token_stale", entry_id=newest["Id"])
        if newest["SyncToken"] == current["SyncToken"]:
            raise error
        return self._send_change(form, write, newest, stated)

    def _send_change(self, form: ListForm, write: ListWrite, current: Row, stated: Body) -> Row:
        body = payload.for_update(form, current, stated)
        # Another version of the entry makes it another request: a remembered answer to the first
        # would be taken for the answer to the second.
        length = min(len(write.operation_key), REQUEST_ID_CHARACTERS_MAX)
        key = derive_key(write.operation_key, str(current["SyncToken"]), length=length)
        try:
            answer: Row = self._transport.write(form.entity.lower(), body, {"requestid": key})[
                form.entity
            ]
        except LedgerRejected as error:
            if error.reason_code == STALE or isinstance(error, EditTokenStale):
                raise
            if error.reason_code in _DUPLICATES:
                raise self._taken(form, write, stated, error) from error
            if _BALANCE_SENTENCE in error.what.lower():
                raise LedgerRejected(error.what, reason_code=HAS_BALANCE) from error
            raise
        return answer

    def _change_stated(self, form: ListForm, write: ListWrite, current: Row) -> Body:
        if write.kind == "inactivate":
            return {"Active": False}
        if write.kind == "reactivate":
            # The service left its mark in the name; nothing takes it out but the name itself.
            name = payload.checked_name(form, write.wanted.name.removesuffix(DELETED_SUFFIX))
            return {form.name_property: name, "Active": True}
        stated = self._stated(form, write.wanted)
        held = str(current.get(form.name_property, ""))
        if current.get("Active", True) is False and held.endswith(DELETED_SUFFIX):
            stated[form.name_property] = held  # an inactive entry keeps its mark
        return {name: value for name, value in stated.items() if name in form.writable}

    def _existing(self, form: ListForm, entry_id: str) -> Row:
        row = self._search.row(form, entry_id)
        if row is None:
            what = f"the {form.list_name} to change is not there any more"
            raise LedgerRejected(what, reason_code="entry_missing", entry_id=entry_id)
        if row.get("Type") == "Inventory" and form.list_name == "item":
            what = "stock items are counted elsewhere: a full update would count them anew"
            raise LedgerRejected(what, reason_code="type_not_writable", entry_id=entry_id)
        return row

    def _stated(self, form: ListForm, wanted: ListEntry) -> Body:
        is_multi_currency = (
            wanted.currency is not None and self._preferences.current().is_multi_currency
        )
        return payload.body_of(form, wanted, is_multi_currency=is_multi_currency)


def _form(list_name: str) -> ListForm:
    if list_name not in FORMS:
        what = f"the list {list_name!r} can't be written"
        raise LedgerRejected(what, reason_code="not_writable", list_name=list_name)
    return FORMS[list_name]


def _check_creatable(form: ListForm, wanted: ListEntry, stated: Mapping[str, Any]) -> None:
    """Raise LedgerRejected for what the service would refuse, or make something else of."""
    if wanted.is_project:
        what = "projects can't be created through the interface: a person makes it there"
        raise LedgerRejected(what, reason_code="project_not_creatable", name=wanted.name)
    for path, reason in form.required.items():
        if payload.value_at(stated, path) is None:
            what = f"a {form.list_name} needs {path}"
            raise LedgerRejected(what, reason_code=reason, name=wanted.name)
    if form.types is not None and wanted.type not in form.types:
        what = f"a {form.list_name} of type {wanted.type} can't be created"
        raise LedgerRejected(what, reason_code="type_not_writable", name=wanted.name)
    is_term = form.list_name == "term"
    if is_term and not {"DueDays", "DayOfMonthDue"} & set(stated):
        what = "a term says after how many days, or on which day of the month, money is due"
        raise LedgerRejected(what, reason_code="due_days_missing", name=wanted.name)


def _is_marked(form: ListForm, row: Row, write: ListWrite) -> bool:
    return form.marker is not None and entry_key(row.get(form.marker)) == write.operation_key


def _is_done(form: ListForm, write: ListWrite, current: Row, stated: Body) -> bool:
    """Return whether the entry is as it shall be, by an earlier attempt or by somebody else."""
    if write.kind == "inactivate":
        return current.get("Active", True) is False
    return payload.says_the_same(form, current, stated)
