"""Lists that flow back into BigTime: created once, changed where they differ, nobody invited."""

from __future__ import annotations

from typing import Any

import pytest

from hourbridge.common.errors import SourceRefused, SourceUnavailable
from hourbridge.common.messages.records import ExternalLink, ListEntry
from hourbridge.connectors.bigtime.list_writer import BigTimeListWriter
from hourbridge.connectors.list_writer import ListWrite


@pytest.fixture
def writer(opened) -> BigTimeListWriter:
    return BigTimeListWriter(opened.transport, company="realm-1")


def _wanted(list_name: str, name: str, links: dict[str, str] | None = None, **fields: Any) -> Any:
    pointed = tuple(
        ExternalLink(target_system="quickbooks", type=kind, id=each)
        for kind, each in (links or {}).items()
    )
    return ListEntry(
        external_id=f"{list_name}:new",
        list_name=list_name,
        entry_id="new",
        name=name,
        links=pointed,
        **fields,
    )


def _write(
    wanted: ListEntry, kind: str = "create", entry_id: str | None = None, **more: Any
) -> Any:
    return ListWrite(
        operation_key="k",
        kind=kind,
        list_name=wanted.list_name,
        wanted=wanted,
        entry_id=entry_id,
        **more,
    )


CASES = [
    ("client", {"code": "ACM"}, {"customer": "301"}, {"QBCustomerId": "301", "ClientId": "ACM"}),
    (
        "project",
        {"parent_id": "1", "code": "P9"},
        {"customer": "302", "class": "4"},
        {"QBCustomerId": "302", "ClientId": 1, "ProjectCode": "P9", "QBClassDefault": "4"},
    ),
    (
        "staff",
        {"email": "x@y.test", "attributes": {"given_name": "Xi", "family_name": "Yo"}},
        {"vendor": "71"},
        {"QBVendorId": "71", "EMail": "x@y.test", "FName": "Xi", "SName": "Yo"},
    ),
    (
        "labor_code",
        {"attributes": {"rate": "135.50"}},
        {"item": "6"},
        {"QBItemId": "6"},
    ),
    ("expense_code", {}, {"account": "61"}, {"QBAccountId": "61"}),
    ("task", {"parent_id": "1"}, {"class": "4"}, {"ProjectSid": 1, "DefaultQBClass": "4"}),
]
_TABLES = {name: f"{name}s" for name in ("client", "project", "labor_code", "expense_code", "task")}


@pytest.mark.parametrize(("list_name", "fields", "links", "expected"), CASES)
def test_an_entry_is_created_with_its_links(firm, writer, list_name, fields, links, expected):
    written = writer.write_entry(_write(_wanted(list_name, "Xi Yo", links, **fields)))
    table = firm.firm.tables[_TABLES.get(list_name, "staff")]
    row = list(table.values())[-1]
    assert {name: row[name] for name in expected} == expected
    assert not written.is_adopted
    assert written.entry.name == "Xi Yo"
    if list_name == "labor_code":
        assert str(row["Rate1"]) == "135.50"
    read = writer.read_entry(list_name, written.entry.entry_id)
    assert read is not None
    assert [found.entry_id for found in writer.find_entries(list_name, " xi  YO ")] == [
        written.entry.entry_id
    ]


@pytest.mark.parametrize(("list_name", "fields", "links", "expected"), CASES)
def test_a_lost_answer_leads_to_one_entry(firm, writer, list_name, fields, links, expected):
    wanted = _wanted(list_name, "Xi Yo", links, **fields)
    table = firm.firm.tables[_TABLES.get(list_name, "staff")]
    before = len(table)
    firm.disturb("lose_response", next=1, on="writes")
    with pytest.raises(SourceUnavailable):
        writer.write_entry(_write(wanted))
    again = writer.write_entry(_write(wanted, is_repeat=True))
    assert again.is_adopted
    assert len(table) == before + 1


def test_nobody_is_invited(firm, writer):
    users = len(firm.firm.users)
    writer.write_entry(_write(_wanted("staff", "Cy Dee", email="cy@acme.test")))
    assert len(firm.firm.users) == users
    (call,) = [c for c in firm.calls() if c["path"] == "staff/add"]
    assert not [c for c in firm.calls() if "invite" in c["path"]]
    assert call["status"] == 200


