"""What is done with fetched messages inside transactions: screening, together, alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from sqlalchemy import Connection

from hourbridge.common.bus import headers as h
from hourbridge.common.bus import recoverability as recover
from hourbridge.common.bus.adapter import Delivery, Failure, Outgoing
from hourbridge.common.bus.bus_metrics import DEAD, HANDLED, RETRIES
from hourbridge.common.bus.lanes import Lane, Received, Transactions
from hourbridge.common.bus.limits import require_fits
from hourbridge.common.bus.topology import DEAD_EXCHANGE, ServiceQueues
from hourbridge.common.bus.tracing import carry_on, processing
from hourbridge.common.clock import Clock
from hourbridge.common.errors import (
    DependencyUnavailable,
    Disposition,
    MessageInvalid,
    MessageTypeUnknown,
)
from hourbridge.common.faults import declare, fault_point
from hourbridge.common.messages.registry import BULK_EXCHANGE, EVENTS_EXCHANGE, REGISTRY
from hourbridge.common.store import claim_check

log = structlog.get_logger(__name__)

BEFORE_COMMIT = declare("consumer.before_commit", "effects made, their transaction still open")
_BLAMED_MAX = 2


@dataclass(eq=False)
class Item:
    """A delivery on its way through the handler."""

    delivery: Delivery
    received: Received | Delivery | None
    """None while its data is in the object store, to be read inside the transaction."""
    blamed: int = 0
    """How often its probe found a dependency away while another message's then went through."""


@dataclass
class Settlement:
    """What to publish, and what may then be acknowledged."""

    outputs: list[Outgoing] = field(default_factory=list)
    done: list[Delivery] = field(default_factory=list)

    def add(self, other: Settlement) -> None:
        """Take over another settlement."""
        self.outputs += other.outputs
        self.done += other.done


class BatchHandler:
    """Runs one lane's handler over batches and decides about what fails."""

    def __init__(
        self,
        service: str,
        lane: Lane,
        *,
        store: Transactions,
        policy: recover.RetryPolicy,
        clock: Clock,
    ) -> None:
        self._service = service
        self._lane = lane
        self._store = store
        self._policy = policy
        self._clock = clock
        self._queues = ServiceQueues(service)
        self._handler: Any = lane.handler  # Handler or RawHandler, as lane.raw says

    def screen(self, deliveries: Sequence[Delivery]) -> tuple[list[Item], Settlement]:
        """Split off what must not reach the handler: suspects, and what can't be decoded."""
        items: list[Item] = []
        settled = Settlement()
        for delivery in deliveries:
            moved = self._suspicion(delivery)
            if moved is not None:
                settled.add(Settlement([moved], [delivery]))
                continue
            try:
                items.append(Item(delivery, self._read(delivery)))
            except Exception as error:  # noqa: BLE001 - whatever a foreign body provokes is its own fault
                settled.add(self._failed(delivery, recover.classify(error)))
        suspects = [each for each in settled.outputs if each.routing_key == self._queues.suspect]
        if suspects:
            log.warning("messages_suspected", queue=self._lane.queue, messages=len(suspects))
        return items, settled

    def together(self, items: Sequence[Item]) -> Settlement:
        """Handle all in one transaction; whatever the handler raises passes."""
        deliveries = [item.delivery for item in items]
        with processing(self._lane.queue, deliveries) as span:
            with self._store.transaction() as connection:
                received = [self._received(item, connection) for item in items]
                made = self._handler.handle(received, connection)
                outputs = carry_on(self._redirect(made, deliveries), deliveries, span)
                outputs = list(claim_check.check_in(connection, outputs))
                for output in outputs:
                    require_fits(output)
                fault_point(BEFORE_COMMIT)
        self._count("handled", len(items))
        return Settlement(outputs, deliveries)

    def alone(self, item: Item) -> Settlement:
        """Handle one message; its failure becomes a retry or a dead letter.

        Raises DependencyUnavailable, which is not the message's fault, unless the same message
        keeps finding dependencies away that others reach.
        """
        try:
            return self.together([item])
        except DependencyUnavailable as error:
            if item.blamed < _BLAMED_MAX:
                raise
            failure = Failure(error.code, Disposition.RETRY, str(error))
        except Exception as error:  # noqa: BLE001 - any exception of a handler is this message's failure
            failure = recover.classify(error)
            log.warning(
                "message_failed",
                queue=self._lane.queue,
                message_id=item.delivery.message_id,
                code=failure.code,
                error=failure.text,
                exc_info=failure.code == recover.DEFECT,
            )
        return self._failed(item.delivery, failure)

    def renewal(self, deliveries: Sequence[Delivery]) -> Settlement:
        """Return what puts held messages back at the end of their queue, uncharged."""
        return Settlement([recover.same_again(each) for each in deliveries], list(deliveries))

    def _read(self, delivery: Delivery) -> Received | Delivery | None:
        """Return what the handler gets, None if its data must be fetched first.

        References in raw lanes are never followed: an outsider could name any object.
        """
        if self._lane.raw:
            return h.as_first_published(delivery)
        if not delivery.type:
            raise MessageTypeUnknown("the message has no type property")
        try:
            return Received(delivery, REGISTRY.decode(delivery.type, delivery.body))
        except MessageInvalid:
            if claim_check.is_claim(delivery.body):
                return None
            raise

    def _received(self, item: Item, connection: Connection) -> Received | Delivery:
        if item.received is not None:
            return item.received
        body = claim_check.redeem(connection, item.delivery.body)
        return Received(item.delivery, REGISTRY.decode(item.delivery.type or "", body))

    def _suspicion(self, delivery: Delivery) -> Outgoing | None:
        if delivery.earlier_holders_lost < recover.HOLDERS_LOST_MAX:
            return None
        if self._lane.moves_suspects:
            self._count("suspected")
            return recover.to_suspect_lane(delivery, self._policy, queues=self._queues)
        if self._lane.is_suspect:
            self._count("dead")
            DEAD.labels(self._service, recover.KILLED_ITS_HOLDER).inc()
            return recover.holder_killed(delivery, queues=self._queues, now=self._clock.now())
        return None

    def _failed(self, delivery: Delivery, failure: Failure) -> Settlement:
        output = recover.after_failure(
            delivery, failure, self._policy, queues=self._queues, now=self._clock.now()
        )
        if output.exchange == DEAD_EXCHANGE:
            self._count("dead")
            DEAD.labels(self._service, failure.code).inc()
            log.error(
                "message_dead",
                queue=self._lane.queue,
                message_id=delivery.message_id,
                type=delivery.type,
                cause=failure.code,
                error=h.cut(failure.text),
            )
        else:
            self._count("retried")
            attempt = str(output.headers[h.ATTEMPT])
            RETRIES.labels(self._service, self._lane.name, attempt).inc()
        return Settlement([output], [delivery])

    def _redirect(
        self, outputs: Sequence[Outgoing], deliveries: Sequence[Delivery]
    ) -> Sequence[Outgoing]:
        """Keep what bulk traffic leads to on the bulk lanes of the services further on."""
        is_bulk = self._lane.name == "bulk" or (
            self._lane.is_suspect and deliveries[0].headers.get(h.QUEUE) == self._queues.bulk
        )
        if not is_bulk:
            return outputs
        return [
            replace(output, exchange=BULK_EXCHANGE)
            if output.exchange == EVENTS_EXCHANGE
            else output
            for output in outputs
        ]

    def _count(self, outcome: str, messages: int = 1) -> None:
        HANDLED.labels(self._service, self._lane.name, outcome).inc(messages)
