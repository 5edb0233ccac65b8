"""Every fault of the service's catalogue: message, detail and HTTP status by code."""

from __future__ import annotations

from hourbridge.sandbox.quickbooks_online.refusals import Refusal

_INACTIVE = (
    "Object Not Found : Something you're trying to use has been made inactive. "
    "Check the fields with accounts, customers, items, vendors or employees."
)
_LENGTH = (
    "String length specified does not match the supported length. "
    "Min:0 Max:1,000 supported. Supplied length:1,001"
)
_CLOSED = (
    "The account period has closed and the account books cannot be updated through through "
    "the QBO Services API.  Please use the QBO website to make these changes."
)
_NUMBER = (
    "Duplicate Document Number Error : You must specify a different number. This number has "
    "already been used. DocNumber=BT-10452 is assigned to TxnType=Bill with TxnId=17250"
)
_NAME = (
    "The name supplied already exists. : Another customer, vendor or employee is already using "
    "this name. Please use a different name."
)
_STALE = (
    "Stale Object Error : You and root were working on this at the same time. "
    "root finished before you did, so your work was not saved."
)
_BUSINESS = "A business validation error has occurred while processing your request"
_INVALID = "Request has invalid or unsupported property"

CATALOGUE: dict[str, tuple[str, str, int]] = {
    "100": ("General authentication error", "", 401),
    "110": ("The user has no access to the company", "", 401),
    "120": ("ApplicationAccessDenied", "errorCode=-11014", 403),
    "130": ("Wrong cluster", "", 400),
    "140": ("The company is locked", "", 400),
    "150": ("The company is unavailable for maintenance", "", 400),
    "500": ("Unsupported Operation", "Operation is not supported.", 400),
    "600": ("Duplicate Request ID", "", 400),
    "610": ("Object Not Found", _INACTIVE, 400),
    "620": ("Transaction cannot be linked", "", 400),
    "630": ("Duplicate object", "", 400),
    "700": ("Invalid parent", "", 400),
    "800": ("Cannot delete", "The object is referenced by others.", 400),
    "900": ("General request error", "", 400),
    "1000": ("Request has invalid or malformed content", "", 400),
    "1010": ("Malformed XML", "", 400),
    "1020": ("Malformed JSON", "", 400),
    "1040": ("Batch size exceeded", "At most 30 items are allowed in a batch.", 400),
    "1050": ("Unsupported content type", "", 415),
    "2010": (_INVALID, "Property Name:X specified is unsupported or invalid", 400),
    "2020": (
        "Required param missing, need to supply the required value for the API",
        "Required parameter Line is missing in the request",
        400,
    ),
    "2030": ("Invalid ID", "", 400),
    "2050": (
        "String length is either shorter or longer than supported by specification",
        _LENGTH,
        400,
    ),
    "2080": ("Illegal number format", "", 400),
    "2170": ("Invalid Enumeration", "", 400),
    "2210": ("Invalid email address", "Email Address does not conform to RFC 822", 400),
    "2500": (
        "Invalid Reference Id",
        "Invalid Reference Id : Names element id 75 not found",
        400,
    ),
    "3001": (
        "message=ThrottleExceeded; errorCode=003001; statusCode=429",
        "The request limit was reached.  Try again later",
        429,
    ),
    "3100": ("message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403", "", 403),
    "3200": ("message=AuthenticationFailed; errorCode=003200; statusCode=401", "", 401),
    "3201": ("message=AuthorizationFailure; errorCode=003201; statusCode=403", "", 403),
    "4000": ("Error parsing query", "QueryParserError: Encountered x", 400),
    "4001": ("Invalid query", "QueryValidationError: property 'x' is not queryable", 400),
    "5000": ("Deprecated field", "", 400),
    "5010": ("Stale Object Error", _STALE, 400),
    "5020": ("Permission Denied Error", "The feature is not part of the subscription.", 400),
    "5030": ("Permission Denied Error", "You have no permission for this account.", 400),
    "6000": (_BUSINESS, "Business Validation Error: This is not allowed.", 400),
    "6002": ("message=GatewayTimeout; errorCode=006002; statusCode=504", "", 504),
    "6010": ("Content rule broken", "", 400),
    "6020": ("Content length exceeded", "", 413),
    "6030": ("Upload too large", "The request is larger than 100 MB.", 413),
    "6040": ("Limit exceeded", "", 400),
    "6050": ("Limit exceeded", "", 400),
    "6070": (
        "Amount calculation incorrect in the request",
        "Amount is not equal to UnitPrice * Qty. Supplied value:1,861.07",
        400,
    ),
    "6080": ("Name is missing", "One of the name parts is required", 400),
    "6090": ("Invalid discount information", "", 400),
    "6100": ("Invalid tax code", "Only TAX or NON can be used on a line.", 400),
    "6110": ("Line detail mismatch", "", 400),
    "6140": ("Duplicate Document Number Error", _NUMBER, 400),
    "6190": (
        "Invalid Company Status",
        "Subscription period has ended or canceled or there was a billing problem : "
        "You can't create any transactions.",
        400,
    ),
    "6210": ("Account Period Closed, Cannot Update Through Services API", _CLOSED, 400),
    "6240": ("Duplicate Name Exists Error", _NAME, 400),
    "6250": ("Invalid Customer", "", 400),
    "6430": ("Invalid account type", "The account type is invalid for the operation.", 400),
    "6480": ("Locale validation error", "", 400),
    "6490": ("Feature validation error", "", 400),
    "6540": (
        "Deposited Transaction Cannot Be Changed",
        "If this transaction has been deposited, delete it from the deposit first.",
        400,
    ),
    "6560": ("Customer reference is missing", "", 400),
    "10000": (
        "An application error has occurred while processing your request",
        "System Failure Error: java.lang.NullPointerException",
        500,
    ),
    "": ("Delete List Has Balance Error", "Delete List Has Balance Error", 400),
}
"""The empty code is that of the one fault that comes without a code."""


def refusal_of(code: str, *, detail: str | None = None, status: int | None = None) -> Refusal:
    """Return the fault of a code; raises ValueError for one that is not in the catalogue."""
    if code not in CATALOGUE:
        raise ValueError(f"{code!r} is not in the catalogue")
    message, usual, usual_status = CATALOGUE[code]
    return Refusal(
        code, message, usual if detail is None else detail, status=status or usual_status
    )