def test_a_name_that_somebody_has_is_refused_with_the_holder(firm, writer):
    with pytest.raises(SourceRefused) as refused:
        writer.write_entry(_write(_wanted("client", "edison  attic", {"customer": "9"})))
    assert refused.value.reason_code == "name_taken"
    assert refused.value.ids["holder_id"] == "1"
    assert refused.value.ids["holder_list"] == "client"
    assert len(firm.firm.tables["clients"]) == 2


def test_an_entry_with_our_link_is_adopted_whoever_made_it(firm, writer):
    firm.save("clients", 1, QBCustomerId="101")
    written = writer.write_entry(_write(_wanted("client", "Edison Attic", {"customer": "101"})))
    assert (written.is_adopted, written.entry.entry_id) == (True, "1")


def test_a_repeat_does_not_take_what_is_linked_elsewhere(firm, writer):
    firm.save("clients", 1, QBCustomerId="555")
    wanted = _wanted("client", "Edison Attic", {"customer": "101"})
    with pytest.raises(SourceRefused) as refused:
        writer.write_entry(_write(wanted, is_repeat=True))
    assert refused.value.reason_code == "name_taken"


def test_projects_of_two_clients_may_have_one_name(firm, writer):
    written = writer.write_entry(_write(_wanted("project", "Evaluation", parent_id="2")))
    assert not written.is_adopted
    assert written.entry.parent_id == "2"


def test_a_change_states_the_rest_as_it_was(firm, writer):
    firm.save("clients", 1, Address="1 Lamp St", QBClassId="3")
    changed = writer.write_entry(
        _write(_wanted("client", "Edison Lab", {"customer": "101"}), "update", "1")
    )
    row = firm.firm.tables["clients"][1]
    assert (row["Nm"], row["QBCustomerId"], row["Address"], row["QBClassId"]) == (
        "Edison Lab",
        "101",
        "1 Lamp St",
        "3",
    )
    assert {link.type: link.id for link in changed.entry.links} == {"customer": "101", "class": "3"}
    writes = len([c for c in firm.calls() if c["method"] == "POST"])
    writer.write_entry(_write(_wanted("client", "Edison Lab"), "update", "1"))
    assert len([c for c in firm.calls() if c["method"] == "POST"]) == writes


@pytest.mark.parametrize(
    ("list_name", "table", "field"),
    [("client", "clients", "IsInactive"), ("task", "tasks", "IsArchived")],
)
def test_inactive_and_active_again(firm, writer, list_name, table, field):
    entry_id = "task:1" if list_name == "task" else "1"
    for kind, expected in (("inactivate", True), ("reactivate", False)):
        wanted = _wanted(list_name, "ignored", parent_id="1")
        written = writer.write_entry(_write(wanted, kind, entry_id))
        assert firm.firm.tables[table][1][field] is expected
        assert written.entry.is_active is not expected
        assert written.entry.entry_id == entry_id


def test_a_stale_token_and_a_missing_entry(firm, writer):
    token = writer.read_entry("client", "1").edit_token
    firm.move_clock(5)
    firm.save("clients", 1, Notes="someone else")
    with pytest.raises(SourceRefused) as stale:
        writer.write_entry(_write(_wanted("client", "New"), "update", "1", edit_token=token))
    assert stale.value.reason_code == "edit_token_stale"
    with pytest.raises(SourceRefused) as missing:
        writer.write_entry(_write(_wanted("client", "New"), "update", "99"))
    assert missing.value.reason_code == "not_found"
    assert writer.read_entry("client", "99") is None


def test_what_can_only_be_read_is_declared(writer):
    assert writer.writable_lists.isdisjoint({"term", "tax_rate", "class"})
    with pytest.raises(SourceRefused) as refused:
        writer.write_entry(_write(_wanted("class", "East")))
    assert refused.value.reason_code == "not_writable"


def test_a_key_that_only_reads_is_told_so(firm, open_firm):
    firm.firm.keys[0].may_write = False
    writer = BigTimeListWriter(open_firm().transport)
    with pytest.raises(SourceRefused) as refused:
        writer.write_entry(_write(_wanted("client", "New")))
    assert refused.value.reason_code == "permission_denied"


def test_what_was_written_is_read_as_the_same_entry(firm, writer, opened):
    written = writer.write_entry(_write(_wanted("client", "Acme 🚀", {"customer": "301"})))
    (record,) = [r for r in opened.records("clients") if r.name == "Acme 🚀"]
    assert record.external_id == written.entry.entry_id
    assert [(link.type, link.id) for link in record.links] == [("customer", "301")]
