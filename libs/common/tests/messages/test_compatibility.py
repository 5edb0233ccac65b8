"""The classification of schema changes, one made-up change at a time."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field

from hourbridge.common.messages.compatibility import Change, difference
from hourbridge.common.messages.fields import DecimalText, Payload


class Part(Payload):
    name: str
    size: int = Field(0, ge=0, le=10)


class Old(Payload):
    id: str
    note: str | None = None
    kind: Literal["a", "b"] = "a"
    code: Annotated[str, Field(max_length=10)] = "x"
    amount: DecimalText | None = None
    parts: tuple[Part, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)


class AddedOptional(Old):
    extra: str | None = None


class AddedOptionalPart(Old):
    part: Part | None = None


class AddedRequired(Old):
    extra: str


class Removed(Payload):
    id: str
    kind: Literal["a", "b"] = "a"
    code: Annotated[str, Field(max_length=10)] = "x"
    amount: DecimalText | None = None
    parts: tuple[Part, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)


class RequiredRemoved(Payload):
    note: str | None = None


class MadeRequired(Old):
    note: str


class MadeOptional(Old):
    id: str | None = None  # type: ignore[assignment]


class Retyped(Old):
    id: int  # type: ignore[assignment]


class ValueAdded(Old):
    kind: Literal["a", "b", "c"] = "a"  # type: ignore[assignment]


class ValueRemoved(Old):
    kind: Literal["a"] = "a"


class Longer(Old):
    code: Annotated[str, Field(max_length=20)] = "x"


class Shorter(Old):
    code: Annotated[str, Field(max_length=5)] = "x"


class OtherDefault(Old):
    kind: Literal["a", "b"] = "b"


class OtherPattern(Old):
    amount: Annotated[str, Field(pattern="^[0-9]+$")] | None = None  # type: ignore[assignment]


class DeepPart(Payload):
    name: str
    size: int = Field(0, ge=0, le=99)


class ChangedDeep(Old):
    parts: tuple[DeepPart, ...] = ()  # type: ignore[assignment]


class DeepAdded(Payload):
    name: str
    size: int = Field(0, ge=0, le=10)
    colour: str | None = None


class AddedDeep(Old):
    parts: tuple[DeepAdded, ...] = ()  # type: ignore[assignment]


class DictRetyped(Old):
    labels: dict[str, int] = Field(default_factory=dict)  # type: ignore[assignment]


def changes(new: type[Payload]) -> list[Change]:
    return difference(
        old_writer=Old.model_json_schema(mode="serialization"),
        old_reader=Old.model_json_schema(mode="validation"),
        new_writer=new.model_json_schema(mode="serialization"),
        new_reader=new.model_json_schema(mode="validation"),
    )


def test_no_change_is_no_change() -> None:
    assert changes(Old) == []


@pytest.mark.parametrize(
    ("new", "path"),
    [(AddedOptional, "extra"), (AddedOptionalPart, "part"), (AddedDeep, "parts[].colour")],
)
def test_optional_fields_may_be_added(new: type[Payload], path: str) -> None:
    (change,) = changes(new)
    assert (change.path, change.is_breaking) == (path, False)


@pytest.mark.parametrize(
    ("new", "path"),
    [
        (AddedRequired, "extra"),
        (Removed, "note"),
        (RequiredRemoved, "id"),
        (MadeRequired, "note"),
        (MadeOptional, "id"),
        (Retyped, "id"),
        (ValueAdded, "kind"),
        (ValueRemoved, "kind"),
        (Longer, "code"),
        (Shorter, "code"),
        (OtherDefault, "kind"),
        (OtherPattern, "amount"),
        (ChangedDeep, "parts[].size"),
        (DictRetyped, "labels{}"),
    ],
)
def test_whatever_hurts_a_deployed_reader_or_writer_is_breaking(
    new: type[Payload], path: str
) -> None:
    broken = {change.path for change in changes(new) if change.is_breaking}
    assert path in broken


def test_the_text_says_who_is_hurt() -> None:
    (change,) = (change for change in changes(Longer) if change.is_breaking)
    assert change.text == (
        "code: the release's reader refuses today's message: maxLength 10 is read, 20 is written"
    )
