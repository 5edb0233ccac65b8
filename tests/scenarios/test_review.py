"""Scenarios A62, A71, A72, the gate and undo (P15), explain: from the cent back to the entry.

Each is run twice: the second time must change nothing.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from hourbridge.cli.client import ServiceRefused
from hourbridge.cli.commands.billing import run_billing
from hourbridge.cli.commands.mapping import plan_mapping
from hourbridge.cli.commands.periods import close_period, reopen_period
from hourbridge.cli.explaining.finding import find
from hourbridge.cli.explaining.story import tell
from tests.scenarios.office import BOOK, Office, configuration, entry
from tests.support.installation import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.database]
GATE = {"review": {"kinds": ["invoice", "credit_memo"]}}


def money(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


def review(office: Office, what: str, **body: Any) -> Any:
    answer = office.client.post("poster", f"/v1/books/{BOOK}/review/{what}", body)
    office.settle()
    return answer


def undo(office: Office, run: dict[str, Any]) -> Any:
    path = f"/v1/billing-runs/{run['run_id']}/undo"
    office.client.post("poster", path, {"note": "wrong rate"})
    office.settle()
    return office.client.get("poster", path)


def explained(office: Office, reference: str) -> dict[str, Any]:
    return tell(office.client, BOOK, find(office.client, BOOK, reference))


def report(office: Office, name: str, **query: Any) -> Any:
    return office.client.get("reconciler", f"/v1/books/{BOOK}/reports/{name}", **query)


# --- P15: select and post -----------------------------------------------------------------------


def test_p15_a_person_selects_and_releases_what_is_posted(bare_office: Office) -> None:
    office = bare_office
    office.connect()
    office.configure(configuration(**GATE))
    office.report(entry("e1", "2.00"), entry("e2", "1.00", client_id="Birch"))
    office.bill()
    assert office.invoices() == []
    for _ in range(2):
        drafts = office.client.get("poster", f"/v1/books/{BOOK}/review")["drafts"]
        if drafts:
            review(office, "select", client="Acme", note="agreed with the client")
            review(office, "release", selected=True)
            review(office, "reject", client="Birch", note="not yet agreed")
        office.settle()
        assert office.invoices() == money("300.00")
    assert report(office, "unbilled")["unbilled_hours"] == "1.00"
    office.bill()
    assert office.invoices() == money("300.00")
    (again,) = office.client.get("poster", f"/v1/books/{BOOK}/review")["drafts"]
    assert (again["client"], again["total"]) == ("Birch", "150.00")


def test_p15_a_correction_waits_for_a_person_too(bare_office: Office) -> None:
    office = bare_office
    office.connect()
    office.configure(configuration(**GATE))
    office.report(entry("e1", "5.00"))
    office.bill()
    review(office, "release", all=True)
    office.report(entry("e1", "4.00", external_version="2"))
    office.settle()
    assert office.credit_memos() == []
    for _ in range(2):
        review(office, "release", all=True)
        assert office.credit_memos() == money("150.00")
    assert office.reconcile() == []


def test_p15_a_run_is_undone_as_a_whole_and_its_hours_are_free_once(office: Office) -> None:
    office.report(entry("e1", "2.00"), entry("e2", "1.00", client_id="Birch"), entry("e3", "0.50"))
    run = office.bill()
    assert office.invoices() == money("150.00", "375.00")
    for _ in range(2):
        undone = undo(office, run)
        assert undone["state"] == "undone"
        assert [row["outcome"] for row in undone["documents"]] == ["credited"] * 2
        assert office.credit_memos() == money("150.00", "375.00")
    assert report(office, "unbilled")["unbilled_hours"] == "3.50"
    again = office.bill()
    assert again["documents"] == 2
    assert sum(office.invoices()) - sum(office.credit_memos()) == Decimal("525.00")
    office.bill()
    assert len(office.invoices()) == 4
    assert office.reconcile() == []


# --- explain and residue --------------------------------------------------------------------------


def test_every_cent_is_explained_from_the_entry_to_the_invoice(bare_office: Office) -> None:
    office = bare_office
    office.connect()
    policy = {"increment_seconds": 900, "mode": "up", "minimum_seconds": 1800}
    rates = {"use_source_rate": False, "rules": [{"client": "Acme", "amount": "133.33"}]}
    office.configure(configuration(rounding=policy, rates=rates))
    short = entry("e1", "0.10", notes="a call")
    long = entry("e2", "1.10", notes="a workshop")
    office.report(short, long)
    office.bill()
    (invoice,) = office.documents_of("Acme")
    for _ in range(2):
        story = explained(office, "e2")
        assert story["record"]["state"]["notes"] == "a workshop"
        rules = {rule["what"]: rule for rule in story["mapping"]["rules"]}
        assert rules["rate"]["rule"] == "rule client=Acme"
        assert rules["rounding"]["gives"].startswith("per entry; at least 30 min; 15 min up")
        (charge,) = story["charges"]
        steps = {step["step"]: step for step in charge["lines"][0]["way"]}
        assert (steps["worked"]["gives"], steps["increment"]["gives"]) == ("1:06 h", "1:15 h")
        assert steps["increment"]["residue"] == "-540 s"
        assert (steps["money"]["from"], steps["line amount"]["gives"]) == ("166.6625", "166.66")
        (document,) = story["documents"]
        assert {row["action"] for row in document["audit"]} >= {"ledger.exchange", "ledger.create"}

        position = next(n for n in (1, 2) if invoice["lines"][n - 1]["amount"] == "66.67")
        line = explained(office, f"{invoice['number']}:{position}")
        assert line["adds_up"] is True
        (told,) = line["entries"]
        assert told["record"]["external_id"] == "e1"
        steps = {step["step"]: step for step in told["way"]}
        assert (steps["minimum"]["residue"], steps["money"]["from"]) == ("-1440 s", "66.665")

    residue = report(office, "residue")
    sums = {row["step"]: row["residue"] for row in residue["totals"]}
    assert sums == {"increment": "-540", "minimum": "-1440", "money": "-0.0025"}
    (balance,) = residue["balance"]
    assert balance["worked_seconds"] == 4320
    assert balance["billed_seconds"] == 6300
    assert balance["rounding_seconds"] == -1980
    assert office.reconcile() == []


def test_a_line_still_adds_up_when_its_work_was_corrected_capped_or_deleted(
    bare_office: Office,
) -> None:
    office = bare_office
    office.connect(customers={"Acme": [], "Birch": []})
    clients = [{"client": name, "customer": {"name": name}} for name in ("Acme", "Birch")]
    capped = {**clients[0], "cap": {"amount": "400.00"}}
    office.configure(configuration(clients=[capped, clients[1]], projects=[]))
    office.report(entry("less", "1.12"), entry("cut", "2.00", day="2026-01-16"))
    office.report(entry("gone", "1.11", client_id="Birch"))
    office.bill()
    office.configure(configuration(clients=clients, projects=[]))
    office.bill()
    office.report(entry("less", "0.61", external_version="2"))
    deleted = {"external_version": "2", "deleted": {"how": "feed"}}
    office.report(entry("gone", "1.11", client_id="Birch", **deleted))
    office.settle()
    wait_until(lambda: len(office.credit_memos()) == 2, "the credit memos")
    for _ in range(2):
        for row in office.documents():
            for line in office.document(row["number"])["lines"]:
                assert explained(office, f"{row['number']}:{line['position']}")["adds_up"] is True
        (charge,) = explained(office, "gone")["charges"]
        assert charge["state"] == "withdrawn"
        (birch,) = office.documents_of("Birch")
        (told,) = explained(office, f"{birch['number']}:1")["entries"]
        assert (told["is_live"], told["record"]["external_id"]) == (False, "gone")
        (charge,) = explained(office, "less")["charges"]
        steps = {step["step"]: step for step in charge["lines"][0]["way"]}
        assert (steps["worked"]["gives"], steps["billed"]["gives"]) == ("1:07:12 h", "1:06 h")


# --- leakage, refusals, close ---------------------------------------------------------------------


def test_a62_unbilled_hours_are_leakage_by_client_and_project(office: Office) -> None:
    days = [f"2026-01-{day:02}" for day in range(1, 17)]
    office.report(*(entry(f"e{n}", "7.50", day=day) for n, day in enumerate(days)))
    office.settle()
    office.bill("2026-01-15")
    for _ in range(2):
        answer = report(office, "unbilled", older_than_days=0)
        (leaked,) = answer["leakage_rows"]
        assert answer["charged"][0]["hours"] == "120.00"
        assert answer["billed"][0]["hours"] == "112.50"
        assert answer["parked"] == []
        assert (leaked["client"], leaked["hours"], leaked["percent"]) == ("Acme", "7.50", "6.25")
        assert leaked["amount"] == "1125.00"
    (time,) = report(office, "categories")["time"]
    assert (time["worked_hours"], time["billed_hours"], time["unbilled_hours"]) == (
        "120.00",
        "112.50",
        "7.50",
    )


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (
            {"start_at": "2026-01-15T10:00:00-05:00", "end_at": "2026-01-15T09:00:00-05:00"},
            "end_at lies before start_at",
        ),
        (
            {"bill_rate": {"amount": "-150.00", "unit": "hour"}},
            "bill_rate.amount must not be negative",
        ),
        ({"currency": "XAU"}, "XAU"),
    ],
    ids=["end before start", "negative rate", "unknown currency"],
)
def test_a71_what_makes_no_sense_is_refused_at_the_door(
    office: Office, fields: dict[str, Any], why: str
) -> None:
    for _ in range(2):
        (answer,) = office.report(entry("bad", "1.00", **fields))["events"]
        assert answer["status"] == "rejected"
        assert any(why in reason["detail"] for reason in answer["reasons"])
    office.settle()
    office.bill()
    assert office.invoices() == []
    assert office.reconcile() == []


def test_a72_a_closed_month_stays_as_it_was_or_has_to_be_reopened(office: Office) -> None:
    hours = ["1.00", "2.50", "0.70"]
    office.report(*(entry(f"e{n}", each, day="2026-03-10") for n, each in enumerate(hours)))
    office.report(entry("n1", "2.00", day="2026-03-11", billable_state="non_billable"))
    office.bill("2026-03-31")
    assert office.invoices() == money("630.00")
    for _ in range(2):
        closed = close_period(office.client, BOOK, "2026-03", "month end")
        assert closed["totals_hash"].startswith("sha256:")
        assert closed["totals"]["documents"][0]["total"] == "630.00"
        assert closed["explained"] == []
        assert closed["frozen"]["mapping_versions"] == [1]
        assert office.reconcile() == []
    first = closed["totals_hash"]

    office.report(entry("late", "3.00", day="2026-03-12"))
    office.bill("2026-03-31")
    (parked,) = [row for row in office.documents() if row["status"] == "parked"]
    assert parked["reason"]["code"] == "period_closed"
    assert parked["reason"]["waits_for"] == "approval:2026-04-01"
    assert office.invoices() == money("630.00")
    (found,) = office.reconcile()
    assert (found["cause"], found["expected"]) == ("period_changed", first)
    (change,) = found["detail"]["changed"]["charges"]["now"]
    assert change["worked_seconds"] == 25_920

    reopen_period(office.client, BOOK, "2026-03", "late entry approved")
    office.client.post("poster", f"/v1/parked/{parked['document_id']}/release", {})
    office.settle()
    assert office.reconcile() == []
    again = close_period(office.client, BOOK, "2026-03", "month end")
    assert again["totals_hash"] != first
    assert len(office.client.get("reconciler", f"/v1/books/{BOOK}/periods")["closes"]) == 2


def test_a61_a_month_with_a_suspected_duplicate_cannot_be_closed(office: Office) -> None:
    office.report(entry("e1", "5.00", day="2026-03-10"))
    office.bill("2026-03-31")
    (ours,) = office.ledger("Invoice")
    by_hand = {name: ours[name] for name in ("CustomerRef", "TxnDate", "Line")}
    office.person("add", "invoice", changes={**by_hand, "DocNumber": "1001"})
    for _ in range(2):
        with pytest.raises(ServiceRefused, match="target_only 1001"):
            close_period(office.client, BOOK, "2026-03", "month end")


def increment_of(office: Office, external_id: str) -> int:
    (charge,) = explained(office, external_id)["charges"]
    return int(charge["charge"]["rounding"]["increment_seconds"])


# --- what a policy would change -------------------------------------------------------------------


def test_a_plan_shows_what_it_would_change_and_leaves_what_is_posted(office: Office) -> None:
    office.report(entry("e1", "1.10"), entry("e2", "0.70", client_id="Birch"))
    office.settle()
    run_billing(office.client, BOOK, "2026-01-31", scope={"client": "Acme"})
    office.settle()
    assert office.invoices() == money("165.00")
    quarter_hours = {"increment_seconds": 900, "mode": "up"}
    planned = configuration(rounding=quarter_hours)
    for _ in range(2):
        plan = plan_mapping(office.client, json.dumps(planned).encode())
        effect = plan["documents"]
        assert (effect["posted_unchanged"], effect["unposted"]) == (1, 1)
        (birch,) = effect["clients"]
        assert (birch["client"], birch["before"]["amount"], birch["after"]["amount"]) == (
            "Birch",
            "105.00",
            "112.50",
        )
    office.configure(planned)
    wait_until(lambda: increment_of(office, "e2") == 900, "the new policy to reach the charge")
    office.bill()
    assert office.invoices() == money("112.50", "165.00")
    assert increment_of(office, "e1") == 360
    assert office.credit_memos() == []
    assert office.reconcile() == []
