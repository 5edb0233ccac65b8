"""The one error tree of Hourbridge.

Every error says what happened, to what (``ids``) and what to do about it (``advice``), carries a
stable ``code`` for machines, and knows its disposition, so that no handler has to guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, ClassVar


class Disposition(StrEnum):
    """What the platform does with work that met an error."""

    RETRY = "retry"  # try again later by itself; the cause is expected to pass
    PARK = "park"  # wait for a decision or for missing facts; nothing retries it until they arrive
    REJECT = "reject"  # can never succeed as it is; kept as dead, shown to a person


class HourbridgeError(Exception):
    """Root of all errors raised by Hourbridge."""

    code: ClassVar[str] = "hourbridge_error"
    disposition: ClassVar[Disposition] = Disposition.REJECT
    advice: ClassVar[str] = "Report this; it has no more precise class yet."

    def __init__(self, what: str, *, advice: str | None = None, **ids: Any) -> None:
        self.what = what
        self.ids = {name: value for name, value in ids.items() if value is not None}
        self.remedy = advice or type(self).advice
        super().__init__(what)

    def __str__(self) -> str:
        about = ", ".join(f"{name}={value}" for name, value in self.ids.items())
        return f"{self.code}: {self.what}" + (f" [{about}]" if about else "") + f" - {self.remedy}"


class InvariantViolated(HourbridgeError):
    """The program found its own state impossible; a defect, never bad input."""

    code = "invariant_violated"
    advice = "Stop and report with the ids shown; the state was not changed."


def ensure(condition: object, what: str, **ids: Any) -> None:
    """Raise InvariantViolated unless ``condition`` holds (kept under ``python -O``)."""
    if not condition:
        raise InvariantViolated(what, **ids)


class ConfigurationInvalid(HourbridgeError):
    """A setting or a book configuration cannot be used as written."""

    code = "configuration_invalid"
    advice = "Correct the named setting and apply again."


# --- messages -------------------------------------------------------------------------------


class MessageInvalid(HourbridgeError):
    """A message body does not satisfy its schema; ``reasons`` are field-exact."""

    code = "message_invalid"
    advice = "Correct the named fields at the sender and send again."

    def __init__(self, what: str, reasons: list[dict[str, str]] | None = None, **ids: Any) -> None:
        super().__init__(what, **ids)
        self.reasons = reasons or []


class MessageTypeUnknown(HourbridgeError):
    """No reader for this message type or major version is deployed: a deployment error."""

    code = "message_type_unknown"
    advice = "Deploy a version that knows the type, then replay."


class PayloadTooLarge(HourbridgeError):
    """A body exceeds what its channel accepts."""

    code = "payload_too_large"
    advice = "Send it by reference (object store) or split it."


# --- dependencies ---------------------------------------------------------------------------


class DependencyUnavailable(HourbridgeError):
    """A database, broker or ledger cannot serve now; lanes pause and probe."""

    code = "dependency_unavailable"
    disposition = Disposition.RETRY
    advice = "Restore the dependency; the lane goes on by itself."


class StoreUnavailable(DependencyUnavailable):
    """PostgreSQL cannot be reached or ended the session."""

    code = "store_unavailable"


class TransientFailure(HourbridgeError):
    """This one piece of work failed for a passing reason; others are not affected."""

    code = "transient_failure"
    disposition = Disposition.RETRY
    advice = "None needed; it is retried after a delay."


# --- bus ------------------------------------------------------------------------------------


class BusError(DependencyUnavailable):
    """The broker connection failed."""

    code = "bus_error"


class PublishOutcomeUnknown(BusError):
    """No confirm arrived in time: the message may or may not be in its queues."""

    code = "publish_outcome_unknown"
    advice = "Publish again on a new connection; consumers deduplicate."


class PublishUnroutable(BusError):
    """The exchange had no queue for the routing key; the topology is not applied or damaged."""

    code = "publish_unroutable"
    advice = "Run `hourbridge topology apply`, then `hourbridge topology check`."

    def __init__(self, what: str, *, message_ids: Sequence[str] = (), **ids: Any) -> None:
        super().__init__(what, **ids)
        self.message_ids = frozenset(message_ids)
        """The messages that met no queue; empty when it may have been any of them."""


class TopologyMismatch(HourbridgeError):
    """The broker holds other arguments than the registry; correctness depends on them."""

    code = "topology_mismatch"
    advice = "Drain and delete the named object, then run `hourbridge topology apply`."


# --- sources --------------------------------------------------------------------------------


class SourceError(HourbridgeError):
    """A time tracker (or whatever is read) failed or refused a call."""

    code = "source_error"
    disposition = Disposition.RETRY
    advice = "None needed; the feed is read again at its next turn."


class SourceUnavailable(SourceError):
    """No usable answer came: connection failed, server error, maintenance page."""

    code = "source_unavailable"


class SourceThrottled(SourceError):
    """The source asked for a pause of ``retry_after_seconds``, or our budget is used up."""

    code = "source_throttled"

    def __init__(self, what: str, *, retry_after_seconds: int, **ids: Any) -> None:
        super().__init__(what, **ids)
        self.retry_after_seconds = retry_after_seconds


class SourceAuthorizationExpired(SourceError):
    """The key or session is no longer accepted and can't be renewed."""

    code = "source_authorization_expired"
    disposition = Disposition.PARK
    advice = "Give the source a new key (`hourbridge source connect`); it goes on by itself."


