"""Declarations on throw-away channels: a refusal closes the channel, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any

from pika.channel import Channel
from pika.connection import Connection
from pika.exceptions import ChannelClosedByBroker

from hourbridge.common.bus.link import Link
from hourbridge.common.errors import BusError

Reply = Callable[[Any], None]

NOT_FOUND = 404
ACCESS_REFUSED = 403
PRECONDITION_FAILED = 406


@dataclass(frozen=True)
class Step:
    """One request that the broker answers; ``label`` names what it is about."""

    label: str
    request: Callable[[Channel, Reply], None]


@dataclass(frozen=True)
class Refusal:
    """The broker's no to one step."""

    step: Step
    code: int
    text: str


@dataclass(frozen=True)
class _Outcome:
    replies: list[Any]
    refusal: Refusal | None


class _Conversation:
    """Runs steps one after another on one channel, in the I/O thread."""

    def __init__(self, steps: Sequence[Step], future: Future[_Outcome]) -> None:
        self._steps = steps
        self._future = future
        self._replies: list[Any] = []
        self._channel: Channel | None = None

    def connection_up(self, connection: Connection) -> None:
        connection.channel(on_open_callback=self._opened)

    def connection_down(self, reason: str) -> None:
        if not self._future.done():
            self._future.set_exception(BusError(f"connection lost: {reason}"))

    def _opened(self, channel: Channel) -> None:
        self._channel = channel
        channel.add_on_close_callback(self._closed)
        self._next()

    def _next(self) -> None:
        channel = self._channel
        if channel is None or not channel.is_open:
            return
        if len(self._replies) < len(self._steps):
            self._steps[len(self._replies)].request(channel, self._replied)
        else:
            self._future.set_result(_Outcome(self._replies, None))
            channel.close()

    def _replied(self, frame: Any) -> None:
        self._replies.append(frame.method)
        self._next()

    def _closed(self, _channel: Channel, reason: BaseException) -> None:
        if self._future.done():
            return
        if not isinstance(reason, ChannelClosedByBroker):
            self._future.set_exception(BusError(f"channel lost: {reason!r}"))
            return
        step = self._steps[len(self._replies)]
        refusal = Refusal(step, reason.reply_code, reason.reply_text)
        self._future.set_result(_Outcome(self._replies, refusal))


def _converse(link: Link, steps: Sequence[Step], timeout_seconds: float) -> _Outcome:
    if not link.is_up:
        link.settled.wait(timeout_seconds)
    if not link.is_up:
        raise BusError(f"no connection to the broker: {link.reason}")
    future: Future[_Outcome] = Future()
    conversation = _Conversation(steps, future)
    link.attach(conversation)
    try:
        return future.result(timeout_seconds)
    except FutureTimeout:
        raise BusError(f"no answer in {timeout_seconds} s", step=steps[0].label) from None
    finally:
        link.detach(conversation)


def run(link: Link, steps: Sequence[Step], *, timeout_seconds: float = 30) -> list[Any]:
    """Run ``steps`` in order and return the replies; raise ``Refused`` at the first no."""
    outcome = _converse(link, steps, timeout_seconds)
    if outcome.refusal is not None:
        raise Refused(outcome.refusal)
    return outcome.replies


def refusals(link: Link, steps: Sequence[Step], *, timeout_seconds: float = 30) -> list[Refusal]:
    """Run every step, going on after a refusal; return what was refused."""
    found = []
    rest = list(steps)
    while rest:
        outcome = _converse(link, rest, timeout_seconds)
        if outcome.refusal is None:
            break
        found.append(outcome.refusal)
        rest = rest[len(outcome.replies) + 1 :]
    return found


class Refused(BusError):
    """The broker refused a request."""

    code = "bus_refused"

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text, step=refusal.step.label)
        self.refusal = refusal
