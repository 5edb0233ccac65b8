"""Whether a changed schema still lets every deployed reader and writer of its major work.

Services roll one by one and dead letters may be a year old, so both directions count: today's
reader must accept all that an older writer may have written, and an older reader must accept all
that today's writer may write. Understands the part of JSON Schema that our models produce;
whatever else changes counts as breaking.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

_ANNOTATIONS = {"title", "description", "examples", "$id", "$schema", "$defs", "deprecated"}
_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_COMPARED = {
    *("type", "enum", "const", "anyOf", "$ref", "properties", "required", "items", "default"),
    *("additionalProperties", "prefixItems"),
    *_UPPER_BOUNDS,
    *_LOWER_BOUNDS,
}


@dataclass(frozen=True)
class Change:
    """One difference between two versions of a schema."""

    path: str
    what: str
    is_breaking: bool

    @property
    def text(self) -> str:
        """Return one line for people."""
        return f"{self.path or '(body)'}: {self.what}"


def difference(
    *, old_writer: Schema, old_reader: Schema, new_writer: Schema, new_reader: Schema
) -> list[Change]:
    """Return every change between two versions of one message type, breaking ones marked."""
    changes = [
        Change(path, f"today's reader refuses what the release wrote: {what}", is_breaking=True)
        for path, what in _unreadable(_Side(old_writer), _Side(new_reader))
    ]
    changes += [
        Change(path, f"the release's reader refuses today's message: {what}", is_breaking=True)
        for path, what in _unreadable(_Side(new_writer), _Side(old_reader))
    ]
    changes += _changed_fields(_Side(old_reader), _Side(new_reader))
    return list(dict.fromkeys(changes))


@dataclass(frozen=True)
class _Side:
    """A schema with the definitions that its references point into."""

    schema: Schema
    root: Schema | None = None

    def at(self, schema: Schema) -> _Side:
        """Return a part of the schema, references followed."""
        root = self.root or self.schema
        while "$ref" in schema:
            target = root["$defs"][schema["$ref"].rpartition("/")[2]]
            schema = {**target, **{k: v for k, v in schema.items() if k != "$ref"}}
        return _Side(schema, root)

    def options(self) -> list[_Side]:
        """Return the alternatives that the schema allows."""
        if "anyOf" not in self.schema:
            return [self]
        return [self.at(option) for option in self.schema["anyOf"]]

    @property
    def types(self) -> set[str]:
        """Return the JSON types that the schema allows; empty means any."""
        kinds = self.schema.get("type", ())
        return {kinds} if isinstance(kinds, str) else set(kinds)


Finding = tuple[str, str]


def _unreadable(writer: _Side, reader: _Side, path: str = "") -> Iterator[Finding]:
    """Yield where a document that ``writer`` allows could be refused by ``reader``."""
    writer, reader = writer.at(writer.schema), reader.at(reader.schema)
    for option in writer.options():
        attempts = [list(_unreadable_option(option, target, path)) for target in reader.options()]
        if all(attempts):
            yield from min(attempts, key=len)


def _unreadable_option(writer: _Side, reader: _Side, path: str) -> Iterator[Finding]:
    yield from _wrong_type(writer, reader, path)
    yield from _wrong_values(writer.schema, reader.schema, path)
    yield from _wrong_bounds(writer.schema, reader.schema, path)
    yield from _wrong_members(writer, reader, path)
    for keyword in sorted((writer.schema.keys() | reader.schema.keys()) - _COMPARED - _ANNOTATIONS):
        asked = reader.schema.get(keyword)
        if asked is not None and asked != writer.schema.get(keyword):
            yield path, f"{keyword} must be {asked!r}, is {writer.schema.get(keyword)!r}"


def _wrong_type(writer: _Side, reader: _Side, path: str) -> Iterator[Finding]:
    if not reader.types:
        return
    readable = reader.types | ({"integer"} if "number" in reader.types else set())
    if not writer.types or not writer.types <= readable:
        written = "/".join(sorted(writer.types)) or "anything"
        yield path, f"type {written} is written, {'/'.join(sorted(reader.types))} is read"


def _wrong_values(writer: Schema, reader: Schema, path: str) -> Iterator[Finding]:
    read = _values(reader)
    if read is None:
        return
    written = _values(writer)
    if written is None:
        yield path, f"only {sorted(map(str, read))} is read, anything may be written"
    elif written - read:
        yield path, f"unknown value(s) {sorted(map(str, written - read))}"


def _values(schema: Schema) -> set[Any] | None:
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None


def _wrong_bounds(writer: Schema, reader: Schema, path: str) -> Iterator[Finding]:
    for keyword in _UPPER_BOUNDS:
        limit = reader.get(keyword)
        if limit is not None and writer.get(keyword, limit + 1) > limit:
            yield path, f"{keyword} {limit} is read, {writer.get(keyword, 'no limit')} is written"
    for keyword in _LOWER_BOUNDS:
        limit = reader.get(keyword)
        if limit is not None and writer.get(keyword, limit - 1) < limit:
            yield path, f"{keyword} {limit} is read, {writer.get(keyword, 'no limit')} is written"


def _wrong_members(writer: _Side, reader: _Side, path: str) -> Iterator[Finding]:
    promised = set(writer.schema.get("required", ()))
    for name in reader.schema.get("required", ()):
        if name not in promised:
            yield _join(path, name), "is required by the reader, the writer may leave it out"
    properties = reader.schema.get("properties", {})
    for name, part in writer.schema.get("properties", {}).items():
        if name in properties:
            there = reader.at(properties[name])
            yield from _unreadable(writer.at(part), there, _join(path, name))
    yield from _wrong_elements(writer, reader, path)


def _wrong_elements(writer: _Side, reader: _Side, path: str) -> Iterator[Finding]:
    for keyword, mark in (("items", "[]"), ("additionalProperties", "{}")):
        written, read = writer.schema.get(keyword), reader.schema.get(keyword)
        if isinstance(written, dict) and isinstance(read, dict):
            yield from _unreadable(writer.at(written), reader.at(read), path + mark)
        elif isinstance(read, dict) and (written is True or "type" in writer.schema):
            yield path + mark, "the writer doesn't say what is in it"
    if writer.schema.get("prefixItems") != reader.schema.get("prefixItems"):
        yield path, "the tuple's parts differ"


def _changed_fields(old: _Side, new: _Side, path: str = "") -> Iterator[Change]:
    """Yield fields that appeared or vanished, or that mean something else when absent."""
    old, new = old.at(old.schema), new.at(new.schema)
    before, after = old.schema.get("properties", {}), new.schema.get("properties", {})
    for name in sorted(before.keys() - after.keys()):
        yield Change(_join(path, name), "was removed: its data would be lost", is_breaking=True)
    for name in sorted(after.keys() - before.keys()):
        yield Change(_join(path, name), "was added", is_breaking=False)
    for name in sorted(before.keys() & after.keys()):
        yield from _changed_field(old.at(before[name]), new.at(after[name]), _join(path, name))


def _changed_field(old: _Side, new: _Side, path: str) -> Iterator[Change]:
    had, has = old.schema.get("default"), new.schema.get("default")
    if had != has:
        what = f"absent meant {had!r}, now {has!r}"
        yield Change(path, what, is_breaking="default" in old.schema)
    for before, after in zip(old.options(), new.options(), strict=False):
        yield from _changed_fields(before, after, path)
        inner = [side.schema.get("items") for side in (before, after)]
        if isinstance(inner[0], dict) and isinstance(inner[1], dict):
            yield from _changed_fields(before.at(inner[0]), after.at(inner[1]), path + "[]")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
