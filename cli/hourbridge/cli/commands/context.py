"""What commands share: the client, common options, and errors that end with exit code 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from hourbridge.cli.client import AdminClient, ServiceRefused
from hourbridge.cli.output import errors, present_in, print_error
from hourbridge.cli.settings import ClientSettings
from hourbridge.common.display import Display
from hourbridge.common.errors import HourbridgeError

BookOption = typer.Option(..., "--book", "-b", help="The book.")
JsonOption = typer.Option(False, "--json", help="Print JSON instead of a table.")

EXIT_FAILED = 1
"""What was asked for did not happen, or a check found problems."""
EXIT_DISCREPANCIES = 3
"""The reconciliation ran and found discrepancies (2 is a wrong command line)."""


@contextmanager
def admin_client() -> Iterator[AdminClient]:
    """Open a client of the services; print our errors and exit with 1."""
    settings = ClientSettings()
    present_in(Display(settings.locale, settings.zone) if settings.locale else None)
    client = AdminClient(settings)
    try:
        yield client
    except HourbridgeError as error:
        fail(error)
    finally:
        client.close()


def fail(error: HourbridgeError) -> None:
    """Print an error for a person and exit with 1."""
    code = error.refusal if isinstance(error, ServiceRefused) and error.refusal else error.code
    print_error(errors, code, error)
    raise typer.Exit(EXIT_FAILED)
