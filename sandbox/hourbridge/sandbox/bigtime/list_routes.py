"""Clients, labor codes, rates: lists, details, writes and deletions."""

from __future__ import annotations

from hourbridge.sandbox.bigtime.calls import Asked, Route
from hourbridge.sandbox.bigtime.firm import SHAPES, Firm
from hourbridge.sandbox.bigtime.refusals import invalid
from hourbridge.sandbox.bigtime.values import Row, lowered, read


def view(firm: Firm, table: str, row: Row, *, detailed: bool) -> Row:
    """Return a record as a caller sees it, with its dates."""
    everything = detailed or firm.switches.lists_show_link_fields
    stamps = {"DtCreated": row["DtCreated"], "DtModified": row["DtModified"]}
    return SHAPES[table].view(row, detailed=everything) | stamps


def upsert(asked: Asked, table: str, identity: int) -> Row:
    """Create or change the record that the body, or the route, names."""
    shape = SHAPES[table]
    body = asked.fields()
    given = lowered(body)
    identity = identity or read(given.get(shape.id_field.lower()), "id", shape.id_field)
    return asked.firm.save(table, identity, shape.changes(body))


def client_view(firm: Firm, row: Row, *, detailed: bool) -> Row:
    """Return a client as a caller sees it."""
    city = " ".join(filter(None, (row["City"], row["State"], row["Zip"])))
    lines = [line for line in (row["Address"], city, row["Country"]) if line]
    shown = view(firm, "clients", row, detailed=detailed)
    return shown | {"DisplayName": row["Nm"], "FullAddress": "\n".join(lines) or None}


def list_routes() -> list[Route]:
    """Return the routes."""
    return [
        Route("GET", "client", _clients),
        Route("GET", "client/detail/{}", _client),
        Route("POST", "client/detail", _save_client, "admin"),
        Route("POST", "client/detail/{}", _save_client, "admin"),
        Route("DELETE", "client/detail/{}", _delete_client, "admin"),
        Route("GET", "project/laborcode", _labor_codes),
        Route("GET", "project/laborcode/{}", _labor_code),
        Route("POST", "project/laborcode", _save_labor_code, "admin"),
        Route("POST", "project/laborcode/{}", _save_labor_code, "admin"),
        Route("DELETE", "project/laborcode/{}", _delete_labor_code, "admin"),
        Route("GET", "project/laborcodetypes", _labor_code_types),
        Route("GET", "project/rates", _rates),
        Route("GET", "project/rate/{}", _rate),
        Route("POST", "project/rate", _save_rate, "admin"),
        Route("DELETE", "project/rate/{}", _delete_rate, "admin"),
        Route("GET", "expense/taxrates", _tax_rates),
    ]


def _clients(asked: Asked) -> list[Row]:
    rows = asked.firm.rows("clients", inactive=asked.shows_inactive)
    return [client_view(asked.firm, row, detailed=asked.is_detailed) for row in rows]


def _client(asked: Asked) -> Row:
    row = asked.firm.need("clients", asked.identity())
    return client_view(asked.firm, row, detailed=asked.text("View") is None or asked.is_detailed)


def _save_client(asked: Asked) -> Row:
    return client_view(asked.firm, upsert(asked, "clients", asked.identity()), detailed=True)


def _delete_client(asked: Asked) -> Row:
    identity = asked.identity()
    firm = asked.firm
    firm.need("clients", identity)
    if any(project["ClientId"] == identity for project in firm.rows("projects", inactive=True)):
        raise invalid("This client has projects and cannot be deleted.")
    del firm.tables["clients"][identity]
    return {"Deleted": True}


def _labor_codes(asked: Asked) -> list[Row]:
    rows = asked.firm.rows("labor_codes", inactive=asked.shows_inactive)
    return [view(asked.firm, "labor_codes", row, detailed=True) for row in rows]


def _labor_code(asked: Asked) -> Row:
    row = asked.firm.need("labor_codes", asked.identity())
    return view(asked.firm, "labor_codes", row, detailed=True)


def _save_labor_code(asked: Asked) -> Row:
    row = upsert(asked, "labor_codes", asked.identity())
    return view(asked.firm, "labor_codes", row, detailed=True)


def _delete_labor_code(asked: Asked) -> Row:
    """Take a labor code away for good: entries that name it keep the id, without a name."""
    asked.firm.need("labor_codes", asked.identity())
    del asked.firm.tables["labor_codes"][asked.identity()]
    return {"Deleted": True}


def _labor_code_types(asked: Asked) -> list[Row]:
    groups = {row["GroupNm"] for row in asked.firm.rows("labor_codes") if row["GroupNm"]}
    return [{"Id": name, "Name": name} for name in sorted(groups)]


def _rates(asked: Asked) -> list[Row]:
    project = asked.number("ProjectSid")
    return [
        SHAPES["rates"].view(row, detailed=True)
        for row in asked.firm.rows("rates")
        if project in (0, row["ProjectSid"])
    ]


def _rate(asked: Asked) -> Row:
    return SHAPES["rates"].view(asked.firm.need("rates", asked.identity()), detailed=True)


def _save_rate(asked: Asked) -> Row:
    row = upsert(asked, "rates", 0)
    asked.firm.need("projects", row["ProjectSid"])
    return SHAPES["rates"].view(row, detailed=True)


def _delete_rate(asked: Asked) -> Row:
    asked.firm.need("rates", asked.identity())
    del asked.firm.tables["rates"][asked.identity()]
    return {"Deleted": True}


def _tax_rates(asked: Asked) -> list[Row]:
    return [
        {"Sid": row["Id"], "Nm": row["Name"], "Rate": row["Rate"]}
        for row in asked.firm.rows("tax_rates")
    ]
