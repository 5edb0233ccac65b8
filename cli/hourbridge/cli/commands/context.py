"""What commands share: the client, and errors as one line with exit code 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from hourbridge.cli.client import AdminClient
from hourbridge.cli.output import errors
from hourbridge.cli.settings import ClientSettings
from hourbridge.common.errors import HourbridgeError

BookOption = typer.Option(..., "--book", "-b", help="The book.")
JsonOption = typer.Option(False, "--json", help="Print JSON instead of a table.")


@contextmanager
def admin_client() -> Iterator[AdminClient]:
    """Open a client of the services; print our errors in one line and exit with 1."""
    client = AdminClient(ClientSettings())
    try:
        yield client
    except HourbridgeError as error:
        fail(error)
    finally:
        client.close()


def fail(error: HourbridgeError) -> None:
    """Print an error for a person and exit with 1."""
    errors.print(f"[bold red]error[/] {error}", highlight=False, soft_wrap=True)
    raise typer.Exit(1)
