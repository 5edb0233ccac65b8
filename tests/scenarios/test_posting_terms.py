"""What invoices state besides their lines: own fields of the ledger's forms, and who sends them.

Run twice: the second time must change nothing.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.scenarios.office import Office, configuration, entry

pytestmark = [pytest.mark.broker, pytest.mark.database]

FIELD = {
    "Name": "SalesFormsPrefs.SalesCustomName1",
    "Type": "StringType",
    "StringValue": "PO Number",
}


def test_own_fields_and_mail_reach_the_ledger_and_drift_is_seen(bare_office: Office) -> None:
    office = bare_office
    office.connect()
    office.ledger_settings(
        "preferences",
        SalesFormsPrefs={"CustomTxnNumbers": True, "CustomField": [{"CustomField": [FIELD]}]},
    )
    acme = {
        "client": "Acme",
        "customer": {"name": "Acme"},
        "email": "ap@acme.example",
        "email_invoices": True,
    }
    rules = [{"field": "PO Number", "source_field": "po", "kinds": ["invoice"]}]
    office.configure(configuration(clients=[acme], projects=[], posting={"custom_fields": rules}))
    field = {"id": "7", "name": "PO", "value": "4711"}
    for _ in range(2):
        office.report(entry("e1", "1.00", custom_fields=[field]))
        office.bill("2026-01-31")
        (invoice,) = office.ledger("Invoice")
        assert invoice["TotalAmt"] == Decimal("150.00")
        assert (invoice["EmailStatus"], invoice["BillEmail"]["Address"]) == (
            "NeedToSend",
            "ap@acme.example",
        )
        (stated,) = invoice["CustomField"]
        assert (stated["DefinitionId"], stated["StringValue"]) == ("1", "4711")
    assert office.reconcile() == []
    changed = [{**stated, "StringValue": "4712"}]
    office.person("edit", "invoice", id=invoice["Id"], changes={"CustomField": changed})
    (drift,) = office.reconcile()
    assert drift["cause"] == "target_edit"
    assert [each["field"] for each in drift["detail"]["fields"]] == ["field:po number"]
