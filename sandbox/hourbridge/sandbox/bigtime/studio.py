"""The second firm: its ids are those of the first one, its books are not."""

from __future__ import annotations

from hourbridge.sandbox.bigtime import people
from hourbridge.sandbox.bigtime.firm import Firm, User


def fill_studio(firm: Firm) -> None:
    """Fill a studio of two in euros: one client, one project, three entries."""

    def save(table: str, **changes: object) -> None:
        people.act(firm, "save", {"table": table, "changes": changes})

    firm.currency, firm.zone = "EUR", "Europe/Berlin"
    save("staff", FName="Mia", SName="Wolf", EMail="mia@studio.test", Rate1=90, CostFactor=40)
    save("staff", FName="Jan", SName="Berg", EMail="jan@studio.test", Rate1=80, CostFactor=35)
    save("labor_codes", Nm="Entwurf")
    save("clients", Nm="Bäckerei Süß")
    save("projects", Nm="Laden", ClientId=1, BillingRate=1)
    firm.users.append(User("mia@studio.test", "studio", 1, is_admin=True))
    for day, staff, hours in (("2026-10-05", 1, 4), ("2026-10-06", 2, 2), ("2026-10-07", 1, 3)):
        body = {"Dt": day, "StaffSID": staff, "ProjectSID": 1, "BudgCatID": 1, "Hours_IN": hours}
        people.act(firm, "enter_time", {**body, "submitted": True})
    people.act(firm, "approve_time", {})
