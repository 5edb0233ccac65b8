"""The contract with the service: runs against the stand-in, or a real sandbox company if one is
named in the environment. Nothing here may look behind the API or skip a step in either."""

from __future__ import annotations

import pytest

from hourbridge.common.errors import EditTokenStale, LedgerRejected
from hourbridge.common.messages.events import DocumentKind
from hourbridge.connectors.ledger import LedgerWrite, WriteKind

pytestmark = pytest.mark.database


def test_every_feed_can_be_read_to_its_end(company):
    for feed in company.source.capabilities.feeds:
        cursor, pages, rejected = None, 0, []
        while True:
            page = company.source.read(feed.name, cursor)
            cursor, pages = page.cursor, pages + 1
            rejected += [s for s in page.statements if s.record is None]
            assert {s.record.record_type for s in page.statements if s.record} <= feed.record_types
            if page.is_last:
                break
        assert rejected == [], feed.name
        assert pages < 200


def test_the_connection_can_be_used(company):
    assert company.source.check() == ()


def test_a_customer_and_a_job_come_in_and_follow_a_new_name(company):
    parent = company.create("Customer", {"DisplayName": company.name("Client")})
    job = company.create(
        "Customer",
        {
            "DisplayName": company.name("Job"),
            "Job": True,
            "ParentRef": {"value": parent["Id"]},
        },
    )
    found = company.recent("customer")
    assert found[f"customer:{job['Id']}"].record.parent_id == parent["Id"]
    full_name = f"{company.name('Client')}:{company.name('Job')}"
    assert found[f"customer:{job['Id']}"].record.full_name == full_name
    company.change("Customer", parent, DisplayName=company.name("Renamed"))
    found = company.recent("customer")
    assert found[f"customer:{parent['Id']}"].record.name == company.name("Renamed")
    assert found[f"customer:{job['Id']}"].record.full_name.startswith(company.name("Renamed"))


def test_an_inactive_entry_is_read_and_not_gone(company):
    vendor = company.create("Vendor", {"DisplayName": company.name("Vendor")})
    company.change("Vendor", vendor, Active=False)
    record = company.recent("vendor")[f"vendor:{vendor['Id']}"].record
    assert not record.is_active and record.name.startswith(company.name("Vendor"))
    assert company.source.gone("vendor", [f"vendor:{vendor['Id']}"]) == frozenset()


def test_one_name_space_for_people(company):
    company.create("Customer", {"DisplayName": company.name("Taken")})
    with pytest.raises(LedgerRejected) as caught:
        company.create("Vendor", {"DisplayName": company.name("taken")})
    assert caught.value.reason_code == "6240"


def test_an_invoice_from_its_creation_to_its_tombstone(company, invoice_of):
    customer = company.create("Customer", {"DisplayName": company.name("Payer")})
    wanted = invoice_of(company, customer["Id"])
    write = LedgerWrite(operation_key=f"c-{company.run}", kind=WriteKind.CREATE, document=wanted)
    made = company.ledger.write(write)
    assert company.ledger.write(write).ledger_id == made.ledger_id
    assert (made.total, made.open_balance) == (wanted.total, wanted.total)
    assert company.ledger.find(wanted).ledger_id == made.ledger_id
    touched = company.recent("changes")[f"transaction:Invoice:{made.ledger_id}"].record
    assert touched.attributes["document_id"] == wanted.document_id
    assert touched.updated_at == made.updated_at

    changed = wanted.model_copy(update={"memo": "thank you"})
    update = LedgerWrite(
        operation_key=f"u-{company.run}",
        kind=WriteKind.UPDATE,
        document=changed,
        ledger_id=made.ledger_id,
        edit_token=made.edit_token,
    )
    updated = company.ledger.write(update)
    assert updated.edit_token != made.edit_token
    stale = LedgerWrite(
        operation_key=f"d0-{company.run}",
        kind=WriteKind.DELETE,
        document=changed,
        ledger_id=made.ledger_id,
        edit_token=made.edit_token,
    )
    with pytest.raises(EditTokenStale):
        company.ledger.write(stale)
    delete = LedgerWrite(
        operation_key=f"d1-{company.run}",
        kind=WriteKind.DELETE,
        document=changed,
        ledger_id=made.ledger_id,
        edit_token=updated.edit_token,
    )
    assert company.ledger.write(delete).is_deleted
    assert company.ledger.read(DocumentKind.INVOICE, made.ledger_id) is None
    name = f"transaction:Invoice:{made.ledger_id}"
    assert company.recent("changes")[name].record.deleted is not None
    assert company.source.gone("changes", [name]) == {name}


def test_a_batch_answers_item_by_item(company):
    taken = company.name("Twice")
    items = [
        {"bId": "1", "operation": "create", "Customer": {"DisplayName": taken}},
        {"bId": "2", "operation": "create", "Vendor": {"DisplayName": company.name("Once")}},
        {"bId": "3", "Query": "SELECT COUNT(*) FROM Customer"},
    ]
    answer = company.transport.write("batch", {"BatchItemRequest": items}, {})
    by_id = {item["bId"]: item for item in answer["BatchItemResponse"]}
    assert by_id["1"]["Customer"]["DisplayName"] == taken
    assert by_id["2"]["Vendor"]["Active"] is True
    assert by_id["3"]["QueryResponse"]["totalCount"] >= 1


def test_strange_names_survive(company):
    for text in ("O'Neil & \\Söhne", "Ünï Café (x) 100%"):
        name = company.name(text)
        made = company.create("Customer", {"DisplayName": name})
        found = company.ledger.resolve("customer", _named(name))
        assert found is not None and found.ledger_id == made["Id"]


def _named(name):
    from hourbridge.common.book import LedgerReference

    return LedgerReference(name=name)
