"""Golden examples of every message type, built from its schema: minimal, full and awkward.

Minimal has required fields only; full has every field at every depth; awkward has every field at
the edge of what is allowed. All are deterministic, so that a change of a model shows in a diff.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from hourbridge.common.messages.example_values import (
    AWKWARD_IDENTIFIER,
    AWKWARD_TEXT,
    LONGEST_IDENTIFIER,
    REFERENCES,
    SOURCE,
    VALUES,
)
from hourbridge.common.messages.registry import Registered

Json = Any
Schema = dict[str, Any]

LARGEST_SAFE_INTEGER = 2**53 - 1
"""Beyond it, readers that parse numbers as binary floating point lose digits."""


class Style(StrEnum):
    """How much an example says."""

    MINIMAL = "minimal"
    FULL = "full"
    AWKWARD = "awkward"


def example(registered: Registered, style: Style) -> dict[str, Json]:
    """Return the body of a message of this type, as parsed JSON."""
    schema = registered.event.model_json_schema(mode="validation")
    body: dict[str, Json] = _Builder(schema, style).model("Event", schema)
    body["type"] = registered.type
    if "record_type" in body["data"] and registered.type.endswith(".accepted.v1"):
        body["data"]["record_type"] = registered.routing_key.partition(".")[0]
    return {name: body[name] for name in ("specversion", "id", *body)}


_NEVER_AWKWARD = {
    *("book", "source", "zone", "iana", "home_timezone", "mode", "effective_from", "effective_to"),
    *("percent", "billable_percent", "holdback_percent", "top_up_below", "top_up_to"),
    *("correlationid", "causationid", "traceparent", "tracestate", "dataschema"),
}
"""Fields whose values have a form that their schema does not tell."""


class _Builder:
    def __init__(self, schema: Schema, style: Style) -> None:
        self._definitions: dict[str, Schema] = schema.get("$defs", {})
        self._style = style

    def model(self, name: str, schema: Schema) -> dict[str, Json]:
        """Return an object of one model, with the fields that the style asks for."""
        wanted = set(schema.get("required", ()))
        if self._style is not Style.MINIMAL:
            wanted = set(schema.get("properties", {}))
        elif name == "Event":
            wanted |= {"specversion"}
        built = {
            field: self._field(name, field, part)
            for field, part in schema.get("properties", {}).items()
            if field in wanted
        }
        return _consistent(name, self._style, built)

    def _field(self, model: str, field: str, schema: Schema) -> Json:
        known = VALUES.get(f"{model}.{field}", VALUES.get(field))
        if self._style is Style.AWKWARD and not self._must_stay(field):
            known = None
        if known is not None and self._fits(known, schema):
            return known
        return self._value(schema, field)

    def _must_stay(self, field: str) -> bool:
        return field in _NEVER_AWKWARD

    def _fits(self, value: Json, schema: Schema) -> bool:
        """Return whether a known value is of the kind that the schema asks for."""
        options = [self._resolve(part) for part in schema.get("anyOf", [schema])]
        kind = {str: "string", int: "integer", dict: "object", list: "array"}[type(value)]
        return any(
            option.get("type") == kind
            and value in option.get("enum", [value])
            and (kind != "object" or "properties" not in option)
            for option in options
        )

    def _resolve(self, schema: Schema) -> Schema:
        reference = schema.get("$ref")
        return self._definitions[reference.rpartition("/")[2]] if reference else schema

    def _value(self, schema: Schema, field: str) -> Json:
        if "anyOf" in schema:
            return self._value(schema["anyOf"][0], field)
        if "$ref" in schema:
            return self._referenced(schema["$ref"].rpartition("/")[2], field)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][-1 if self._style is Style.AWKWARD else 0]
        return self._plain(schema, field)

    def _referenced(self, name: str, field: str) -> Json:
        target = self._definitions[name]
        if name == "LedgerReference" and self._style is Style.FULL:
            return REFERENCES[field]
        if "properties" in target:
            return self.model(name.partition("_")[0], target)
        return self._value(target, field)

    def _plain(self, schema: Schema, field: str) -> Json:
        kind = schema.get("type")
        if kind == "array":
            return self._array(schema, field)
        if kind == "object":
            inner = schema.get("additionalProperties", True)
            value = self._value(inner, field) if isinstance(inner, dict) else "any"
            return {} if self._style is Style.AWKWARD else {"key": value}
        if kind == "integer":
            return self._integer(schema)
        if kind == "boolean":
            return self._style is not Style.AWKWARD
        return self._text(schema, field)

    def _array(self, schema: Schema, field: str) -> Json:
        least = schema.get("minItems", 0)
        if "prefixItems" in schema:
            return [self._value(part, field) for part in schema["prefixItems"]]
        is_bare = self._style is Style.AWKWARD and "properties" not in self._resolve(
            schema["items"]
        )
        count = least if is_bare else max(least, 1)
        singular = field.removesuffix("s")
        return [self._field("", singular, schema["items"]) for _ in range(count)]

    def _integer(self, schema: Schema) -> int:
        least: int = schema.get("minimum", 0)
        if self._style is not Style.AWKWARD:
            return max(least, 1)
        most: int = schema.get("maximum", LARGEST_SAFE_INTEGER)
        return most

    def _text(self, schema: Schema, field: str) -> str:
        awkward = self._style is Style.AWKWARD
        if schema.get("format") == "date-time":
            return "2026-10-25T00:59:59.999999Z" if awkward else "2026-04-01T09:00:00Z"
        if schema.get("format") == "date":
            return "2024-02-29" if awkward else "2026-03-31"
        pattern = schema.get("pattern")
        if pattern:
            return _text_of_pattern(pattern, awkward=awkward)
        if not awkward:
            return f"{field.replace('_', '-')}-1"
        if "maxLength" not in schema:
            return AWKWARD_TEXT
        longest = LONGEST_IDENTIFIER if field == "external_id" else AWKWARD_IDENTIFIER
        return longest[: schema["maxLength"]]


_PATTERN_STARTS = {
    "^-?[0-9]": ("12.50", "98765432109876543210.000000000000000001"),
    "^[A-Z]{3}": ("USD", "KWD"),
    "^[A-Z0-9]{1,4}": ("HB", "9Z9Z"),
    "^[a-z0-9]": (SOURCE, SOURCE),
    "^(Assets|": ("Assets:Receivable", "Equity:Opening-Balances-2026:0"),
    "^hourbridge": ("hourbridge.time_entry.reported.v1",) * 2,
}


def _text_of_pattern(pattern: str, *, awkward: bool) -> str:
    for start, texts in _PATTERN_STARTS.items():
        if pattern.startswith(start):
            return texts[awkward]
    raise ValueError(f"no example for texts of the pattern {pattern}; add one to examples.py")


def _consistent(name: str, style: Style, built: dict[str, Json]) -> dict[str, Json]:
    """Return ``built`` with what the model demands across fields."""
    if name == "LedgerReference" and style is Style.MINIMAL:
        return {"id": "42"}
    if name == "ExpenseMapping":
        built.pop("account" if style is Style.FULL else "item", None)
    if name == "CustomFieldRule":
        built.pop("value" if style is Style.FULL else "source_field", None)
        built.setdefault("source_field" if style is Style.FULL else "value", "PO")
    if style is not Style.MINIMAL:
        built |= _ACROSS_FIELDS.get((name, style), {})
    return {field: value for field, value in built.items() if value is not None}


_ACROSS_FIELDS: dict[tuple[str, Style], dict[str, Json]] = {
    ("TimeEntry", Style.FULL): {
        "billable_state": "partially_billable",
        "billable": {"seconds": 3600, "decimal_text": "1.00"},
    },
    ("TimeEntry", Style.AWKWARD): {  # the hour that New York has twice, worked for nothing
        "start_at": "2026-11-01T05:30:00Z",
        "end_at": "2026-11-01T06:30:00Z",
        "original_start_text": "2026-11-01T01:30:00-04:00",
        "original_end_text": "2026-11-01T01:30:00-05:00",
        "billable_state": "no_charge",
        "billable": None,
    },
    ("ListRule", Style.AWKWARD): {"collision_name": "{name} 東京 ({code})"},
    ("TimePolicy", Style.AWKWARD): {"locale": "sr-Latn-RS"},
    ("Expense", Style.FULL): {"payment_source": "employee", "is_refund": False},
    ("Expense", Style.AWKWARD): {
        "amount_in": "-0.001",
        "is_refund": True,
        "reimbursable": False,
    },
}
