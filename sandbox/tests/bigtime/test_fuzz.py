"""Whatever is sent, the answer is one of the service's own: never a crash."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hourbridge.common.exact_json import dumps, loads
from hourbridge.sandbox.bigtime.calls import Call
from hourbridge.sandbox.bigtime.seed import seed_firm
from hourbridge.sandbox.bigtime.service import Service
from hourbridge.sandbox.bigtime.world import World
from hourbridge.sandbox.common.audit import AuditLog

STATUSES = {200, 202, 400, 401, 403, 404, 405}
_LINES = (
    "Nm ClientId SystemId IsInactive ContactList UdfList ProjectSID StaffSID StaffSid Dt BudgCatID",
    "Hours_IN HoursBillable TaskSID NoCharge SID CatSID CostIN Units UnitRate CCardSid Lines",
    "Status InvoiceType InvoiceSid PaidAmt mindate staffsids view DT_BEGIN DT_END Name Value Sid",
    "ExpenseSid FileName ContentType Data InviteStaffSids AssignmentList TaskNm ParentSid RptSid",
    "RptNm RateValue TermsSid UserId Pwd SName EMail Rate1 BillingRate BillRate",
)
NAMES = [name for line in _LINES for name in line.split()]
numbers = st.integers(-(2**70), 2**70) | st.sampled_from(
    ["1e999999", "1E-99999", "0.1", "-0", "NaN"]
)
values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | numbers
    | st.integers(0, 9)
    | st.text(max_size=8)
    | st.sampled_from(["2026-10-06", "0001-01-01", "9999-12-31", "aGk=", "a/b\r\n", "Detailed"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=6,
)
bodies = st.dictionaries(st.sampled_from(NAMES), values, max_size=8) | values
ids = st.sampled_from(["1", "2", "0", "-1", "3001", "7001", "88001", "90001", "x", "9" * 30, "١"])


def fresh() -> tuple[World, Service]:
    world = World()
    world.settings.change({"requests_per_minute_max": None})
    seed_firm(world, {"realm": "agency", "dataset": "agency"})
    return world, Service(world)


WORLD, SERVICE = fresh()
PATTERNS = sorted(
    {(route.method, route.pattern) for route in SERVICE._routes} | {("POST", "session")}
)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(PATTERNS),
    ids,
    st.dictionaries(
        st.sampled_from(["startdt", "enddt", "view", "staffsid", "dt"]), st.text(max_size=10)
    ),
    bodies,
)
def test_any_call_is_answered(
    route: tuple[str, str], identity: str, query: dict[str, str], body: Any
) -> None:
    method, pattern = route
    path = tuple(pattern.replace("{}", identity).split("/"))
    headers = {"x-auth-apitoken": "agency-key", "x-auth-realm": "agency"}
    dates = {"startdt": "2026-10-01", "enddt": "2026-10-31"}
    call = Call(method, path, {**dates, **query}, headers, dumps(body).encode("utf-8", "replace"))
    answer = SERVICE.answer(call, AuditLog().open(method, "/".join(path), ""))
    assert answer.status in STATUSES
    if answer.content_type.startswith("application/json"):
        loads(answer.body)


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=40) | st.sampled_from([b"[" * 100_000, b'{"Nm": "\\ud800"}', b"1" * 5000])
)
def test_any_bytes_are_answered(body: bytes) -> None:
    headers = {"x-auth-apitoken": "agency-key", "x-auth-realm": "agency"}
    call = Call("POST", ("client", "detail"), {}, headers, body)
    answer = SERVICE.answer(call, AuditLog().open("POST", "client/detail", ""))
    assert answer.status in (200, 400)
