"""Stories for people: what the source said, which rules decided, and every step to the cent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from hourbridge.cli.explaining.way import clock
from hourbridge.cli.output import cell, console, print_facts, print_rows

_STEPS = ("step", "rule", "from", "gives", "residue")
_RULES = ("what", "rule", "gives")
_OPERATIONS = ("kind", "state", "attempts", "created_at", "done_at", "operation_key", "error_code")
_AUDIT = ("at", "actor", "action", "outcome")
_LINES = ("line", "description", "quantity", "unit_price", "discount", "amount", "tax_amount")
_POSTINGS = ("role", "amount", "base_amount", "memo")
_STATED = (
    "work_date", "expense_date", "payment_date", "start_at", "end_at", "original_start_text",
    "original_end_text", "staff_name", "staff_id", "client_name",
    "client_id", "project_name", "project_id", "task_name", "notes",
)  # fmt: skip
Story = Mapping[str, Any]


def print_story(story: Story) -> None:
    """Print a story as tables."""
    if story["kind"] == "record":
        _print_record(story)
    elif story["kind"] == "line":
        _print_line(story)
    else:
        _print_document(story)


def _print_record(story: Story) -> None:
    _print_entry(story)
    if not story["charges"]:
        console.print("No charge: nothing of it is or was billed.")
    for charge in story["charges"]:
        _print_charge(charge)
    for told in story["documents"]:
        _print_ledger(told)


def _print_entry(story: Story) -> None:
    record, mapping = story.get("record"), story.get("mapping")
    if record is not None:
        _print_source(record)
    if mapping is None:
        console.print("Not mapped yet.")
        return
    made = mapping.get("configuration") or {}
    facts = {
        "outcome": mapping["outcome"],
        "reasons": [f"{each['code']}: {each['detail']}" for each in mapping["reasons"]],
        "applied": f"{cell(made.get('applied_at'))} by {made.get('applied_by')}" if made else None,
        "note": made.get("note"),
    }
    print_facts(f"Mapping, version {mapping['mapping_version'] or 'none'}", _present(facts))
    print_rows("Rules that decided", mapping["rules"], _RULES)
    if not mapping["is_reproduced"]:
        console.print("The tracker renamed something since: the charges show what held then.")


def _print_source(record: Story) -> None:
    state = record["state"]
    stated = {name: state.get(name) for name in _STATED}
    worked = state.get("input") or {}
    facts = {
        "source": record["source"],
        "revision": f"{record['revision']}, accepted {cell(record['accepted_at'])}",
        "received as": record["raw_ref"],
        "record": record["record_id"],
        **stated,
        "worked": clock(int(worked["seconds"])) if "seconds" in worked else None,
        "amount": state.get("amount_in") and f"{state['amount_in']} {state.get('currency', '')}",
        "former revisions": len(record["former_revisions"]) or None,
        "deleted": "yes" if record["deleted"] else None,
    }
    print_facts(f"{record['record_type']} {record['external_id']}", _present(facts))


def _print_charge(charge: Story) -> None:
    title = f"Charge {charge['charge_id']}: {charge['state']}"
    if not charge["lines"]:
        leakage = charge.get("leakage")
        why = f"; {leakage['cause']}, {leakage['seconds']} s" if leakage else ""
        console.print(f"[bold]{title}[/]{why}", soft_wrap=True)
    for billing in charge["lines"]:
        place = f"{billing['number']}:{billing['position']}"
        left = "" if billing["is_live"] else ", has left it since"
        print_rows(f"{title}, on {place} ({billing['status']}{left})", billing["way"], _STEPS)
        _print_corrections(billing["corrections"])


def _print_line(story: Story) -> None:
    document, line = story["document"], story["line"]
    print_facts(
        f"Line {line['position']} of {document['kind']} {document['number']}",
        _present(
            {
                "description": line["description"],
                "amount": f"{line['amount']} {document['currency']}",
                "credits": line.get("credits_line_id"),
                "supplements": line.get("supplements_line_id"),
                "sums": "do not add up" if story["adds_up"] is False else None,
            }
        ),
    )
    if story["corrects"]:
        print_rows("Corrects", story["corrects"], _STEPS)
    for entry in story["entries"]:
        _print_entry(entry)
        print_rows(f"Charge {entry['charge_id']}", entry["way"], _STEPS)
    _print_corrections(story["corrections"])
    _print_ledger(story)


def _print_document(story: Story) -> None:
    rows = [
        {
            **each["line"],
            "line": each["line"]["position"],
            "entries": len(each["entries"]) or None,
        }
        for each in story["lines"]
    ]
    document = story["document"]
    if rows:
        print_rows(f"Lines of {document['kind']} {document['number']}", rows, (*_LINES, "entries"))
    for each in story["lines"]:
        steps = each["line"].get("roundings") or ()
        if steps:
            title = f"Roundings of line {each['line']['position']}"
            print_rows(title, [_with_residue(step) for step in steps])
        _print_corrections(each["corrections"])
    if document.get("postings"):
        print_rows("Postings", document["postings"], _POSTINGS)
    _print_ledger(story)


def _with_residue(step: Story) -> dict[str, Any]:
    residue = Decimal(step["before"]) - Decimal(step["after"])
    return {**step, "residue": str(residue)}


def _print_ledger(told: Story) -> None:
    document = told["document"]
    posted = document.get("posted") or {}
    taxes = [f"{t['code']} {t['percent']} % of {t['taxable']}" for t in document.get("taxes") or ()]
    run = told.get("run") or {}
    facts = {
        "status": document["status"],
        "date": document["document_date"],
        "purpose": document.get("purpose"),
        "configuration": f"version {document['configuration_version']}",
        "billing run": run.get("run_id"),
        "asked by": run.get("requested_by"),
        "tax": taxes or None,
        "total": f"{document['total']} {document['currency']}",
        "rate": _rate(document.get("exchange")),
        "base total": document.get("base_total"),
        "reason": document.get("reason"),
        "in the ledger": posted.get("ledger_id"),
        "the ledger's total": posted.get("total"),
        "posted": posted.get("posted_at"),
    }
    print_facts(f"{document['kind']} {document['number']}", _present(facts))
    print_rows("Written to the ledger", told["operations"], _OPERATIONS)
    audit = [{**row, "outcome": _outcome(row["detail"])} for row in told["audit"]]
    print_rows("Audit", audit, _AUDIT)


def _rate(exchange: Story | None) -> str | None:
    if exchange is None:
        return None
    fallback = f", for {exchange['wanted_date']}" if exchange.get("is_fallback") else ""
    return (
        f"{exchange['value']} {exchange['base_currency']} of {exchange['rate_date']}{fallback} "
        f"({exchange['source']}, {exchange['rate_id']})"
    )


def _outcome(detail: Story) -> str:
    told = (detail.get(name) for name in ("outcome", "status", "code", "note"))
    return ", ".join(str(each) for each in told if each)


def _print_corrections(corrections: Sequence[Story]) -> None:
    if corrections:
        print_rows("Corrected by", corrections, ("number", "direction", "amount", "status"))


def _present(facts: Story) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value not in (None, "", [])}
