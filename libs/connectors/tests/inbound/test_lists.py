"""Lists: read whole once, then by what changed; names, trees, activity, merges."""

from decimal import Decimal

import pytest

from hourbridge.connectors.source import Span
from hourbridge.sandbox.quickbooks_online import change_capture

pytestmark = pytest.mark.database

LISTS = {
    "customer": "Customer",
    "vendor": "Vendor",
    "employee": "Employee",
    "account": "Account",
    "item": "Item",
    "class": "Class",
    "term": "Term",
    "department": "Department",
    "payment_method": "PaymentMethod",
    "currency": "CompanyCurrency",
    "tax_code": "TaxCode",
    "tax_rate": "TaxRate",
}


def add_all(books):
    books.person("add", "employee", changes={"GivenName": "Ann", "FamilyName": "Lee"})
    books.person("add", "department", changes={"Name": "North"})
    books.person("add", "paymentmethod", changes={"Name": "Wire"})
    books.person("add", "companycurrency", changes={"Name": "Euro", "Code": "EUR"})


def queries(books):
    return sum(1 for call in books.calls() if call["path"] == "query")


def test_every_list_comes_in_whole_with_its_count(reader, books):
    add_all(books)
    for feed, entity in LISTS.items():
        stored = {f"{feed}:{row['Id']}" for row in books.stored(entity)}
        assert set(reader.names(feed)) == stored
        (total,) = reader.pages[-1].reading.totals
        assert (total.group, total.rows) == (entity, len(stored))
        assert reader.pages[-1].reading.is_snapshot


def test_an_entry_says_all_that_matters(reader):
    customers = reader.names("customer")
    roof = next(one for one in customers.values() if one.name == "Roof")
    assert roof.full_name == "O'Neil & Sons:Roof"
    assert customers[f"customer:{roof.parent_id}"].name == "O'Neil & Sons"
    assert roof.edit_token == "0" and roof.updated_at is not None
    assert roof.currency == "USD" and roof.is_active
    assert {one.name for one in customers.values()} >= {"n" * 500, "Ünï 😀 Café", "Back\\slash"}
    accounts = {one.name: one for one in reader.names("account").values()}
    assert accounts["Services"].type == "Income"
    assert accounts["Services"].attributes["Classification"] == "Revenue"
    (north,) = reader.names("class").values()
    assert int(north.entry_id) > 2**62  # beyond what others keep ids in


def test_after_the_first_reading_only_changes_are_stated(reader, books):
    reader.read("customer")
    books.advance(60)
    assert reader.read("customer") != []  # the overlap shows the first reading's entries again
    before = queries(books)
    assert reader.read("customer") == []
    assert reader.pages[0].skipped["stated_before"] > 0
    assert queries(books) == before
    books.advance(600)
    books.person("add", "customer", changes={"DisplayName": "Later"})
    (statement,) = reader.read("customer")
    assert statement.record.name == "Later"
    assert reader.read("customer") == []


def test_two_changes_in_one_second_are_told_apart(reader, books):
    reader.read("vendor")
    keys = []
    for name in ("Bravo 2", "Bravo 3"):
        books.person("edit", "vendor", id="1", changes={"DisplayName": name})
        (statement,) = [one for one in reader.read("vendor") if one.record.entry_id == "1"]
        assert statement.record.name == name
        keys.append(statement.order_key)
    assert keys == sorted(set(keys))


def test_a_change_that_becomes_visible_late_is_not_missed(reader, books, sandbox):
    reader.read("item")
    with sandbox.world.lock:
        company = sandbox.world.companies["4620816365000000001"]
        stamped = company.clock.stamp()
    books.advance(240)
    assert all(one.record.name != "Late" for one in reader.read("item"))
    books.person(
        "add", "item", changes={"Name": "Late", "Type": "Service", "IncomeAccountRef": {"value": 4}}
    )
    with sandbox.world.lock:
        late = next(i for i in company.tables["Item"].values() if i["Name"] == "Late")
        late["MetaData"]["LastUpdatedTime"] = stamped  # older than the last answer
    assert [one.record.name for one in reader.read("item")] == ["Late"]


def test_a_renamed_parent_renames_all_below_it(reader, books):
    reader.read("customer")
    parent = next(c for c in books.stored("Customer") if c["DisplayName"] == "O'Neil & Sons")
    books.person("edit", "customer", id=parent["Id"], changes={"DisplayName": "100% Neil's"})
    books.advance(1000)  # beyond the overlap of the first reading
    found = {}
    for one in reader.read("customer"):
        newest = found.get(one.record.full_name)
        if newest is None or one.order_key > newest.order_key:
            found[one.record.full_name] = one
    assert found["100% Neil's:Roof"].order_key >= found["100% Neil's"].order_key


def test_many_renamed_parents_lead_to_the_whole_list(reader, books):
    for number in range(25):
        parent = books.person("add", "customer", changes={"DisplayName": f"P{number}"})
        job = {"DisplayName": f"J{number}", "Job": True, "ParentRef": {"value": parent["Id"]}}
        books.person("add", "customer", changes=job)
    reader.read("customer")
    books.advance(1000)
    for customer in books.stored("Customer"):
        if customer["DisplayName"].startswith("P"):
            name = f"Q{customer['DisplayName']}"
            books.person("edit", "customer", id=customer["Id"], changes={"DisplayName": name})
    reader.read("customer")
    names = {one.record.full_name for one in reader.read("customer")}
    assert {f"QP{number}:J{number}" for number in range(25)} <= names
    assert reader.pages[-1].reading.is_snapshot


