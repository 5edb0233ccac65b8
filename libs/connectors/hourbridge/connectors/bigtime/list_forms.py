"""How the entries of BigTime's writable lists look, and by which routes they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hourbridge.common.errors import SourceRefused
from hourbridge.common.messages.records import ExternalLink, ListEntry
from hourbridge.connectors.bigtime.rows import Row
from hourbridge.connectors.bigtime.stating import TASK_PREFIX, links

NOT_WRITABLE = "not_writable"


@dataclass(frozen=True)
class ListForm:
    """One writable list."""

    list_name: str
    list_path: str
    detail_path: str
    """GET shows an entry, POST changes it."""
    create_path: str
    id_field: str
    name_field: str
    inactive_field: str = "IsInactive"
    parent_field: str | None = None
    code_field: str | None = None
    email_field: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    """Names that both sides share to BigTime's fields."""
    links: Mapping[str, str] = field(default_factory=dict)
    """What is pointed at in the accounting system to the field with its id."""
    more: frozenset[str] = frozenset()
    """Further fields that may be given by BigTime's own names."""
    create_parameters: Mapping[str, str] = field(default_factory=dict)
    id_prefix: str = ""
    has_detail: bool = True

    def own_id(self, entry_id: str) -> str:
        """Return BigTime's own number of an entry."""
        return entry_id.removeprefix(self.id_prefix).removeprefix(f"{self.list_name}:")


_DEFAULTS = frozenset({"QBClassDefault", "DefaultInvoiceTermSid", "DefaultLaborCode"})

FORMS: dict[str, ListForm] = {
    form.list_name: form
    for form in (
        ListForm(
            "client",
            "client",
            "client/detail",
            "client/detail",
            "SystemId",
            "Nm",
            code_field="ClientId",
            values={"legal_name": "LegalNm"},
            links={"customer": "QBCustomerId", "class": "QBClassId"},
        ),
        ListForm(
            "project",
            "project",
            "project/detail",
            "project/detail",
            "SystemId",
            "Nm",
            parent_field="ClientId",
            code_field="ProjectCode",
            links={"customer": "QBCustomerId", "class": "QBClassDefault"},
            more=_DEFAULTS,
        ),
        ListForm(
            "staff",
            "staff",
            "staff/detail",
            "staff/add",
            "StaffSID",
            "FullName",
            email_field="EMail",
            values={"given_name": "FName", "family_name": "SName", "cost_rate": "CostFactor"},
            links={
                "employee": "QBEmployeeId",
                "vendor": "QBVendorId",
                "class": "QBClassDefaultId",
            },
            more=frozenset({"PostTimeAsBilled", "HomeTimezone"}),
            create_parameters={"inviteUser": "false"},
        ),
        ListForm(
            "labor_code",
            "project/LaborCode",
            "project/LaborCode",
            "project/LaborCode",
            "Sid",
            "Nm",
            code_field="Code",
            values={"rate": "Rate1"},
            links={"item": "QBItemId", "class": "DefaultQBClass"},
        ),
        ListForm(
            "expense_code",
            "picklist/ExpenseCodes",
            "picklist/ExpenseCode",
            "picklist/ExpenseCode",
            "Sid",
            "Nm",
            code_field="Code",
            links={"account": "QBAccountId", "item": "QBItemId"},
            has_detail=False,
        ),
        ListForm(
            "task",
            "task/listByProject",
            "task/detail",
            "task/detail",
            "TaskSid",
            "TaskNm",
            inactive_field="IsArchived",
            parent_field="ProjectSid",
            code_field="TaskId",
            links={"class": "DefaultQBClass"},
            id_prefix=TASK_PREFIX,
        ),
    )
}


def form_of(list_name: str) -> ListForm:
    """Return the form of a list; raises SourceRefused for one that can't be written."""
    form = FORMS.get(list_name)
    if form is None:
        what = f"BigTime has no way to write its list {list_name!r}"
        raise SourceRefused(what, reason_code=NOT_WRITABLE, list_name=list_name)
    return form


def body_of(form: ListForm, wanted: ListEntry) -> dict[str, Any]:
    """Return what the wanted entry states in BigTime's fields; what is unset isn't in it."""
    body: dict[str, Any] = {}
    for name, field_name in form.values.items():
        if name in wanted.attributes:
            body[field_name] = wanted.attributes[name]
    for name in form.more & wanted.attributes.keys():
        body[name] = wanted.attributes[name]
    for link in wanted.links:
        field_name = form.links.get(_kind(link), "")
        if field_name:
            body[field_name] = link.id
    given = ((form.code_field, wanted.code), (form.email_field, wanted.email))
    body |= {name: value for name, value in given if name is not None and value is not None}
    if form.parent_field is not None and wanted.parent_id is not None:
        body[form.parent_field] = wanted.parent_id
    body |= _named(form, wanted, body)
    body[form.inactive_field] = not wanted.is_active
    return body


def entry_of(form: ListForm, row: Row, *, company: str | None = None) -> ListEntry:
    """Return an entry as both sides know it."""
    own = row.identifier(form.id_field, "Id")
    if own is None:
        raise SourceRefused(
            f"BigTime answered with a {form.list_name} without an id", reason_code="no_id"
        )
    values = {name: text for name, at in form.values.items() if (text := row.text(at))}
    more = {name: text for name in form.more if (text := row.text(name))}
    pointed = {kind: row.identifier(name) for kind, name in form.links.items()}
    return ListEntry(
        external_id=f"{form.list_name}:{own}",
        list_name=form.list_name,
        entry_id=f"{form.id_prefix}{own}",
        name=_shown_name(form, row) or own,
        parent_id=row.identifier(form.parent_field) if form.parent_field else None,
        code=row.text(form.code_field) if form.code_field else None,
        email=row.text(form.email_field) if form.email_field else None,
        is_active=not row.flag(form.inactive_field),
        edit_token=row.text("DtModified"),
        attributes={**more, **values},
        links=links(company, **pointed),
    )


def _shown_name(form: ListForm, row: Row) -> str | None:
    if form.list_name != "staff":
        return row.text(form.name_field, "Name")
    parts = [part for part in (row.text("FName"), row.text("SName")) if part]
    return row.text("FullName") or " ".join(parts) or None


def _named(form: ListForm, wanted: ListEntry, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the name in the list's fields; people have two parts, the last word being one."""
    name = " ".join(wanted.name.split())
    if not name:
        raise SourceRefused("an entry needs a name", reason_code="name_missing")
    if form.list_name != "staff":
        return {form.name_field: name}
    if "FName" in body or "SName" in body:
        return {}
    given, _, family = name.rpartition(" ")
    return {"FName": given, "SName": family} if given else {"SName": family}


def _kind(link: ExternalLink) -> str:
    return "customer" if link.type in ("job", "project") else link.type
