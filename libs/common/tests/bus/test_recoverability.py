"""What becomes of a delivery that failed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hourbridge.common.bus import headers as h
from hourbridge.common.bus.adapter import Delivery, Failure, HeaderValue, Outgoing
from hourbridge.common.bus.recoverability import (
    DEFECT,
    RetryPolicy,
    after_failure,
    classify,
    holder_killed,
    same_again,
    to_suspect_lane,
)
from hourbridge.common.bus.topology import DEAD_EXCHANGE, Rung, ServiceQueues
from hourbridge.common.errors import (
    Disposition,
    MessageInvalid,
    PeriodClosed,
    TransientFailure,
)

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
QUEUES = ServiceQueues("mapper")
RUNGS = (Rung(5), Rung(30))
POLICY = RetryPolicy(RUNGS, attempts_max=4, defect_attempts_max=2)
RETRY = Failure("transient_failure", Disposition.RETRY, "not now")


def delivery(**headers: HeaderValue) -> Delivery:
    return Delivery(
        queue=QUEUES.work,
        tag=1,
        body=b"{}",
        exchange="hourbridge.events",
        routing_key="a.b.v1",
        message_id="m",
        type="hourbridge.a.b.v1",
        headers=headers,
        correlation_id="c",
        earlier_holders_lost=0,
        content_type="text/plain",
    )


def fail(given: Delivery, failure: Failure = RETRY) -> Outgoing:
    return after_failure(given, failure, POLICY, queues=QUEUES, now=NOW)


def test_the_first_failure_waits_on_the_first_rung() -> None:
    made = fail(delivery(book="acme"))
    assert (made.exchange, made.routing_key) == (RUNGS[0].exchange, QUEUES.work)
    assert made.headers == {
        "book": "acme",
        h.QUEUE: QUEUES.work,
        h.EXCHANGE: "hourbridge.events",
        h.ROUTING_KEY: "a.b.v1",
        h.ATTEMPT: 1,
        h.FIRST_FAILED_AT: "2026-03-02T10:00:00Z",
        h.ERROR_CODE: "transient_failure",
        h.ERROR_TEXT: "not now",
    }
    assert (made.correlation_id, made.content_type) == ("c", "text/plain")


@pytest.mark.parametrize(
    ("failed_before", "exchange"),
    [(0, RUNGS[0].exchange), (1, RUNGS[1].exchange), (2, RUNGS[1].exchange), (3, DEAD_EXCHANGE)],
)
def test_the_last_rung_is_repeated_until_the_attempts_are_used_up(
    failed_before: int, exchange: str
) -> None:
    assert fail(delivery(**{h.ATTEMPT: failed_before})).exchange == exchange


def test_the_first_failure_time_and_origin_are_kept() -> None:
    marks: dict[str, HeaderValue] = {
        h.ATTEMPT: 1,
        h.FIRST_FAILED_AT: "2026-03-01T00:00:00Z",
        h.QUEUE: QUEUES.bulk,
        h.EXCHANGE: "hourbridge.bulk",
        h.ROUTING_KEY: "x.y.v1",
    }
    made = fail(delivery(**marks))
    assert made.headers[h.FIRST_FAILED_AT] == "2026-03-01T00:00:00Z"
    assert made.headers[h.QUEUE] == QUEUES.bulk
    assert (made.headers[h.EXCHANGE], made.headers[h.ROUTING_KEY]) == ("hourbridge.bulk", "x.y.v1")


@pytest.mark.parametrize("disposition", [Disposition.REJECT, Disposition.PARK])
def test_what_no_retry_can_help_is_dead_at_once(disposition: Disposition) -> None:
    made = fail(delivery(), Failure("nope", disposition, "why"))
    assert (made.exchange, made.routing_key) == (DEAD_EXCHANGE, QUEUES.dead)
    assert made.headers[h.CAUSE] == "nope"


def test_defects_have_a_smaller_budget() -> None:
    defect = Failure(DEFECT, Disposition.RETRY, "oops")
    assert fail(delivery(), defect).exchange == RUNGS[0].exchange
    assert fail(delivery(**{h.ATTEMPT: 1}), defect).exchange == DEAD_EXCHANGE


def test_without_rungs_every_failure_is_final() -> None:
    made = after_failure(delivery(), RETRY, RetryPolicy(()), queues=QUEUES, now=NOW)
    assert made.exchange == DEAD_EXCHANGE


def test_a_suspect_takes_the_shortest_rung() -> None:
    made = to_suspect_lane(delivery(), POLICY, queues=QUEUES)
    assert (made.exchange, made.routing_key) == (RUNGS[0].exchange, QUEUES.suspect)
    assert h.ATTEMPT not in made.headers


def test_a_holder_killed_is_dead() -> None:
    made = holder_killed(delivery(), queues=QUEUES, now=NOW)
    assert (made.exchange, made.headers[h.CAUSE]) == (DEAD_EXCHANGE, "killed_its_holder")


def test_a_renewed_message_is_the_same() -> None:
    made = same_again(delivery(book="acme"))
    assert (made.exchange, made.routing_key, made.body) == ("", QUEUES.work, b"{}")
    assert made.headers["book"] == "acme"


def test_classification() -> None:
    reasons = [{"field": "a.b", "code": "missing", "detail": "Field required"}]
    assert classify(MessageInvalid("1 wrong", reasons)).text == "a.b: missing: Field required"
    assert classify(TransientFailure("x")).disposition is Disposition.RETRY
    assert classify(PeriodClosed("x", reason_code="closed")).disposition is Disposition.PARK
    unforeseen = classify(KeyError("k"))
    assert (unforeseen.code, unforeseen.disposition) == (DEFECT, Disposition.RETRY)


# --- headers ----------------------------------------------------------------------------------


def test_the_brokers_headers_and_long_foreign_ones_stay_behind() -> None:
    given: dict[str, HeaderValue] = {
        "x-delivery-count": 3,
        "x-first-death-queue": "q",
        "book": "acme",
        "essay": "x" * 5000,
        "number": 7,
    }
    assert h.carried(given) == {"book": "acme", "number": 7}


def test_carried_headers_are_bounded_in_total() -> None:
    many: dict[str, HeaderValue] = {f"h{n}": "x" * 3000 for n in range(50)}
    assert sum(len(str(value)) for value in h.carried(many).values()) <= 16_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [("short", "short"), ("nul\x00", "nul\\0"), ("\ud800", "\\ud800"), ("é" * 2, "éé")],
)
def test_error_texts_hold_only_what_can_be_sent_and_stored(text: str, expected: str) -> None:
    assert h.cut(text) == expected


def test_error_texts_are_cut_with_a_sign() -> None:
    assert h.cut("x" * 5000) == "x" * 999 + "…"


@pytest.mark.parametrize("nonsense", ["many", -5, 10**9])
def test_a_foreign_attempt_header_counts_for_nothing(nonsense: HeaderValue) -> None:
    assert h.attempts(delivery(**{h.ATTEMPT: nonsense})) == 0
    assert fail(delivery(**{h.ATTEMPT: nonsense})).exchange == RUNGS[0].exchange


def test_moved_deliveries_tell_where_they_were_first_published() -> None:
    moved = delivery(**{h.EXCHANGE: "hourbridge.intake", h.ROUTING_KEY: "r.reported.v1"})
    first = h.as_first_published(moved)
    assert (first.exchange, first.routing_key, first.tag) == (
        "hourbridge.intake",
        "r.reported.v1",
        moved.tag,
    )
    assert h.as_first_published(delivery()) == delivery()
