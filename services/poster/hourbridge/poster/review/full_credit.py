"""Taking a posted document back as a whole: every line credited, all its work unbilled again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from hourbridge.billing.corrections import line_delta
from hourbridge.common.messages.events import Document
from hourbridge.poster.correction_plan import LinePlan
from hourbridge.poster.documents import NewLine
from hourbridge.poster.line_store import BilledCharge, StandingLine


def plans_in_full(
    lines: Sequence[StandingLine], charges: Mapping[str, Sequence[BilledCharge]]
) -> list[LinePlan]:
    """Return the plan by which nothing of the lines is left standing."""
    return [
        LinePlan(
            standing=standing,
            staying=(),
            leaving=tuple(charges.get(standing.posted.line_id, ())),
            delta=line_delta(standing.posted, ()),
        )
        for standing in lines
    ]


def redirected(
    memo: Document, lines: Sequence[NewLine], originals: Mapping[str, str]
) -> tuple[Document, tuple[NewLine, ...]]:
    """Return a credit memo whose lines credit the lines that supplements were billed for.

    What stands of a line is counted with the line itself: its supplements and their credits too.
    """
    changed = tuple(
        replace(
            new,
            line=new.line.model_copy(
                update={"credits_line_id": originals.get(new.line.credits_line_id or "")}
            ),
        )
        if new.line.credits_line_id in originals
        else new
        for new in lines
    )
    return memo.model_copy(update={"lines": tuple(new.line for new in changed)}), changed
