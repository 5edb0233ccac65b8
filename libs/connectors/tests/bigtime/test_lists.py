"""Lists: clients, projects, people, codes, rates, and what is written back to them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from hourbridge.common.errors import ConfigurationInvalid, SourceRefused, SourceThrottled


def _details(firm):
    return [call for call in firm.calls() if "/detail/" in call["path"]]


def test_clients_and_projects_with_links_and_custom_fields(firm, open_firm):
    firm.save("clients", 1, QBCustomerId="101", ClientId="EDI", LegalNm="Edison Attic Inc.")
    firm.save("clients", 1, Address="1 Lamp St", City="Menlo Park", State="NJ", Zip="08837")
    firm.save("clients", 2, IsInactive=True)
    changes = {"QBCustomerId": "102", "QBClassDefault": "3", "BillingRate": 7, "IsNoCharge": True}
    firm.save("projects", 1, **changes, BudgetHours=40, ProjectCode="EV")
    firm.act("set_fields", kind="project", id=1, values={"Retainer": "5000"})
    opened = open_firm(company="realm-1")
    clients, projects = opened.by_id("clients"), opened.by_id("projects")
    edison = clients["1"]
    assert (edison.name, edison.code, edison.legal_name) == (
        "Edison Attic",
        "EDI",
        "Edison Attic Inc.",
    )
    assert edison.addresses[0].lines == ("1 Lamp St", "Menlo Park NJ 08837")
    assert [(link.type, link.id, link.target_company) for link in edison.links] == [
        ("customer", "101", "realm-1")
    ]
    assert not clients["2"].is_active
    project = projects["1"]
    assert (project.name, project.code, project.client_id) == ("Evaluation", "EV", "1")
    assert project.path == ("Edison Attic", "Evaluation")
    assert {link.type: link.id for link in project.links} == {"customer": "102", "class": "3"}
    assert (project.rate_style.kind, project.rate_style.slot) == ("labor", 2)
    assert project.is_non_billable
    assert project.budget.hours == 40
    assert [(f.name, f.value) for f in project.custom_fields] == [("Retainer", "5000")]


def test_a_customer_without_jobs_gives_a_client_and_its_own_project(firm, opened):
    firm.save("clients", 1, QBCustomerId="101")
    firm.save("projects", 1, QBCustomerId="101", Nm="Edison Attic")
    firm.save("projects", 2, QBCustomerId="77")
    projects = opened.by_id("projects")
    assert [projects[each].is_synthetic for each in ("1", "2")] == [True, False]


def test_staff_may_be_employee_or_contractor_and_need_no_e_mail(firm, opened):
    firm.save("staff", 1, QBEmployeeId="55", Rate2=175, UsePayrollItem=True, Capacity=40)
    firm.save("staff", 2, QBVendorId="71", PostTimeAsBilled=True, EMail="", IsInactive=True)
    staff = opened.by_id("staff")
    ada, bela = staff["1"], staff["2"]
    assert (ada.display_name, ada.email, ada.employee_link) == ("Ada Berg", "ada@acme.test", "55")
    assert ada.rate_slots == (Decimal(150), Decimal(175), None, None, None)
    assert (ada.cost_rate.amount, ada.payroll.uses) == (60, True)
    assert ada.capacity_seconds_per_week == 144_000
    assert (bela.vendor_link, bela.post_time_as_bill) == ("71", True)
    assert (bela.email, bela.is_active) == (None, False)


def test_details_are_read_only_where_something_moved(firm, opened):
    assert len(opened.records("clients")) == 2
    before = len(_details(firm))
    assert opened.records("clients") == []
    assert len(_details(firm)) == before
    firm.move_clock(60)
    firm.save("clients", 2, Nm="Curie Laboratories")
    (changed,) = opened.records("clients")
    assert changed.name == "Curie Laboratories"
    assert len(_details(firm)) == before + 1


def test_a_sweep_finds_what_no_date_tells(firm, open_firm):
    opened = open_firm(sweep_hours=24)
    opened.pages("clients")
    firm.firm.tables["clients"][1]["QBCustomerId"] = "999"  # no list shows it, no date moved
    assert opened.records("clients") == []
    opened.clock.at += timedelta(hours=25)
    swept = opened.by_id("clients")
    assert swept["1"].links[0].id == "999"
    assert len(swept) == 2


def test_what_a_list_lost_is_asked_for_and_stated_as_deleted(firm, opened):
    firm.save("clients", Nm="Short Lived")
    opened.pages("clients")
    firm.act("remove", table="clients", id=3)
    (deleted,) = opened.records("clients")
    assert (deleted.external_id, deleted.name) == ("3", "Short Lived")
    assert (deleted.deleted.how, deleted.deleted.confirmed) == ("diff", True)
    assert opened.records("clients") == []
    assert opened.source.gone("clients", ["1", "3"]) == {"3"}


def test_a_long_list_is_read_in_pages_and_resumed_where_the_budget_ended(firm, open_firm):
    for number in range(10):
        firm.save("clients", Nm=f"Client {number} 🚀" + "x" * 500)
    opened = open_firm(calls_per_page=3)
    opened.budget.left = 6
    pages = [opened.page("clients"), opened.page("clients")]
    assert not pages[-1].is_last
    with pytest.raises(SourceThrottled):
        opened.page("clients")
    opened.budget.left = None
    pages += opened.pages("clients")
    ids = [each.record.external_id for page in pages for each in page.statements]
    assert ids == [str(number) for number in range(1, 13)]
    assert len({page.reading.reading_id for page in pages}) == 1
    assert [t.rows for t in pages[-1].reading.totals] == [12]


def test_labor_codes_with_and_without_items(firm, opened):
    firm.save("labor_codes", 1, QBItemId="5", GroupNm="Creative")
    firm.save("labor_codes", Nm="Vacation", NoCharge=True, IsInactive=True)
    codes = opened.by_id("labor_codes")
    assert (codes["1"].service_item_type, codes["1"].service_item_id) == ("item", "5")
    assert (codes["1"].group, codes["1"].rate_slots[0]) == ("Creative", Decimal(125))
    assert (codes["3"].service_item_type, codes["3"].non_billable) == ("none", True)
    assert not codes["3"].is_active
    firm.act("remove", table="labor_codes", id=2)
    gone = [record for record in opened.records("labor_codes") if record.deleted]
    assert [(record.external_id, record.name) for record in gone] == [("2", "Consulting")]


def test_tasks_count_apart_from_labor_codes(firm, open_firm):
    firm.save("tasks", TaskNm="Interviews", ProjectSid=1, ParentSid=1, NoCharge=True)
    firm.save("tasks", TaskNm="Done", ProjectSid=2, IsArchived=True, CurrentStatus=3)
    opened = open_firm(calls_per_page=1)
    tasks = opened.by_id("tasks")
    assert tasks.keys() == {"task:1", "task:2", "task:3"}
    assert (tasks["task:2"].parent_id, tasks["task:2"].non_billable) == ("task:1", True)
    assert (tasks["task:3"].project_id, tasks["task:3"].is_active) == ("2", False)
    assert opened.source.gone("labor_codes", ["task:1", "99"]) == {"99"}
    firm.act("remove", table="tasks", id=2)
    gone = [each for each in opened.records("tasks") if each.deleted]
    assert [each.external_id for each in gone] == ["task:2"]


def test_custom_rates_with_their_priority(firm, opened):
    firm.save("rates", ProjectSid=1, StaffSid=1, RateValue="95.50")
    firm.save("rates", ProjectSid=1, LaborCodeSid=2, RateValue=225)
    rates = sorted(opened.records("rates"), key=lambda rate: rate.priority)
    assert [(r.labor_code_id, r.staff_id, r.amount, r.priority) for r in rates] == [
        ("2", None, 225, 1),
        (None, "1", Decimal("95.50"), 2),
    ]
    firm.act("remove", table="rates", id=2)
    assert [r.external_id for r in opened.records("rates") if r.deleted] == ["2"]


def test_picklists_leave_out_the_inactive_which_are_not_gone(firm, opened):
    firm.save("qb_classes", Name="East", Group="Region")
    firm.save("qb_classes", Name="West")
    values = opened.by_id("expense_codes")
    assert values["expense_code:1"].name == "Travel"
    assert (values["class:1"].list_name, values["class:1"].group) == ("class", "Region")
    firm.save("qb_classes", 2, IsInactive=True)
    now = opened.by_id("expense_codes")
    assert (now["class:2"].name, now["class:2"].is_active) == ("West", False)
    assert now["class:2"].deleted is None


def test_feeds_are_declared_and_lists_have_no_history(opened):
    capabilities = opened.source.capabilities
    assert [feed.name for feed in capabilities.feeds] == [
        "clients",
        "projects",
        "staff",
        "labor_codes",
        "tasks",
        "expense_codes",
        "rates",
        "time",
        "expenses",
        "invoices",
    ]
    assert capabilities.feed("time").window_days == 45
    with pytest.raises(ConfigurationInvalid, match="no history"):
        opened.source.read("clients", None, object())
    with pytest.raises(ConfigurationInvalid, match="no feed"):
        opened.source.read("weather", None)
    with pytest.raises(ConfigurationInvalid, match="cursor"):
        opened.source.read("time", "{}")


def test_a_user_without_rights_gets_no_list_of_others(open_firm):
    with pytest.raises(SourceRefused) as refused:
        open_firm(user="bela").records("staff")
    assert refused.value.reason_code == "other_record_returned"
