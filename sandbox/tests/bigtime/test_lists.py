"""Lists: views, writes, links, custom fields, picklists and dangling names (checklist 7)."""

from __future__ import annotations


def test_inactive_ones_show_only_when_asked_for(firm, client):
    firm.save("clients", 2, IsInactive=True)
    assert [row["Nm"] for row in client.get("client")] == ["Edison Attic"]
    assert len(client.get("client", ShowInactive="TRUE")) == 2
    assert client.get("client/detail/2")["IsInactive"]


def test_inactive_labor_code_leaves_the_picklist_and_stays_on_old_time(firm, client):
    firm.enter("2026-10-06", "1", approved=True)
    firm.save("labor_codes", 1, IsInactive=True)
    choices = client.get("picklist/LaborCodes")
    assert [(row["Id"], row["Name"]) for row in choices] == [("2", "Consulting")]
    (row,) = client.sheet()
    assert (row["BudgCatID"], row["BudgCatNm"]) == (1, "Design")
    body = {"Dt": "2026-10-06", "StaffSID": 1, "ProjectSID": 1, "BudgCatID": 1, "Hours_IN": 1}
    assert client.status("POST", "time", body) == 400


def test_removed_labor_code_dangles(firm, client):
    firm.enter("2026-10-06", "1", approved=True)
    client.delete("project/LaborCode/1")
    (row,) = client.sheet()
    assert (row["BudgCatID"], row["BudgCatNm"]) == (1, None)
    assert client.status("GET", "project/laborcode/1") == 404


def test_renaming_shows_everywhere_at_once_and_moves_the_lists_date_alone(firm, client):
    firm.enter("2026-10-06", "1", approved=True)
    before, stamp = client.sheet()[0], client.get("client/detail/1")["DtModified"]
    firm.move_clock(60)
    client.post("client/detail/1", {"Nm": "Edison & Söhne 🚀"})
    after = client.sheet()[0]
    assert (before["ClientNm"], after["ClientNm"]) == ("Edison Attic", "Edison & Söhne 🚀")
    assert before["DtModified"] == after["DtModified"]
    assert client.get("client/detail/1")["DtModified"] > stamp
    assert client.get("project/detail/1")["DisplayName"] == "Edison & Söhne 🚀:Evaluation"


def test_a_write_changes_only_what_it_names(client):
    made = client.post("client/detail", {"Nm": "Bolt", "City": "Riga", "QBCustomerId": "4711"})
    changed = client.post("client/detail", {"SystemId": made["SystemId"], "City": "Jelgava"})
    assert (changed["Nm"], changed["City"], changed["QBCustomerId"]) == ("Bolt", "Jelgava", "4711")
    assert client.status("POST", "client/detail/999", {"Nm": "X"}) == 404
    assert client.status("POST", "client/detail/1", {"Nm": ""}) == 400


def test_links_to_the_ledger_are_kept_and_shown_in_detail(client):
    links = {"QBCustomerId": "7", "QBClassDefault": "3"}
    project = client.post("project/detail", {"Nm": "P", "ClientId": 1, **links})
    detail = client.get(f"project/detail/{project['SystemId']}")
    assert {name: detail[name] for name in links} == links
    staff = client.post("staff/add", {"FName": "Cy", "SName": "Doe", "QBVendorId": "71"})
    linked = client.post(f"staff/detail/{staff['StaffSID']}", {"QBEmployeeId": 55})
    assert (linked["QBVendorId"], linked["QBEmployeeId"]) == ("71", "55")
    code = client.post("project/laborcode", {"Nm": "QA", "QBItemId": "9", "Rate1": "80"})
    assert client.get(f"Project/LaborCode/{code['Sid']}")["QBItemId"] == "9"
    listed = client.get("project")
    assert all("QBCustomerId" not in row for row in listed)


def test_clients_with_projects_and_projects_with_time_stay(firm, client):
    firm.enter("2026-10-06", "1")
    assert client.status("DELETE", "client/detail/1") == 400
    assert client.status("DELETE", "project/detail/1") == 400
    assert client.delete("project/detail/2") == {"Deleted": True}
    assert client.delete("client/detail/2") == {"Deleted": True}


def test_projects_need_an_existing_client(client):
    assert client.status("POST", "project/detail", {"Nm": "P"}) == 400
    assert client.status("POST", "project/detail", {"Nm": "P", "ClientId": 99}) == 400


