"""Approval, by its name: the numbers of BigTime's states are documented nowhere."""

from __future__ import annotations

import re
from typing import Any

from hourbridge.common.messages.records import ApprovalState
from hourbridge.connectors.bigtime.rows import Row

_NAMES = {
    "approved": ApprovalState.APPROVED,
    "finalapproved": ApprovalState.APPROVED,
    "fullyapproved": ApprovalState.APPROVED,
    "partiallyapproved": ApprovalState.PARTIALLY_APPROVED,
    "partlyapproved": ApprovalState.PARTIALLY_APPROVED,
    "submitted": ApprovalState.SUBMITTED,
    "pending": ApprovalState.SUBMITTED,
    "pendingapproval": ApprovalState.SUBMITTED,
    "resubmitted": ApprovalState.SUBMITTED,
    "rejected": ApprovalState.REJECTED,
    "withdrawn": ApprovalState.WITHDRAWN,
    "unsubmitted": ApprovalState.DRAFT,
    "notsubmitted": ApprovalState.DRAFT,
    "draft": ApprovalState.DRAFT,
    "open": ApprovalState.DRAFT,
    "new": ApprovalState.DRAFT,
    "notrequired": ApprovalState.NOT_REQUIRED,
}
_LEVELS = re.compile(r"\s*(\d{1,2}) of (\d{1,2})\s*")


def approval_of(row: Row, *, is_submitted: bool) -> dict[str, Any]:
    """Return the approval that a row states; a name that nobody knows stays unknown, with it.

    Without a name the flag decides, and without that whether the thing was submitted.
    """
    text = row.text("ApprovalStatusNm")
    info = row.text("ApprovalInfo")
    return {
        "state": _state(row, text, is_submitted=is_submitted),
        "scope": "entry",
        "source_status_text": text,
        **_levels(row, info),
    }


def _state(row: Row, text: str | None, *, is_submitted: bool) -> ApprovalState:
    if text is not None:
        return _NAMES.get(re.sub(r"[^a-z]", "", text.casefold()), ApprovalState.UNKNOWN)
    if row.flag("IsApproved"):
        return ApprovalState.APPROVED
    return ApprovalState.SUBMITTED if is_submitted else ApprovalState.DRAFT


def _levels(row: Row, info: str | None) -> dict[str, Any]:
    match = _LEVELS.fullmatch(info or "")
    if match is not None:
        return {"level": int(match[1]), "levels_required": int(match[2])}
    note = info or row.text("RevisionNotes")
    return {"note": note}
