"""A client that knows nothing of us: python-quickbooks with intuit-oauth against the stand-in."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from intuitlib.client import AuthClient
from intuitlib.exceptions import AuthClientError
from quickbooks import QuickBooks
from quickbooks.batch import batch_create, batch_delete, batch_update
from quickbooks.cdc import change_data_capture
from quickbooks.exceptions import (
    AuthorizationException,
    ObjectNotFoundException,
    QuickbooksException,
    ValidationException,
)
from quickbooks.objects import (
    Account,
    Attachable,
    AttachableRef,
    Bill,
    Class,
    CompanyInfo,
    Customer,
    Department,
    Invoice,
    Item,
    Payment,
    PaymentLine,
    Preferences,
    Ref,
    SalesItemLine,
    SalesItemLineDetail,
    Term,
    Vendor,
)
from quickbooks.objects.base import LinkedTxn

REALM = "4620816365000000001"


@pytest.fixture
def auth(server, monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    discovery = f"{server.base_url}/.well-known/openid_sandbox_configuration"
    return AuthClient(
        "sandbox-client", "sandbox-secret", "http://127.0.0.1/cb", environment=discovery
    )


@pytest.fixture
def qb(server, auth, monkeypatch):
    address = f"{server.base_url}/v3"
    monkeypatch.setattr(QuickBooks, "api_url_v3", address)
    monkeypatch.setattr(QuickBooks, "sandbox_api_url_v3", address)
    return QuickBooks(auth_client=auth, refresh_token=f"RT1-{REALM}", company_id=REALM)


def invoice(customer, amount, number=None):
    line = SalesItemLine()
    line.Amount = amount
    line.SalesItemLineDetail = SalesItemLineDetail()
    line.SalesItemLineDetail.ItemRef = Ref()
    line.SalesItemLineDetail.ItemRef.value = "1"
    made = Invoice()
    made.CustomerRef = customer.to_ref()
    made.DocNumber = number
    made.Line.append(line)
    return made


def test_tokens_are_refreshed_and_revoked(auth, server):
    auth.refresh(refresh_token=f"RT1-{REALM}")
    assert (auth.expires_in, auth.x_refresh_token_expires_in) == (3600, 8_726_400)
    assert auth.revoke(token=auth.refresh_token)
    with pytest.raises(AuthClientError) as caught:
        auth.refresh()
    assert b"invalid_grant" in caught.value.content or "invalid_grant" in str(caught.value)


def test_an_authorization_code_gives_tokens(auth, server):
    with server.world.lock:
        code = server.world.tokens.new_code(REALM)
    auth.get_bearer_token(code, realm_id=REALM)
    assert auth.access_token and auth.refresh_token


def test_queries(qb):
    assert {c.DisplayName for c in Customer.all(qb=qb)} == {"Acme", "Roof", "Bell", "O'Neil"}
    (found,) = Customer.filter(Active=True, DisplayName="O'Neil", qb=qb)
    assert found.FullyQualifiedName == "O'Neil"
    assert Customer.count(qb=qb) == 4
    assert Customer.query("select * from Customer where DisplayName LIKE 'A%'", qb=qb)
    (first, second) = Customer.all(order_by="DisplayName", start_position=1, max_results=2, qb=qb)
    assert (first.DisplayName, second.DisplayName) == ("Acme", "Bell")
    assert Customer.choose(["1", "3"], field="Id", qb=qb)[1].Id == "3"
    assert Customer.where("DisplayName = 'Nobody'", qb=qb) == []


def test_lists_are_created_read_and_changed(qb):
    customer = Customer()
    customer.DisplayName, customer.CompanyName = "Neu & Söhne 😀", "Neu"
    made = customer.save(qb=qb)
    assert (made.Id, made.SyncToken) == ("5", "0")
    customer.Id = made.Id
    read = Customer.get(customer.Id, qb=qb)
    read.CompanyName = "Neuer"
    read.save(qb=qb)
    assert Customer.get(customer.Id, qb=qb).SyncToken == "1"
    read = Customer.get(customer.Id, qb=qb)
    read.Active = False
    read.save(qb=qb)
    assert Customer.get(customer.Id, qb=qb).DisplayName == "Neu & Söhne 😀 (deleted)"
    for kind in (Department, Class):
        entry = kind()
        entry.Name = "North"
        assert entry.save(qb=qb).Id
    term = Term()
    term.Name, term.DueDays = "Net 7", 7
    assert term.save(qb=qb).Type == "STANDARD"


def test_invoices_live_and_die(qb):
    customer = Customer.get("1", qb=qb)
    made = invoice(customer, 100, "A-1")
    made = made.save(qb=qb, request_id="once")
    again = invoice(customer, 100, "A-1").save(qb=qb, request_id="once")
    assert again.Id == made.Id and Invoice.count(qb=qb) == 1
    assert made.TotalAmt == 100 and made.Balance == 100
    made.PrivateNote = "changed"
    made.save(qb=qb)
    read = Invoice.get(made.Id, qb=qb)
    assert (read.SyncToken, read.PrivateNote) == ("1", "changed")
    assert read.download_pdf(qb=qb).startswith(b"%PDF")
    read.send(qb=qb, send_to="a@example.test")
    assert Invoice.get(made.Id, qb=qb).EmailStatus == "EmailSent"
    sent = Invoice.get(made.Id, qb=qb)
    sent.void(qb=qb)
    void = Invoice.get(made.Id, qb=qb)
    assert void.TotalAmt == 0 and "Voided" in void.PrivateNote
    assert void.delete(qb=qb)["Invoice"]["status"] == "Deleted"
    with pytest.raises(ObjectNotFoundException):
        Invoice.get(made.Id, qb=qb)


def test_payments_settle_and_are_voided(qb):
    customer = Customer.get("1", qb=qb)
    made = invoice(customer, 100, "A-1").save(qb=qb)
    payment, line, link = Payment(), PaymentLine(), LinkedTxn()
    link.TxnId, link.TxnType = made.Id, "Invoice"
    line.Amount, line.LinkedTxn = 60, [link]
    payment.TotalAmt, payment.CustomerRef, payment.Line = 60, customer.to_ref(), [line]
    payment.save(qb=qb)
    assert Invoice.get(made.Id, qb=qb).Balance == 40
    Payment.get(payment.Id, qb=qb).void(qb=qb)
    assert Invoice.get(made.Id, qb=qb).Balance == 100
    assert Payment.get(payment.Id, qb=qb).TotalAmt == 0


def test_batches_have_an_outcome_per_item(qb):
    names = [f"Batch {number}" for number in range(31)]
    customers = []
    for name in [*names, "Acme"]:
        customer = Customer()
        customer.DisplayName = name
        customers.append(customer)
    result = batch_create(customers, qb=qb)
    assert len(result.successes) == 31
    (fault,) = result.faults
    assert fault.Error[0].code == "6240"
    for customer in result.successes:
        customer.CompanyName = "All"
    assert len(batch_update(result.successes, qb=qb).successes) == 31
    made = [invoice(Customer.get("1", qb=qb), 1, f"B-{n}").save(qb=qb) for n in range(3)]
    assert len(batch_delete(made, qb=qb).batch_responses) == 3
    assert Invoice.count(qb=qb) == 0


def test_change_data_capture(qb):
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds")
    made = invoice(Customer.get("1", qb=qb), 100, "A-1").save(qb=qb)
    gone = invoice(Customer.get("1", qb=qb), 100, "A-2").save(qb=qb)
    gone.delete(qb=qb)
    found = change_data_capture([Customer, Invoice, Bill], since, qb=qb)
    assert len(found.Customer._object_list) == 4
    live, dead = found.Invoice._object_list
    assert (live.Id, dead.Id, dead.status) == (made.Id, gone.Id, "Deleted")
    assert not hasattr(found, "Bill")
    too_old = (datetime.now(UTC) - timedelta(days=31)).isoformat(timespec="seconds")
    with pytest.raises(ValidationException):
        change_data_capture([Invoice], too_old, qb=qb)


def test_files_are_uploaded_and_found(qb, server, tmp_path):
    made = invoice(Customer.get("1", qb=qb), 100, "A-1").save(qb=qb)
    path = tmp_path / "receipt.txt"
    path.write_bytes(b"one\ntwo\n")
    file, reference = Attachable(), AttachableRef()
    reference.EntityRef = made.to_ref()
    reference.EntityRef.type = "Invoice"
    file.AttachableRef.append(reference)
    file.FileName, file._FilePath, file.ContentType = "receipt.txt", str(path), "text/plain"
    file.save(qb=qb)
    with server.world.lock:
        assert server.world.companies[REALM].files[file.Id] == b"one\ntwo\n"
    assert int(file.Id) > 2**64
    where = (
        f"AttachableRef.EntityRef.Type = 'invoice' AND AttachableRef.EntityRef.value = '{made.Id}'"
    )
    assert [one.Id for one in Attachable.where(where, qb=qb)] == [file.Id]


def test_company_preferences_and_the_rest(qb):
    (company,) = CompanyInfo.all(qb=qb)
    assert company.CompanyName == "Sandbox Company"
    preferences = Preferences.get(qb=qb)
    assert preferences.AccountingInfoPrefs.ClassTrackingPerTxnLine is True
    assert {a.AccountType for a in Account.all(qb=qb)} > {"Bank", "Income"}
    assert {i.Type for i in Item.all(qb=qb)} == {"Service"}


def test_faults_become_the_clients_exceptions(qb, server):
    nobody = Customer()
    nobody.DisplayName = "Acme"
    with pytest.raises(QuickbooksException) as caught:
        nobody.save(qb=qb)
    assert caught.value.error_code == 6240
    wrong = Customer.get("1", qb=qb)
    wrong.ParentRef = Ref()
    wrong.SyncToken = "9"
    with pytest.raises(QuickbooksException) as caught:
        wrong.save(qb=qb)
    assert caught.value.error_code == 5010
    with pytest.raises(ValidationException):
        Customer.query("select * from Customer where Shoe = '9'", qb=qb)
    with pytest.raises(ObjectNotFoundException):
        Vendor.get("404", qb=qb)
    with server.world.lock:
        server.world.tokens.expire_access(REALM)
    with pytest.raises(AuthorizationException):
        Customer.all(qb=qb)


def test_webhooks_carry_the_signature_that_the_client_checks(qb, server):
    qb.verifier_token = "verifier-0123"
    with server.world.lock:
        server.world.webhooks.subscribe(
            {"url": "http://127.0.0.1:9/", "verifier_token": "verifier-0123"}
        )
    invoice(Customer.get("1", qb=qb), 100, "A-1").save(qb=qb)
    with server.world.lock:
        (delivery,) = server.world.webhooks.next_delivery()
    body, signature = delivery.body.decode(), delivery.headers["intuit-signature"]
    assert qb.validate_webhook_signature(body, signature, "verifier-0123")
    assert not qb.validate_webhook_signature(body + " ", signature, "verifier-0123")
    expected = hmac.new(b"verifier-0123", delivery.body, hashlib.sha256).digest()
    assert base64.b64decode(signature) == expected