class SourceAnswerUnreadable(SourceError):
    """The source answered with something that is not what it documents; the answer is kept."""

    code = "source_answer_unreadable"

    def __init__(self, what: str, *, raw: bytes = b"", **ids: Any) -> None:
        super().__init__(what, **ids)
        self.raw = raw


class SourceRefused(SourceError):
    """The source refused a request for a reason that only a person can settle."""

    code = "source_refused"
    disposition = Disposition.PARK
    advice = "See the source's own words in `what`; correct there or in the settings of the feed."

    def __init__(self, what: str, *, reason_code: str, **ids: Any) -> None:
        super().__init__(what, **ids)
        self.reason_code = reason_code


class WebhookRefused(SourceError):
    """A pushed message's signature or form is wrong; it is kept and changes nothing."""

    code = "webhook_refused"
    disposition = Disposition.REJECT
    advice = "Compare the shared secret at both ends; if it is right, somebody else is sending."


# --- ledgers --------------------------------------------------------------------------------


class LedgerError(HourbridgeError):
    """A ledger refused or failed a call."""

    code = "ledger_error"
    disposition = Disposition.PARK
    advice = "See the ledger's own words in `what`; correct there or in the mapping, then release."


class LedgerUnavailable(LedgerError):
    """The call certainly had no effect (connection refused, maintenance)."""

    code = "ledger_unavailable"
    disposition = Disposition.RETRY
    advice = "None needed; the lane probes until the ledger answers."


class LedgerThrottled(LedgerError):
    """The ledger asked for a pause of ``retry_after_seconds``."""

    code = "ledger_throttled"
    disposition = Disposition.RETRY
    advice = "None needed; the lane waits as asked."

    def __init__(self, what: str, *, retry_after_seconds: int, **ids: Any) -> None:
        super().__init__(what, **ids)
        self.retry_after_seconds = retry_after_seconds


class LedgerOutcomeUnknown(LedgerError):
    """A write was sent and no answer came: it may have taken effect."""

    code = "ledger_outcome_unknown"
    disposition = Disposition.RETRY
    advice = "None needed; the same operation key is sent again or the ledger is searched first."


class LedgerAuthorizationExpired(LedgerError):
    """The connection's tokens are no longer valid and cannot be refreshed."""

    code = "ledger_authorization_expired"
    advice = "Reconnect the ledger; waiting documents go on by themselves."


class LedgerRejected(LedgerError):
    """The ledger refused the document for a business reason given by ``reason_code``."""

    code = "ledger_rejected"

    def __init__(self, what: str, *, reason_code: str, **ids: Any) -> None:
        super().__init__(what, **ids)
        self.reason_code = reason_code


class PeriodClosed(LedgerRejected):
    """The transaction date lies in a period that the ledger has closed."""

    code = "period_closed"
    advice = "Approve the proposed date or reopen the period in the ledger."


class EditTokenStale(LedgerRejected):
    """Somebody changed the document in the ledger since we read it."""

    code = "edit_token_stale"
    advice = "The document is read again; edits of others are never overwritten."


class DocumentNumberTaken(LedgerRejected):
    """Another document in the ledger has our number."""

    code = "document_number_taken"
    advice = "Compare the two documents; if it is not ours, release with a new number."


class DocumentMissing(LedgerRejected):
    """The document to change no longer exists in the ledger."""

    code = "document_missing"
    advice = "Reconcile, then repair with `hourbridge reconcile --repair`."
