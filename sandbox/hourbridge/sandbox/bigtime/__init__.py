"""A stand-in for the BigTime IQ API v2: firms, rules, sessions and faults.

The public documentation of the API is incomplete; what could not be known was decided like this,
and most of it can be switched (``settings.py``):

* Credentials: an unknown key or ended session is 401; a good one with another firm's realm 403;
  a missing permission 405. The realm is the firm's slug or its number. Unknown routes are 404.
* A call with ``StaffSid`` of somebody else is answered with the caller's own data, unless the
  caller is an administrator or a key. A single entry of somebody else is 405.
* Ids: new time has a negative SID, submission gives a positive one, rejection a negative one again
  (``rejection_changes_sid``). Expenses keep theirs. Ids count from the same start in every firm.
* ``StartDt`` and ``EndDt`` are required (400). ``DtCreated`` and ``DtModified`` are local text in
  lists, milliseconds since 1970 on time entries (``entry_stamps``).
* Before submission rates are 0 in Detailed (``rates_before_submission``). Rates are applied at
  submission, and again to unbilled time by a draft invoice, an edit or ResubmitTime; DtModified
  does not move then. N/C of project and task counts as it stands when an entry is read, until it
  is invoiced. N/C time has HoursBillable 0. Basic views have no rates, approval or invoice.
* Rounding goes to the nearest step, half up (``rounds_up``: to the next).
* ApprovalStatusNm: Not Submitted, Submitted, Partially Approved, Approved, Rejected. With no
  approval levels submitted is approved.
* ``BillingRate`` of a project: 1-5 staff rates, 6-10 labor code rates, 11 flat (``BasicRate``).
* Labor codes (``Project/LaborCode``): Sid, Nm, Code, GroupNm, NoCharge, IsInactive, QBItemId,
  DefaultQBClass, Rate1 to Rate5. ``Project/Rates`` rows have LaborCodeSid and RateSid too.
* Fields of the QB family on clients, projects, staff, labor and expense codes are text and only
  in detail views; on time entries QBClass and PayrollItem are numbers, 0 for none.
* Details of clients, projects and staff are complete unless ``View=Basic``; lists are Basic
  unless ``View=Detailed``. A POST to ``<list>/Detail[/{id}]`` changes only the fields it has;
  without an id (or 0) it creates. Names need not be unique. DELETE of a client with projects or
  a project with time is 400; deletions answer ``{"Deleted": true}``.
* ``picklist/ExpenseCode`` takes Nm, Code, GroupNm, IsUnit, UOM, UnitRate, UnitPrice, Markup
  (percent), IsTaxable, IsServiceFee, QBAccountId, QBItemId, IsInactive, and Sid to change one.
* UnitRate is the cost of a unit, UnitPrice what the client pays. Credits have a negative CostIN.
* An expense is submitted into a report; a rejected one goes back to report 0. ``Expense/Reports``
  hides approved and posted reports without ``ShowAll=true``. ReportByFilter has everything in the
  span, submitted or not; approval fields only with ``ShowApproval``.
* Receipts: ``GET Expense/Receipt?ExpenseSid=`` lists ReceiptSid, ExpenseSid, FileName,
  ContentType, Size; ``GET Expense/Receipt/{ReceiptSid}`` is the file; POST takes
  ExpenseSid, FileName, ContentType and Data (base64) as JSON; DELETE by ReceiptSid.
* Invoices: Status 1 Draft, 2 Final (a number is assigned), 3 Sent, 4 Paid, 5 Void; drafts are 1
  and 2, history 3 and above. PostedStatus 0 not posted, 1 posted, 2 failed; it can be set through
  ``Invoice/Detail`` (``posted_status_writable``), as can Status, by its number.
  ``PaymentPost/Status`` takes InvoiceSid, PaidAmt (in all) and PaidDt. ``Invoice``
  and ``Invoice/List`` are 404.
* Reports answer ``Data`` and ``FieldList`` alone; unsubmitted time is in them too.
* Tickets: ``{txnId, resultCode, resultMsg}`` with resultCode 0 pending, 1 done, 2 failed.
* Calls beyond the limit are 429 without Retry-After and do not count themselves.
"""

from hourbridge.sandbox.bigtime.seed import seed_firm
from hourbridge.sandbox.bigtime.server import BigTimeServer
from hourbridge.sandbox.bigtime.settings import SandboxSettings

__all__ = ["BigTimeServer", "SandboxSettings", "seed_firm"]
