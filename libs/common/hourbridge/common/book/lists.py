"""Which lists of trackers and the ledger are kept in step, which way, and who wins."""

from __future__ import annotations

from string import Formatter
from typing import Literal, get_args

from pydantic import Field, model_validator

from hourbridge.common.messages.fields import Identifier, Payload, SourceName

ListName = Literal[
    "client",
    "project",
    "staff",
    "vendor",
    "labor_code",
    "task",
    "expense_code",
    "class",
    "term",
    "tax_rate",
]
"""The lists of trackers, as ``list_entry`` records call them."""

LedgerList = Literal[
    "customer", "vendor", "employee", "item", "account", "class", "term", "tax_code"
]
"""The lists of ledgers that they correspond to."""

Direction = Literal["none", "ledger_to_source", "source_to_ledger", "both"]
Winner = Literal["ledger", "source", "hold"]

TARGETS: dict[ListName, tuple[LedgerList, ...]] = {
    "client": ("customer",),
    "project": ("customer",),
    "staff": ("employee", "vendor"),
    "vendor": ("vendor",),
    "labor_code": ("item",),
    "task": ("item",),
    "expense_code": ("item", "account"),
    "class": ("class",),
    "term": ("term",),
    "tax_rate": ("tax_code",),
}
"""The ledger's lists for each of a tracker's; the first one is where entries are created."""

COLLISION_NAMES: dict[ListName, str] = {
    "client": "{name} (C)",
    "project": "{client} - {name}",
    "staff": "{name} (E)",
    "vendor": "{name} (V)",
}
"""What an entry is called in the ledger where its own name is taken; others are held."""

_PLACES = frozenset({"name", "client", "code", "id"})


class ListRule(Payload):
    """How one list of a tracker, or of all of them, and the ledger's list are kept in step."""

    list: ListName
    source: SourceName | None = None
    """Whose list; None for every source that has no rule of its own."""
    target: LedgerList | None = None
    """Where the ledger has several lists for it: employee or vendor, item or account."""
    direction: Direction = "none"
    match: Literal["exact", "off"] = "exact"
    """Whether entries of exactly the same name are linked without asking."""
    create: bool = True
    update: bool = True
    inactivate: bool = False
    """Also the other way: what becomes active again on one side does so on the other."""
    allow: tuple[Identifier, ...] = ()
    """Only these come across: ``id:42``, or a name or path with ``*``. Empty for all."""
    block: tuple[Identifier, ...] = ()
    """These never come across; stronger than ``allow``."""
    winner: Winner = "ledger"
    """Whose value stands where both changed, or where a change may not be written across."""
    winners: dict[str, Winner] = Field(default_factory=dict)
    """The same for single fields: ``name``, ``email``, ``rate``, ``active`` and so on."""
    ignore: tuple[Identifier, ...] = ()
    """Fields that each side keeps for itself."""
    on_collision: Literal["rename", "hold"] = "rename"
    collision_name: str | None = None
    """From ``{name}``, ``{client}``, ``{code}``, ``{id}``; None for the list's usual one."""
    approval: Literal["required", "automatic"] = "required"
    attributes: dict[str, str] = Field(default_factory=dict)
    """What entries that we create in the ledger get besides: ``IncomeAccountRef.value``."""
    customer_projects: Literal["always", "without_jobs", "never"] = "always"
    """Of projects that are made in a tracker: whether a customer itself is one, too."""

    @model_validator(mode="after")
    def _usable(self) -> ListRule:
        if self.target is not None and self.target not in TARGETS[self.list]:
            known = " or ".join(TARGETS[self.list])
            raise ValueError(f"{self.list} corresponds to {known}, not {self.target}")
        if self.collision_name is not None:
            _check_template(self.collision_name)
        return self

    def wins(self, field: str) -> Winner:
        """Return whose value of a field stands."""
        return self.winners.get(field, self.winner)

    @property
    def writes_ledger(self) -> bool:
        """Return whether the ledger's list may be written."""
        return self.direction in ("source_to_ledger", "both")

    @property
    def writes_source(self) -> bool:
        """Return whether the tracker's list may be written."""
        return self.direction in ("ledger_to_source", "both")


def _check_template(template: str) -> None:
    try:
        places = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise ValueError(f"collision_name {template!r} can't be read: {error}") from None
    if "name" not in places or not places <= _PLACES:
        known = ", ".join(sorted(f"{{{place}}}" for place in _PLACES))
        raise ValueError(f"collision_name {template!r} needs {{name}} and may use {known} only")
    if template.strip() == "{name}":
        raise ValueError("collision_name must differ from the name itself")


class ListPolicy(Payload):
    """The lists of a book. As it stands by default nothing is written anywhere."""

    rules: tuple[ListRule, ...] = ()
    resolve_by_links: bool = True
    """Linked clients, projects, tasks and so on need no rule in the mapping."""
    rates_from_items: bool = False
    """Work without any rate takes the price of the service item that it is linked to."""
    suggest_near_names: bool = True

    @model_validator(mode="after")
    def _one_rule_each(self) -> ListPolicy:
        keys = [(rule.list, rule.source, rule.target) for rule in self.rules]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            name, source, target = sorted(twice, key=str)[0]
            parts = " ".join(part for part in (name, source, target) if part)
            raise ValueError(f"two rules for the list {parts}")
        return self

    def rule(self, list_name: ListName, source: str, target: LedgerList) -> ListRule:
        """Return the rule of a source's list and a ledger's: the most exact one, else nothing.

        A rule that names no target is about the first of the list's targets, and about matching
        with the others.
        """
        found = [
            rule
            for rule in self.rules
            if rule.list == list_name
            and rule.source in (None, source)
            and rule.target in (None, target)
        ]
        best = max(found, key=lambda r: (r.source is not None, r.target is not None), default=None)
        if best is None:
            return _default(list_name)
        if best.target is None and target != TARGETS[list_name][0]:
            return best.model_copy(update={"create": False})
        return best


_DEFAULTS: dict[ListName, ListRule] = {name: ListRule(list=name) for name in get_args(ListName)}


def _default(list_name: ListName) -> ListRule:
    return _DEFAULTS[list_name]
