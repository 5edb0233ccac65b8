"""However requests interleave: no retainer is ever below zero, no invoice paid beyond its total."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hourbridge.billing.retainers.lots import lots_of
from hourbridge.common.book import ClientMapping, LedgerReference, RetainerPolicy, Workflow
from hourbridge.common.runtime.admin import NotFound
from hourbridge.poster.open_items import read_items
from hourbridge.poster.retainers import store
from hourbridge.poster.retainers.commands import Request
from hourbridge.poster.retainers.refusals import RetainerRefused
from hourbridge.poster.retainers.report import RetainerReport
from tests.support.charges import make_charge
from tests.support.posting import BOOK, Poster

JAN_8, APRIL_30 = date(2026, 1, 8), date(2026, 4, 30)
_CLIENTS = count(1)
REQUESTS = st.tuples(st.sampled_from(["apply", "refund", "forfeit", "look"]), st.integers(1, 900))


def configure(poster: Poster, number: int) -> None:
    rules = [
        ClientMapping(
            client=f"C{n}",
            customer=LedgerReference(name=f"C{n}"),
            workflow=Workflow.RETAINER,
            retainer=RetainerPolicy(engagement="main"),
        )
        for n in range(1, number + 1)
    ]
    poster.configure(number + 1, clients=tuple(rules))


def settle(poster: Poster) -> None:
    for _ in range(3):
        poster.post()
        poster.parts.retainers.keeper.run_due()
        poster.clock.step(seconds=600)
    poster.post()


def prepare(poster: Poster, client: str, funds: int, bills: list[int]) -> None:
    """Let money be there and invoices be posted, but nothing be applied yet."""
    request = Request(BOOK, client, "main", "ann", Decimal(funds), JAN_8)
    poster.parts.retainers.commands.open(request, None, None, in_ledger=True)
    charges = [
        make_charge(
            f"{client}-{n}",
            rate=f"{amount}.00",
            client=client,
            work_date=date(2026, 2, 1) + timedelta(days=31 * n // 2),
            retainer="main",
            workflow="retainer",
        )
        for n, amount in enumerate(bills)
    ]
    if charges:
        poster.charge(*charges)
        poster.bill(APRIL_30)
    poster.post(rounds=len(bills) + 1)


def act(poster: Poster, client: str, request: tuple[str, int]) -> Callable[[], Any]:
    parts = poster.process()
    action, amount = request
    asked = Request(BOOK, client, "main", "ann", Decimal(amount), APRIL_30)
    if action == "apply":
        return lambda: parts.retainers.commands.apply(asked, None)
    if action == "look":
        return parts.retainers.keeper.run_due
    return lambda: getattr(parts.retainers.commands, action)(asked)


def race(works: list[Callable[[], Any]]) -> None:
    start = threading.Barrier(len(works))
    failures: list[BaseException] = []

    def run(work: Callable[[], Any]) -> None:
        start.wait()
        try:
            with suppress(RetainerRefused, NotFound):  # what would break a rule is refused
                work()
        except BaseException as error:  # noqa: BLE001 - a thread's failure must fail the test
            failures.append(error)

    racers = [threading.Thread(target=run, args=(work,)) for work in works]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert failures == []


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    funds=st.integers(1, 1500),
    bills=st.lists(st.integers(1, 900), max_size=3),
    requests=st.lists(REQUESTS, min_size=2, max_size=6),
)
def test_never_negative_under_concurrency(
    poster: Poster, funds: int, bills: list[int], requests: list[tuple[str, int]]
) -> None:
    number = next(_CLIENTS)
    client = f"C{number}"
    configure(poster, number)
    prepare(poster, client, funds, bills)
    race([act(poster, client, request) for request in requests])
    settle(poster)
    with poster.store.transaction() as connection:
        sub = store.read(connection, store.retainer_id(BOOK, client, "main"))
        assert sub is not None
        paid = {booked.invoice_id for booked in sub.booked if booked.invoice_id}
        items = read_items(connection, paid).values()
    assert sub.balance >= 0
    assert all(item.open_amount >= 0 for item in items)
    for day in {movement.day for movement in sub.movements}:
        so_far = [movement for movement in sub.movements if movement.day <= day]
        assert sum(movement.effect for movement in so_far) >= 0, "not on any day"
        assert all(lot.amount > 0 for lot in lots_of(so_far))
    log = RetainerReport(poster.store, poster.clock).log(BOOK, date(2026, 12, 31))
    assert log["agrees"], log["proof"]
