"""The rules, each with the place where the forbidden thing belongs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tools.lint.core import Finding, Rule, Source

FUNCTION_LINES_MAX = 60
MODULE_LINES_MAX = 400

_MONEY = (
    "libs/billing",
    "libs/common/hourbridge/common/money.py",
    "libs/common/hourbridge/common/book.py",
    "libs/common/hourbridge/common/messages",
    "libs/connectors/hourbridge/connectors/ledger.py",
    "libs/connectors/hourbridge/connectors/*/sales_*.py",
    "libs/connectors/hourbridge/connectors/*/entities.py",
    "services",
)
_NOT_MONEY = ("settings.py", "metrics.py")
_CLOCK = "libs/common/hourbridge/common/clock.py"
_ENGINE = "libs/common/hourbridge/common/store/engine.py"
_BUS = "libs/common/hourbridge/common/bus"
_BROKER_CLIENTS = {"pika", "kombu", "amqp", "aio_pika", "aiormq", "faststream"}
_NOW = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("datetime", "utcfromtimestamp"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "localtime"),
    ("time", "gmtime"),
}


def _product(source: Source) -> bool:
    return not source.is_test


def _calls(source: Source) -> Iterator[ast.Call]:
    return (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))


def _imports(source: Source) -> Iterator[tuple[int, str]]:
    """Yield the line and dotted name of every imported module."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


# --- floating point -------------------------------------------------------------------------


def _near_money(source: Source) -> bool:
    return _product(source) and source.within(*_MONEY) and source.path.name not in _NOT_MONEY


def _floats(source: Source) -> Iterator[Finding]:
    yield from _floats_below(source.tree)


def _floats_below(node: ast.AST) -> Iterator[Finding]:
    if _is_named_duration(node):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, float):
        yield node.lineno, f"binary floating point {node.value!r} near money: use Decimal"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
        if not all(_ends_in_seconds(_name(argument)) for argument in node.args):
            yield node.lineno, "float() near money: use Decimal"
        return
    for child in ast.iter_child_nodes(node):
        yield from _floats_below(child)


def _is_named_duration(node: ast.AST) -> bool:
    """Return whether what is below is assigned or passed to a name that ends in seconds."""
    if isinstance(node, ast.keyword):
        return _ends_in_seconds(node.arg or "")
    if isinstance(node, ast.Assign):
        return all(_ends_in_seconds(_name(target)) for target in node.targets)
    if isinstance(node, ast.AnnAssign):
        return _ends_in_seconds(_name(node.target))
    return False


def _ends_in_seconds(name: str) -> bool:
    return name.lower().removesuffix("_max").removesuffix("_min").endswith("seconds")


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


# --- time -----------------------------------------------------------------------------------


def _current_time(source: Source) -> Iterator[Finding]:
    for call in _calls(source):
        if not isinstance(call.func, ast.Attribute):
            continue
        called = (_name(call.func.value), call.func.attr)
        if called in _NOW:
            yield call.lineno, f"{'.'.join(called)}() reads the clock: take a Clock and ask it"
        elif called == ("datetime", "fromtimestamp") and len(call.args) + len(call.keywords) < 2:
            yield call.lineno, "datetime.fromtimestamp() without a zone is naive: pass UTC"


# --- transactions and messages --------------------------------------------------------------


def _commits(source: Source) -> Iterator[Finding]:
    for call in _calls(source):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "commit":
            yield call.lineno, "commit() outside the store: the transaction's owner commits"


def _broker_clients(source: Source) -> Iterator[Finding]:
    seen = set()
    for line, name in _imports(source):
        client = name.partition(".")[0]
        if client in _BROKER_CLIENTS and (line, client) not in seen:
            seen.add((line, client))
            yield line, f"{client} belongs to hourbridge.common.bus: use its Bus"
    for call in _calls(source):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "basic_publish":
            yield call.lineno, "basic_publish() has no confirm here: use Bus.publish"


# --- directions -----------------------------------------------------------------------------


def _other_services(source: Source) -> Iterator[Finding]:
    own = source.path.parts[1]
    seen = set()
    for line, name in _imports(source):
        parts = name.split(".")
        other = parts[1] if parts[0] == "hourbridge" and len(parts) > 1 else own
        is_service = other in ("ingestor", "mapper", "poster", "reconciler")
        if is_service and other != own and (line, other) not in seen:
            seen.add((line, other))
            yield line, f"{own} imports {other}: services talk through messages only"


# --- shape ----------------------------------------------------------------------------------


def _bare_excepts(source: Source) -> Iterator[Finding]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield node.lineno, "bare except also catches the request to stop: name the error"


def _asserts(source: Source) -> Iterator[Finding]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Assert):
            yield node.lineno, "assert vanishes under python -O: use errors.ensure"


def _long_functions(source: Source) -> Iterator[Finding]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield node.lineno, f"{node.name} has {lines} lines; at most {FUNCTION_LINES_MAX}"


def _long_module(source: Source) -> Iterator[Finding]:
    lines = source.text.count("\n")
    if lines > MODULE_LINES_MAX:
        yield 1, f"the module has {lines} lines; at most {MODULE_LINES_MAX}"


def _in_service(source: Source) -> bool:
    return source.within("services/*") and len(source.path.parts) > 2


RULES = (
    Rule("HB101", "no floating point near money", _near_money, _floats),
    Rule(
        "HB102",
        "the time comes from a Clock",
        lambda source: _product(source) and not source.within(_CLOCK),
        _current_time,
    ),
    Rule(
        "HB103",
        "only the store commits",
        lambda source: _product(source) and not source.within(_ENGINE),
        _commits,
    ),
    Rule(
        "HB104",
        "only the bus talks to a broker",
        lambda source: _product(source) and not source.within(_BUS),
        _broker_clients,
    ),
    Rule("HB105", "no bare except", lambda _: True, _bare_excepts),
    Rule("HB106", "short functions", lambda _: True, _long_functions),
    Rule("HB107", "short modules", lambda _: True, _long_module),
    Rule("HB108", "services don't import each other", _in_service, _other_services),
    Rule("HB109", "no assert outside tests", _product, _asserts),
)
"""All rules, in the order in which they are listed."""
