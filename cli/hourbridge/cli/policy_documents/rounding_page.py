"""The rounding policy: the order of operations, who has which policy, and real lines worked out."""

from __future__ import annotations

from collections.abc import Iterator

from hourbridge.billing.increments import bill_seconds
from hourbridge.cli.policy_documents.gathered import Example, Gathered
from hourbridge.cli.policy_documents.markdown import holds, minutes, table
from hourbridge.common.book import RoundingPolicy
from hourbridge.common.money import decimal_text

_ORDER = (
    "gather what the scope adds up",
    "raise to the minimum, if there is one",
    "round to the billing increment",
    "take the billable part, if not all is billed",
    "turn into hours, exact or at the policy's decimals",
    "multiply by the rate, exactly",
    "round the money once, to the currency's minor unit (ISO 4217)",
)
_ILLUSTRATED_SECONDS = (60, 180, 450, 900, 1_350, 3_000)


def rounding_page(facts: Gathered) -> str:
    """Return the page."""
    lines = facts.headed("Rounding policy")
    lines += ["## Order of operations", ""]
    lines += [f"{number}. {step}" for number, step in enumerate(_ORDER, 1)]
    lines += ["", *_policies(facts), *_worked(facts)]
    lines += [
        "Every rounding is kept with its line: what went in, by whose policy, what came out. "
        "`hourbridge explain` shows one line, `hourbridge report residue` the sums.",
    ]
    return "\n".join(lines).rstrip() + "\n"


def _policies(facts: Gathered) -> list[str]:
    headings = (
        *("whose", "increment", "mode", "added up", "minimum"),
        *("billed part", "hours", "money", "holds"),
    )
    return ["## Policies", "", *table(headings, _rows(facts), "")]


def _rows(facts: Gathered) -> Iterator[tuple[str, ...]]:
    book = facts.book
    yield ("the book", *_words(book.rounding), "always, where nothing below says otherwise")
    for dated in book.policies:
        if dated.rounding is not None:
            yield ("the book", *_words(dated.rounding), holds(dated))
    for project in book.projects:
        if project.rounding is not None:
            yield (f"project {project.project}", *_words(project.rounding), holds(project))
    for client in book.clients:
        if client.rounding is not None:
            yield (f"client {client.client}", *_words(client.rounding), holds(client))


def _words(policy: RoundingPolicy) -> tuple[str, ...]:
    scope = f"per {policy.scope.value}"
    if policy.day_key is not None:
        scope += f" by {', '.join(policy.day_key) or 'nothing else'}"
    least = "none"
    if policy.minimum_seconds:
        exempt = "as it stands" if policy.minimum_exempt_from_increment else "then rounded"
        least = f"{minutes(policy.minimum_seconds)} per {policy.minimum_of or 'group'}, {exempt}"
    part = (
        "all" if policy.billable_percent is None else f"{decimal_text(policy.billable_percent)} %"
    )
    decimals = policy.quantity_decimals
    return (
        minutes(policy.increment_seconds),
        policy.mode.value.replace("_", " "),
        scope,
        least,
        part,
        "exact" if decimals is None else f"{decimals} decimals",
        str(policy.money_mode).replace("_", " "),
    )


def _worked(facts: Gathered) -> list[str]:
    if not facts.examples:
        return _illustrated(facts)
    lines = ["## Worked examples, from documents of this book", ""]
    for example in facts.examples:
        lines += _example(facts, example)
    return lines


def _example(facts: Gathered, example: Example) -> list[str]:
    shown, document, line = facts.display, example.document, example.line
    price = shown.money(line.unit_price, document.currency)
    amount = shown.money(line.amount, document.currency)
    sum_text = f"{shown.number(line.quantity)} x {price} = {amount}"
    rows = [
        (
            step.step.replace("_", " "),
            step.of,
            decimal_text(step.before),
            f"{step.mode.replace('_', ' ')} to {step.unit}",
            decimal_text(step.after),
            decimal_text(step.residue),
            step.policy or "",
        )
        for step in line.roundings
    ]
    return [
        f"**{document.number}, line {line.position}**: {line.description}",
        "",
        f"Worked {shown.duration(line.worked_seconds)}, billed "
        f"{shown.duration(line.billed_seconds)}: {sum_text}",
        "",
        *table(("step", "of", "in", "rounded", "out", "residue", "by"), rows, "Nothing rounded."),
    ]


def _illustrated(facts: Gathered) -> list[str]:
    """Return what the book's policy makes of some durations, while there is no real line."""
    policy = facts.book.rounding
    rows = []
    for seconds in _ILLUSTRATED_SECONDS:
        billed, steps = bill_seconds(seconds, policy, "one entry")
        why = ", ".join(f"{step.step}: {decimal_text(step.residue)} s" for step in steps)
        rows.append((minutes(seconds), minutes(billed), why or "unchanged"))
    return [
        *("## What the book's policy makes of single entries", ""),
        "No document of this book has been rounded yet; these are not of its clients.",
        "",
        *table(("worked", "billed", "residue"), rows, ""),
    ]
