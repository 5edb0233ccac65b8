"""Faults as the service words them: codes, sentences and bodies."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """The request is answered with a fault and has no effect."""

    def __init__(
        self, code: str, message: str, detail: str, *, status: int = 400, element: str = ""
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.message = message
        self.detail = detail
        self.status = status
        self.element = element

    @property
    def fault_type(self) -> str:
        """The envelope's type."""
        if self.status in (403, 429, 504):
            return "SERVICE"
        if self.status == 401:
            return "AUTHENTICATION"
        return "SystemFault" if self.status == 500 else "ValidationFault"

    def body(self, time: str) -> dict[str, Any]:
        """Return the fault envelope."""
        error = {"Message": self.message, "Detail": self.detail}
        if self.code:
            error["code"] = self.code
        error["element"] = self.element
        return {"Fault": {"Error": [error], "type": self.fault_type}, "time": time}


def authentication_body(detail: str, epoch_milliseconds: int) -> dict[str, Any]:
    """Return the gateway's answer to a bad token: lower-case names, epoch time."""
    error = {
        "message": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
        "detail": detail,
        "code": "3200",
        "element": None,
    }
    return {
        "warnings": None,
        "intuitObject": None,
        "fault": {"error": [error], "type": "AUTHENTICATION"},
        "queryResponse": None,
        "batchItemResponse": [],
        "requestId": None,
        "time": epoch_milliseconds,
        "status": None,
        "cdcresponse": [],
    }


def throttled() -> Refusal:
    """Too many requests."""
    return Refusal(
        "3001",
        "message=ThrottleExceeded; errorCode=003001; statusCode=429",
        "The request limit was reached.  Try again later",
        status=429,
    )


def not_authorized() -> Refusal:
    """The token belongs to another company or environment."""
    return Refusal(
        "3100",
        "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
        "The application is not authorized for this company",
        status=403,
    )


def system_failure(status: int = 500) -> Refusal:
    """The service broke."""
    if status == 504:
        text = "message=GatewayTimeout; errorCode=006002; statusCode=504"
        return Refusal("6002", text, "", status=504)
    return Refusal(
        "10000",
        "An application error has occurred while processing your request",
        "System Failure Error: java.lang.NullPointerException",
        status=status,
    )


def malformed(what: str) -> Refusal:
    """The body is not what the operation takes."""
    return Refusal("1000", "Request has invalid or malformed content", what)


def invalid_property(name: str, why: str = "specified is unsupported or invalid") -> Refusal:
    """A property cannot be read as its type."""
    return Refusal(
        "2010",
        "Request has invalid or unsupported property",
        f"Property Name:{name} {why}",
        element=name,
    )


def missing_parameter(name: str) -> Refusal:
    """A required property is absent."""
    return Refusal(
        "2020",
        "Required param missing, need to supply the required value for the API",
        f"Required parameter {name} is missing in the request",
        element=name,
    )


def wrong_length(name: str, limit: int, supplied: int) -> Refusal:
    """A text is too long."""
    return Refusal(
        "2050",
        "String length is either shorter or longer than supported by specification",
        "String length specified does not match the supported length. "
        f"Min:0 Max:{limit:,} supported. Supplied length:{supplied:,}",
        element=name,
    )


def invalid_reference(kind: str, value: str) -> Refusal:
    """A reference points at nothing; ``kind`` is Names, Items, Accounts, Klasses or Terms."""
    return Refusal(
        "2500",
        "Invalid Reference Id",
        f"Invalid Reference Id : {kind} element id {value} not found",
    )


def not_found() -> Refusal:
    """The object does not exist or is inactive."""
    return Refusal(
        "610",
        "Object Not Found",
        "Object Not Found : Something you're trying to use has been made inactive. "
        "Check the fields with accounts, customers, items, vendors or employees.",
    )


def stale() -> Refusal:
    """SyncToken is not the stored one."""
    return Refusal(
        "5010",
        "Stale Object Error",
        "Stale Object Error : You and root were working on this at the same time. "
        "root finished before you did, so your work was not saved.",
    )


def business(sentence: str) -> Refusal:
    """A rule of the books forbids it."""
    return Refusal(
        "6000",
        "A business validation error has occurred while processing your request",
        f"Business Validation Error: {sentence}",
    )


def amount_mismatch(supplied: str) -> Refusal:
    """Amount is not the rounded product."""
    return Refusal(
        "6070",
        "Amount calculation incorrect in the request",
        f"Amount is not equal to UnitPrice * Qty. Supplied value:{supplied}",
    )


def duplicate_number(number: str, kind: str, holder: str) -> Refusal:
    """Another document of the kind has the number."""
    return Refusal(
        "6140",
        "Duplicate Document Number Error",
        "Duplicate Document Number Error : You must specify a different number. This number has "
        f"already been used. DocNumber={number} is assigned to TxnType={kind} with TxnId={holder}",
    )


def duplicate_name(family: str, holder: str) -> Refusal:
    """Another list entry has the name."""
    return Refusal(
        "6240",
        "Duplicate Name Exists Error",
        f"The name supplied already exists. : Another {family} is already using this name. "
        f"Please use a different name. Id={holder}",
    )


def warned(kind: str, sentence: str) -> Refusal:
    """A warning that the caller may acknowledge; the service itself has none."""
    return Refusal(kind, f"Warning: {kind}", sentence)


def period_closed() -> Refusal:
    """The date lies in closed books (the doubled word is the service's own)."""
    return Refusal(
        "6210",
        "Account Period Closed, Cannot Update Through Services API",
        "The account period has closed and the account books cannot be updated through through "
        "the QBO Services API.  Please use the QBO website to make these changes.",
    )


def bad_query(why: str) -> Refusal:
    """The query cannot be run."""
    return Refusal("4001", "Invalid query", f"QueryValidationError: {why}")


def unparsable_query(why: str) -> Refusal:
    """The query cannot be read."""
    return Refusal("4000", "Error parsing query", f"QueryParserError: {why}")


def unsupported(what: str) -> Refusal:
    """The operation is not allowed on the entity."""
    return Refusal("500", "Unsupported Operation", f"Operation {what} is not supported.")
