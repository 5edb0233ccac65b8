"""Profiles: what a kind of file looks like, declared as data (YAML), not code."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hourbridge.common.errors import ConfigurationInvalid
from hourbridge.common.messages.registry import reasons_of

TableRecord = Literal[
    "time_entry",
    "expense",
    "client",
    "project",
    "work_item",
    "staff_member",
    "picklist_value",
    "rate",
]

_WHO = "staff staff_id staff_name first_name last_name email"
_WHAT_FOR = "client client_id project project_id task task_id"
_TIMES = (
    "date start end start_date start_time end_date end_time zone duration hours seconds "
    "billable_hours type"
)
_MONEY = "billable rate amount cost_rate cost_amount currency"
_STATUS = "approved invoiced invoice_ref"
_COMMON = "external_id previous_ids revision updated_at created_at deleted notes tags url"
_MASTER = (
    "name code client client_id project_id task_id staff_id email active archived start_date "
    "end_date billable currency budget_hours budget_amount rate address zone list_name"
)
_EXPENSE = (
    "date category merchant amount tax_amount currency original_amount original_currency "
    "reimbursable paid_by billable report report_id bill_number split_group card_mask"
)

COLUMNS: dict[str, frozenset[str]] = {
    "time_entry": frozenset(" ".join((_COMMON, _WHO, _WHAT_FOR, _TIMES, _MONEY, _STATUS)).split()),
    "expense": frozenset(" ".join((_COMMON, _WHO, _WHAT_FOR, _EXPENSE, _STATUS)).split()),
    **{
        record_type: frozenset(" ".join((_COMMON, _MASTER)).split())
        for record_type in get_args(TableRecord)
        if record_type not in ("time_entry", "expense")
    },
}
"""The columns that a table of each record type may have, by our names."""


class Rewrite(BaseModel):
    """Brings several spellings of a value to one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pattern: str
    """A regular expression that the whole value must match, else it stays as it is."""
    replace: str

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return pattern

    def apply(self, text: str) -> str:
        """Return ``text`` in its one spelling."""
        match = re.fullmatch(self.pattern, text)
        return match.expand(self.replace) if match else text


class Profile(BaseModel):
    """What a kind of file looks like. Column names are ours; aliases are the file's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: str
    base: str | None = None
    """Another profile whose declarations hold where this one has none."""
    format: Literal["csv", "json", "jsonl"] = "csv"
    record_type: TableRecord = "time_entry"
    columns: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Our column -> headings under which files have it; ``(*)`` stands for a currency."""
    required: tuple[str, ...] = ()
    """Columns without which the file isn't of this kind."""
    constants: dict[str, str] = Field(default_factory=dict)
    """Values of columns that the file lacks or leaves empty."""
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Our column -> the file's value -> the value to use."""
    rewrites: dict[str, Rewrite] = Field(default_factory=dict)
    key: tuple[str, ...] = ()
    """Columns that tell rows apart when the file has no id column."""
    dates: tuple[str, ...] = ("%Y-%m-%d",)
    """Date formats (strptime), the first that fits wins."""
    day_first_dates: tuple[str, ...] = ()
    """Formats to use instead when the import says ``date_order=dmy``."""
    decimal: Literal["auto", "point", "comma"] = "auto"
    yes: tuple[str, ...] = ("yes", "y", "true", "t", "1", "x")
    no: tuple[str, ...] = ("no", "n", "false", "f", "0")
    tag_separator: str = ","
    zone: str | None = None
    currency: str | None = None
    overnight: bool = False
    """An end at or before the start, without an end date, is on the next day."""

    @field_validator("dates", "day_first_dates")
    @classmethod
    def _has_day(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for text in formats:
            if "%d" not in text and "%j" not in text:
                raise ValueError(f"{text!r} has no day; formats are those of strptime")
        return formats

    @model_validator(mode="after")
    def _knows_its_columns(self) -> Profile:
        named = {*self.columns, *self.required, *self.constants, *self.values, *self.rewrites}
        unknown = sorted((named | set(self.key)) - COLUMNS[self.record_type])
        if unknown and self.format != "jsonl":
            known = ", ".join(sorted(COLUMNS[self.record_type]))
            raise ValueError(f"no columns of a {self.record_type}: {unknown}; known are: {known}")
        return self


@cache
def built_in_names() -> tuple[str, ...]:
    """Return the names of the profiles that come with Hourbridge."""
    folder = files("hourbridge.ingestor.imports") / "profiles"
    return tuple(sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".yaml")))


@cache
def built_in(name: str) -> Profile:
    """Return a profile that comes with Hourbridge; raise ConfigurationInvalid if there is none."""
    return load(_built_in_text(name))


def load(text: str) -> Profile:
    """Return the profile that a YAML text declares, with what it takes from its base.

    Raises ConfigurationInvalid, naming what is wrong.
    """
    document = _merged(_parse(text))
    try:
        return Profile.model_validate(document)
    except ValidationError as error:
        first = reasons_of(error)[0]
        what = f"{first['field']}: {first['detail']}"
        raise ConfigurationInvalid(f"import profile: {what}") from None


def _built_in_text(name: str) -> str:
    if name not in built_in_names():
        known = ", ".join(built_in_names())
        raise ConfigurationInvalid(f"no import profile {name!r}; there are: {known}")
    folder = files("hourbridge.ingestor.imports") / "profiles"
    return (folder / f"{name}.yaml").read_text(encoding="utf-8")


def _parse(text: str) -> dict[str, Any]:
    try:
        # BaseLoader: every scalar is text, so that `yes`, `1.50` and `2026-03-01` stay as written.
        document = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise ConfigurationInvalid(f"import profile: not YAML: {error}") from None
    if not isinstance(document, dict):
        raise ConfigurationInvalid("import profile: must be a mapping of its fields")
    return document


def _merged(document: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    base_name = document.get("base")
    if base_name is None:
        return document
    if depth > 5:
        raise ConfigurationInvalid("import profile: bases nest too deeply", base=base_name)
    base = _merged(_parse(_built_in_text(str(base_name))), depth + 1)
    merged = {**base, **document}
    for name in ("columns", "constants", "values", "rewrites"):
        if isinstance(base.get(name), dict) and isinstance(document.get(name), dict):
            merged[name] = {**base[name], **document[name]}
    return merged
