"""Time activities on invoices: linked in the header and on the line, then looked at again."""

from __future__ import annotations

from typing import Any

from hourbridge.connectors.ledger import LedgerWrite
from hourbridge.connectors.quickbooks_online.queries import quoted, select_all
from hourbridge.connectors.quickbooks_online.transport import Transport

_LINK_TYPE = "TimeActivity"
_ONLY_LINE = "1"
_BILLED = "HasBeenBilled"
_IDS_AT_ONCE = 100


def linked(write: LedgerWrite, body: dict[str, Any]) -> dict[str, Any]:
    """Return an invoice's body with its links to time: as the service's own form makes them."""
    if not write.time_links:
        return body
    positions = {line.position: at for at, line in enumerate(write.document.lines)}
    for link in write.time_links:
        line = body["Line"][positions[link.position]]
        own = {"TxnId": link.ledger_id, "TxnType": _LINK_TYPE, "TxnLineId": _ONLY_LINE}
        line.setdefault("LinkedTxn", []).append(own)
    header = [{"TxnId": each.ledger_id, "TxnType": _LINK_TYPE} for each in write.time_links]
    return {**body, "LinkedTxn": header}


def not_counted(transport: Transport, write: LedgerWrite) -> tuple[str, ...]:
    """Return a warning if linked time doesn't count as billed: somebody may bill it again."""
    wanted = [link.ledger_id for link in write.time_links]
    billed: set[str] = set()
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        ids = ", ".join(quoted(each) for each in wanted[start : start + _IDS_AT_ONCE])
        rows = select_all(transport, _LINK_TYPE, [f"Id IN ({ids})"])
        billed |= {row["Id"] for row in rows if row.get("BillableStatus") == _BILLED}
    left = [each for each in wanted if each not in billed]
    if not left:
        return ()
    named = ", ".join(left[:10])
    return (
        f"{len(left)} of {len(wanted)} linked time activities don't count as billed in the ledger "
        f"(ids {named}): take care that nobody bills them there again",
    )
