"""Explaining: from the source's entry to the cent on the document, rule by rule."""

from __future__ import annotations

import typer

from hourbridge.cli.commands.context import BookOption, JsonOption, admin_client
from hourbridge.cli.explaining.finding import find
from hourbridge.cli.explaining.story import tell
from hourbridge.cli.explaining.telling import print_story
from hourbridge.cli.output import print_json


def explain(
    reference: str = typer.Argument(
        ...,
        metavar="REFERENCE",
        help="A document number (HB-12, its third line HB-12:3), a source's own id of an entry "
        "(with SOURCE/ before it where several have it), or an id of ours.",
    ),
    book: str = BookOption,
    as_json: bool = JsonOption,
) -> None:
    """Explain a cent: what the source said, which rules decided, and every rounding on the way."""
    with admin_client() as client:
        story = tell(client, book, find(client, book, reference))
    print_json(story) if as_json else print_story(story)