def test_an_inactivated_entry_stays_itself_under_its_new_name(reader, books):
    reader.read("vendor")
    books.person("edit", "vendor", id="1", changes={"Active": False})
    found = {one.record.external_id: one.record for one in reader.read("vendor")}
    assert found["vendor:1"].name == "Bravo (deleted)"
    assert not found["vendor:1"].is_active and found["vendor:1"].deleted is None
    assert reader.source.gone("vendor", ["vendor:1"]) == frozenset()


def test_a_merged_entry_is_gone(reader, books):
    reader.read("vendor")
    books.person("merge", "vendor", id="2", into="1")
    found = {one.record.external_id: one.record for one in reader.read("vendor")}
    assert found["vendor:2"].deleted is not None
    assert found["vendor:1"].deleted is None
    assert reader.source.gone("vendor", ["vendor:1", "vendor:2"]) == {"vendor:2"}


def test_pages_are_small_and_resumable(open_reader, books):
    reader = open_reader(page_rows=5)
    stored = {f"account:{row['Id']}" for row in books.stored("Account")}
    first = reader.source.read("account", None)
    again = reader.source.read("account", None)
    assert [s.location for s in first.statements] == [s.location for s in again.statements]
    reader.cursors["account"] = first.cursor
    rest = reader.names("account")
    told = {one.record.external_id for one in first.statements} | set(rest)
    assert told == stored
    (total,) = reader.pages[-1].reading.totals
    assert total.rows == len(stored) and reader.pages[-1].notes == ()


def test_a_cut_answer_is_completed_by_query_and_keeps_tombstones(
    open_reader, books, monkeypatch, sandbox
):
    reader = open_reader(page_rows=100)
    reader.read("customer")
    books.advance(1000)
    books.person("merge", "customer", id="4", into="3")
    monkeypatch.setattr(change_capture.changes, "__kwdefaults__", {"objects_max": 30})
    for number in range(40):
        books.person("add", "customer", changes={"DisplayName": f"Many {number}"})
    found = reader.read("customer")
    assert "left changes of customer" in reader.pages[0].notes[0]
    names = {one.record.name for one in found if one.record.deleted is None}
    assert {f"Many {number}" for number in range(40)} <= names
    assert reader.read("customer") is not None  # capture goes on where the cut answer was made


def test_a_thousand_objects_count_as_cut_even_without_a_total(reader, books, monkeypatch):
    reader.read("customer")
    books.advance(1000)
    for number in range(1000):
        books.person("add", "customer", changes={"DisplayName": f"C{number}"})
    found = reader.read("customer")
    assert len(reader.pages) > 1
    assert len({one.record.external_id for one in found}) >= 1000


def test_a_position_older_than_the_service_remembers_leads_to_the_whole_list(reader, books):
    reader.read("customer")
    books.person("merge", "customer", id="4", into="3")
    books.advance(31 * 86_400)
    found = reader.names("customer")
    assert "the whole list is read" in reader.pages[0].notes[0]
    assert reader.pages[-1].reading.is_snapshot  # so what is missing can be found
    assert "customer:4" not in found
    assert reader.source.gone("customer", ["customer:4"]) == {"customer:4"}


def test_the_service_may_find_a_position_too_old_before_we_do(reader, books, sandbox):
    reader.read("vendor")
    books.advance(29 * 86_400)
    cursor = reader.cursors["vendor"]
    sandbox.world.clock.offset_seconds += 2 * 86_400
    real = sandbox.world.clock

    class Behind:
        def now(self):
            from datetime import timedelta

            return real.now() - timedelta(days=2)

    reader.source._clock = Behind()
    page = reader.source.read("vendor", cursor)
    assert "the whole list is read" in page.notes[0]


def test_company_and_preferences(reader, books):
    definitions = [
        {
            "CustomField": [
                {
                    "Name": "SalesFormsPrefs.UseSalesCustom1",
                    "Type": "BooleanType",
                    "BooleanValue": True,
                }
            ]
        },
        {
            "CustomField": [
                {
                    "Name": "SalesFormsPrefs.SalesCustomName1",
                    "Type": "StringType",
                    "StringValue": "PO Number",
                }
            ]
        },
    ]
    books.prefer("SalesFormsPrefs", CustomField=definitions)
    books.prefer("AccountingInfoPrefs", BookCloseDate="2026-03-31")
    (company,) = reader.names("company").values()
    assert company.attributes["NameValue.OfferingSku"] == "QuickBooks Online Plus"
    assert company.attributes["Country"] == "US"
    (preferences,) = reader.names("preferences").values()
    assert preferences.attributes["AccountingInfoPrefs.BookCloseDate"] == "2026-03-31"
    assert preferences.attributes["SalesFormsPrefs.SalesCustomName1"] == "PO Number"
    assert preferences.attributes["SalesFormsPrefs.UseSalesCustom1"] == "true"
    assert preferences.attributes["CurrencyPrefs.MultiCurrencyEnabled"] == "false"


def test_exchange_rates_by_change_and_by_day(reader, books, sandbox):
    assert reader.read("exchange_rate") == []  # one currency only: nothing is asked for
    books.prefer("CurrencyPrefs", MultiCurrencyEnabled=True)
    with sandbox.world.lock:
        company = sandbox.world.companies["4620816365000000001"]
        company.rates = {"EUR": {"2026-01-02": Decimal("1.10"), "2026-01-03": Decimal("1.125")}}
    found = reader.history("exchange_rate", Span(*_days("2026-01-03", "2026-01-31")))
    (rate,) = [one.record for one in found]
    assert rate.external_id == "exchange_rate:EUR:2026-01-03"
    assert (rate.currency, rate.attributes["Rate"]) == ("EUR", "1.125")


def _days(first, last):
    from datetime import date

    return date.fromisoformat(first), date.fromisoformat(last)
