"""Writing a book's policies down for people."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hourbridge.cli.commands.context import BookOption, admin_client
from hourbridge.cli.output import console
from hourbridge.cli.policy_documents.gathered import gather
from hourbridge.cli.policy_documents.pages import write_pages
from hourbridge.common.clock import SystemClock


def document(
    book: str = BookOption,
    out: Path = typer.Option(..., "--out", file_okay=False, help="Folder to write into."),
    year: Annotated[
        int | None,
        typer.Option(min=1990, max=2200, help="Of the calendar and the clock changes; this one."),
    ] = None,
) -> None:
    """Write mapping, time zone policy, rounding policy and billing calendar as Markdown.

    All comes from the configuration in force; the rounding examples are lines of real documents.
    """
    with admin_client() as client:
        facts = gather(client, book, year or SystemClock().now().year)
    for path in write_pages(facts, out):
        console.print(str(path), soft_wrap=True)
