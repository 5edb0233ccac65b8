"""Connections to ledgers."""

from __future__ import annotations

import os

import typer

from hourbridge.cli.commands.context import JsonOption, admin_client
from hourbridge.cli.consent_callback import PATH, Callback, answer_in, given_consent
from hourbridge.cli.output import console, print_json, print_rows
from hourbridge.common.runtime.admin import RequestInvalid

app = typer.Typer(help="Connections to accounting systems.")
COLUMNS = (
    "name",
    "kind",
    "company_id",
    "state",
    "state_reason",
    "days_left",
    "refresh_expires_at",
    "refresh_hard_expires_at",
    "reconnect_url",
)
CONSENT_WAIT_SECONDS = 600
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


@app.command("authorize")
def authorize(
    name: str = typer.Option(..., help="The connection's name; a known one is connected anew."),
    client_id: str = typer.Option(None, help="The app's client id; needed for a new connection."),
    company_id: str = typer.Option(None, help="The realm id that must give its consent."),
    app_id: str = typer.Option(None, help="The app's id, for the address to reconnect at."),
    api_base_url: str = typer.Option(None, help="Where the company's API is."),
    token_url: str = typer.Option(None, help="Where tokens are asked for."),
    authorize_url: str = typer.Option(None, help="Where the consent is given."),
    revoke_url: str = typer.Option(None, help="Where a grant is given back."),
    port: int = typer.Option(8765, help="Port of this machine that the browser is sent back to."),
    redirect_uri: str = typer.Option(None, help="Another address that the app is registered with."),
    paste: bool = typer.Option(False, "--paste", help="Paste the address instead of listening."),
) -> None:
    """Connect a company, or connect it anew, by the consent of somebody who may give it.

    Prints the address to go to. The app must be registered with the address that the browser is
    sent back to. The client secret comes from HOURBRIDGE_CLIENT_SECRET; a known connection has it.
    """
    with admin_client() as client:
        by_hand = paste or redirect_uri is not None
        callback = None if by_hand else Callback(port)
        back = callback.address if callback else redirect_uri or f"http://localhost:{port}{PATH}"
        wanted = {
            "name": name,
            "redirect_uri": back,
            "company_id": company_id,
            "client_id": client_id,
            "client_secret": os.environ.get("HOURBRIDGE_CLIENT_SECRET") or None,
            "app_id": app_id,
            "api_base_url": api_base_url,
            "token_url": token_url,
            "authorize_url": authorize_url,
            "revoke_url": revoke_url,
        }
        present = {key: value for key, value in wanted.items() if value is not None}
        asked = client.post("poster", "/v1/connections/consents", present)
        console.print("Go to this address and give the consent:")
        console.print(asked["url"], soft_wrap=True, highlight=False)
        if callback is not None:
            answer = callback.wait(CONSENT_WAIT_SECONDS)
        else:
            answer = answer_in(typer.prompt("The address that the browser was sent to"))
        given = given_consent(answer, asked["state"])
        done = client.post("poster", "/v1/connections/consents/given", given)
    console.print(f"connected {done['connected']}, company {done['company_id']}")


@app.command("disconnect")
def disconnect(name: str = typer.Argument(..., help="The connection's name.")) -> None:
    """Give a company's grant back: nothing is posted there until it is connected anew."""
    with admin_client() as client:
        client.post("poster", f"/v1/connections/{name}/disconnect")
    console.print(f"disconnected {name}")


@app.command("list")
def list_connections(as_json: bool = JsonOption) -> None:
    """Show how connections fare, and when their tokens end."""
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