def test_tasks_with_parents(client):
    child = client.post("task/detail", {"TaskNm": "Talks", "ProjectSid": 1, "ParentSid": 1})
    assert child["FullName"] == "Phase 1:Talks"
    client.post("task/detail/1", {"IsArchived": True})
    assert [row["TaskNm"] for row in client.get("task/listByProject/1")] == ["Talks"]
    assert len(client.get("task/listByProject/1", showCompleted="true")) == 2
    assigned = {"AssignmentList": [{"StaffSid": 2, "Nm": "Cohn"}]}
    client.post(f"task/detail/{child['TaskSid']}", assigned)
    assert [row["TaskNm"] for row in client.get("task/ListByStaffer/2")] == ["Talks"]


def test_custom_fields_by_id_and_by_name(client):
    (made,) = client.post("project/customfields/1", [{"Name": "PO", "Value": 4711}])
    assert made == {"Sid": 1, "Name": "PO", "Value": "4711", "ProjectSid": 1}
    client.post("project/CustomFieldsByName", {"ProjectSid": 2, "Name": "PO", "Value": "12"})
    assert client.get("project/customfields/2")[0]["Sid"] == made["Sid"]
    client.post("project/customfields/1", {"Sid": 1, "Value": None})
    assert client.get("project/detail/1")["UdfList"][0]["Value"] is None
    client.post("staff/UDFListByName", {"StaffSid": 1, "Name": "Badge", "Value": "A1"})
    assert client.get("staff/UDFList/1") == [{"Sid": 1, "Name": "Badge", "Value": "A1"}]


def test_team(client):
    client.post("project/team/1", [{"staffsid": 1, "ContactRole": "Manager", "TeamLead": True}])
    (member,) = client.get("project/Team/1")
    assert (member["StaffNm"], member["TeamLead"]) == ("Berg, Ada", True)


def test_invitations_may_fail_in_part_with_202(firm, client):
    firm.save("staff", SName="Mute")
    firm.save("staff", SName="New", EMail="new@acme.test")
    answer = client.send("POST", "staff/invite", {"InviteStaffSids": [1, 3, 4]})
    assert answer.status_code == 202
    told = answer.json()
    assert told["SuccessfullyInvitedStaffSids"] == [4]
    failed = told["FailedInviteStaffErrors"]
    assert failed["StaffSids"] == [1, 3]
    assert failed["FailureErrorMessages"][1] == {
        "StaffSid": 3,
        "ErrorMessage": "The staff member has no e-mail address.",
    }


def test_picklist_ids_are_text_and_sorted_by_name(firm, client):
    for name in ("west", "East", "Closed"):
        firm.save("qb_classes", Name=name, IsInactive=name == "Closed")
    rows = client.get("picklist/QBClasses")
    assert [(row["Id"], row["Name"]) for row in rows] == [("2", "East"), ("1", "west")]
    assert client.get("picklist/projects", staffsid="2") == client.get("picklist/projects")
    for name in ("QBAccountList", "QBList", "PayrollItems", "Staff", "TimeZones", "TaskStatus"):
        assert isinstance(client.get(f"picklist/{name}"), list)
    assert client.status("GET", "picklist/nothing") == 404


def test_numbers_of_states_can_be_read_at_run_time(client):
    statuses = client.get("picklist/FieldValues/StatusExpenseRpt")
    assert {"Id": "2", "Name": "Submitted", "Group": None, "IsInactive": False} in statuses
    assert client.get("Picklist/FieldValues/CurrencyList")
    assert client.status("GET", "picklist/FieldValues/Zodiac") == 404


def test_expense_codes_are_made_by_a_picklist(client):
    code = client.post("picklist/ExpenseCode", {"Nm": "Hotel", "QBAccountId": "61"})
    changed = client.post("picklist/ExpenseCode", {"Sid": code["Sid"], "Nm": "Lodging"})
    assert (changed["Sid"], changed["QBAccountId"]) == (code["Sid"], "61")
    names = [row["Name"] for row in client.get("picklist/ExpenseCodes")]
    assert names == ["Lodging", "Travel"]


def test_names_of_any_length_and_script(client):
    for name in ("x" * 500, "👩‍🚀 日本語 עברית", 'O\'Neil:Sons "quoted" <b>'):
        made = client.post("client/detail", {"Nm": name})
        assert client.get(f"client/detail/{made['SystemId']}")["Nm"] == name
