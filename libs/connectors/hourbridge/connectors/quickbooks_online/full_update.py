"""Full updates: our statement over what stands there, because an omitted field is cleared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from hourbridge.connectors.quickbooks_online.marker import keeping

_Line = Mapping[str, Any]


def _any_line(_line: _Line) -> bool:
    return True


def over(
    current: Mapping[str, Any],
    ours: dict[str, Any],
    *,
    not_ours: Collection[str],
    is_line_of_ours: Callable[[_Line], bool] = _any_line,
) -> dict[str, Any]:
    """Return the body of a full update that states ``ours`` and keeps the fields ``not_ours``.

    Lines take the ids of those that they replace, one by one; what people wrote into the note
    besides our marker stays.
    """
    note = keeping(current.get("PrivateNote"), ours["PrivateNote"])
    identities = [line.get("Id") for line in current.get("Line", []) if is_line_of_ours(line)]
    for line, identity in zip(ours["Line"], identities, strict=False):
        line["Id"] = identity
    kept = {name: current[name] for name in not_ours if name in current}
    token = {"Id": current["Id"], "SyncToken": current["SyncToken"]}
    return {**kept, **ours, "PrivateNote": note, **token}
