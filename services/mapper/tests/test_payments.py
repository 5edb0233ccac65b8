"""From a stated payment to one in ledger terms."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.common.messages.events import MappedPayment, MappingOutcome
from hourbridge.common.messages.records import Payment
from hourbridge.mapper.rules.subject import Fact, FactKey
from tests.support.mapping import codes, mapped

RETAINER = {"engagement": "Advice 2026"}
SUBCONTRACTOR = {"staff": "sam", "vendor": {"id": "V7"}, "cost_rate": "75.00"}


def payment(**changes: Any) -> Payment:
    values: dict[str, Any] = {
        "external_id": "p1",
        "client_name": "Acme",
        "payment_date": "2026-03-31",
        "amount": "4000.00",
        "currency": "EUR",
    }
    return Payment.model_validate({**values, **changes})


def acme(**changes: Any) -> list[dict[str, Any]]:
    return [{"client": "Acme", "customer": {"id": "17", "name": "Acme Corp."}, **changes}]


def result_of(given: Payment, **options: Any) -> MappedPayment:
    result = mapped(given, **options)
    assert result.outcome is MappingOutcome.CHARGED, result.reasons
    assert result.payment is not None
    return result.payment


def test_a_payment_of_an_invoice_names_customer_day_and_parts() -> None:
    parts = [{"document_number": "HB-1", "amount": "2500.00"}]
    got = result_of(payment(applications=parts, reference="wire 9"))
    assert (got.purpose, got.customer and got.customer.id, got.client) == ("invoice", "17", "Acme")
    assert (got.amount, got.currency, got.payment_date) == (
        Decimal("4000.00"),
        "EUR",
        date(2026, 3, 31),
    )
    assert [(part.number, part.amount) for part in got.parts] == [("HB-1", Decimal("2500.00"))]
    assert (got.reference, got.in_ledger, got.engagement) == ("wire 9", False, None)


def test_a_payment_needs_no_approval_but_a_known_client() -> None:
    assert mapped(payment(client_name="Nobody")).waits_for == ("client:Nobody",)


def test_a_payment_of_an_unknown_source_or_book_waits() -> None:
    assert codes(mapped(payment(), source="stranger")) == ["unknown_source"]
    assert codes(mapped(payment(), configured=False)) == ["no_configuration"]


def test_a_deleted_payment_is_skipped() -> None:
    assert codes(mapped(payment(deleted={"how": "feed"}))) == ["deleted"]


def test_the_client_may_come_from_the_projects_master_data() -> None:
    facts = {FactKey("project", "p9"): Fact("Website", None, "Acme")}
    got = result_of(payment(client_name=None, project_id="p9"), facts=facts)
    assert got.client == "Acme"


@pytest.mark.parametrize(
    ("stated", "clients", "projects", "engaged"),
    [
        ({}, acme(retainer=RETAINER), [], "Advice 2026"),
        ({"engagement": " Advice 2026"}, acme(retainer=RETAINER), [], "Advice 2026"),
        ({"engagement": "Other"}, acme(retainer=RETAINER), [], None),
        ({}, acme(), [], None),
        ({}, acme(), [{"project": "W", "client": "Acme", "retainer": RETAINER}], "Advice 2026"),
        ({"project_name": "X"}, acme(), [{"project": "X", "client": "Acme"}], None),
    ],
)
def test_a_retainer_is_the_named_one_or_the_only_one(
    stated: dict[str, Any], clients: Any, projects: Any, engaged: str | None
) -> None:
    options = {"clients": clients, "projects": projects}
    result = mapped(payment(purpose="retainer", **stated), **options)
    if engaged is None:
        assert codes(result) == ["no_mapping"]
    else:
        assert result.payment is not None
        assert result.payment.engagement == engaged


def test_two_retainers_need_a_name() -> None:
    projects = [
        {"project": "A", "client": "Acme", "retainer": {"engagement": "a"}},
        {"project": "B", "client": "Acme", "retainer": {"engagement": "b"}},
    ]
    assert codes(mapped(payment(purpose="retainer"), projects=projects)) == ["no_mapping"]
    chosen = result_of(payment(purpose="retainer_refund", engagement="b"), projects=projects)
    assert chosen.engagement == "b"


@pytest.mark.parametrize(
    ("stated", "vendor"),
    [
        ({"vendor_id": "sam"}, {"id": "V7"}),
        ({"vendor_name": "Hotel Adler"}, {"id": "V8", "name": "Hotel Adler"}),
        ({"vendor_name": "New Vendor"}, {"name": "New Vendor"}),
    ],
)
def test_a_payment_of_a_bill_names_the_ledgers_vendor(
    stated: dict[str, Any], vendor: dict[str, str]
) -> None:
    got = result_of(
        payment(purpose="vendor_bill", client_name=None, **stated),
        subcontractors=[SUBCONTRACTOR],
        expenses=[
            {
                "category": "Hotel",
                "account": {"id": "R1"},
                "vendor": {"id": "V8", "name": "Hotel Adler"},
            }
        ],
    )
    assert got.vendor is not None
    assert got.vendor.model_dump(exclude_none=True) == vendor
    assert (got.client, got.customer) == ("", None)


def test_a_vendor_by_an_id_that_nobody_maps_waits() -> None:
    result = mapped(payment(purpose="vendor_bill", client_name=None, vendor_id="77"))
    assert result.waits_for == ("vendor:77",)
