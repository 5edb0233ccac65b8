"""Connections to ledgers."""

from __future__ import annotations

import os

import typer

from hourbridge.cli.commands.context import JsonOption, admin_client
from hourbridge.cli.output import console, print_json, print_rows
from hourbridge.common.runtime.admin import RequestInvalid

app = typer.Typer(help="Connections to accounting systems.")
COLUMNS = ("name", "kind", "company_id", "state", "state_reason", "refresh_expires_at")
PRODUCTION_API = "https://quickbooks.api.intuit.com"
PRODUCTION_TOKENS = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"


@app.command("connect")
def connect(
    name: str = typer.Option(..., help="The connection's name, as book configurations use it."),
    company_id: str = typer.Option(..., help="The realm id of the company."),
    client_id: str = typer.Option(..., help="The app's client id."),
    api_base_url: str = typer.Option(PRODUCTION_API, help="Where the company's API is."),
    token_url: str = typer.Option(PRODUCTION_TOKENS, help="Where tokens are refreshed."),
) -> None:
    """Connect a QuickBooks Online company.

    The secrets come from HOURBRIDGE_CLIENT_SECRET and HOURBRIDGE_REFRESH_TOKEN, so that they
    don't stand in the shell's history.
    """
    with admin_client() as client:
        client.post(
            "poster",
            "/v1/connections",
            {
                "name": name,
                "company_id": company_id,
                "client_id": client_id,
                "api_base_url": api_base_url,
                "token_url": token_url,
                "client_secret": _secret("HOURBRIDGE_CLIENT_SECRET"),
                "refresh_token": _secret("HOURBRIDGE_REFRESH_TOKEN"),
            },
        )
    console.print(f"connected {name}")


@app.command("list")
def list_connections(as_json: bool = JsonOption) -> None:
    """Show how connections fare."""
    with admin_client() as client:
        rows = client.get("poster", "/v1/connections")["connections"]
    print_json(rows) if as_json else print_rows("Connections", rows, COLUMNS)


@app.command("lanes")
def list_lanes(as_json: bool = JsonOption) -> None:
    """Show the ledgers that can't be posted to now, and why."""
    with admin_client() as client:
        rows = client.get("poster", "/v1/lanes")["lanes"]
    print_json(rows) if as_json else print_rows("Stopped lanes", rows)


def _secret(variable: str) -> str:
    value = os.environ.get(variable, "")
    if not value:
        raise RequestInvalid(
            f"the environment variable {variable} is not set",
            advice="Export it; secrets are not taken from the command line.",
        )
    return value
