"""Why a retainer can't be moved as asked."""

from __future__ import annotations

from hourbridge.common.errors import Disposition, HourbridgeError


class RetainerRefused(HourbridgeError):
    """A movement would break a rule of retainers."""

    code = "retainer_refused"
    disposition = Disposition.PARK
    advice = "See `hourbridge retainer show` for what there is; ask for no more than that."


class RetainerExceeded(RetainerRefused):
    """More is asked for than the balance holds or the invoice still needs."""

    code = "retainer_exceeded"


class RetainerSpent(RetainerRefused):
    """A receipt is taken back whose money has been used since."""

    code = "retainer_spent"
    advice = "Credit what it paid for, or refund it from another receipt; then it goes on."


class RetainerCurrency(RetainerRefused):
    """A retainer is kept in one currency."""

    code = "retainer_currency"
    advice = "Name another engagement for money in another currency."


class RetainerUnknown(RetainerRefused):
    """No policy and no earlier movement knows the retainer."""

    code = "retainer_unknown"
    advice = "Give the client or project a `retainer` policy with this engagement."
