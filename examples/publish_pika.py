"""Reports time entries over AMQP with pika, and reads what was refused.

    BROKER_URL   your own user on the broker   (default amqp://timesheets:timesheets@127.0.0.1/)
    BOOK         the book to report for        (default demo)

Needs nothing but pika. Each event is confirmed by the broker before the program goes on; what the
platform refuses comes back on ``hourbridge.intake.rejected`` with the source's name as key.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pika

SOURCE = "timesheets"
BROKER_URL = os.environ.get("BROKER_URL", "amqp://timesheets:timesheets@127.0.0.1/")
BOOK = os.environ.get("BOOK", "demo")
REJECTED_QUEUE = f"{SOURCE}.rejected"
TYPE = "hourbridge.time_entry.reported.v1"


def time_entry(external_id: str, updated_at: str, seconds: int) -> dict[str, Any]:
    """Return a CloudEvent that states one time entry completely."""
    return {
        "specversion": "1.0",
        "id": f"{external_id}@{updated_at}",
        "source": SOURCE,
        "type": TYPE,
        "book": BOOK,
        "data": {
            "external_id": external_id,
            "source_updated_at": updated_at,
            "staff_id": "kim",
            "client_name": "Acme",
            "project_name": "Website",
            "task_name": "Development",
            "work_date": "2026-03-02",
            "input": {"seconds": seconds},
            "billable_state": "billable",
            "approval": {"state": "approved"},
        },
    }


def publish(channel: Any, event: dict[str, Any]) -> None:
    """Publish one event; return when the broker has it on disk, raise if it does not take it."""
    channel.basic_publish(
        exchange="hourbridge.intake",
        routing_key=event["type"].removeprefix("hourbridge."),
        body=json.dumps(event).encode(),
        properties=pika.BasicProperties(
            content_type="application/cloudevents+json",
            delivery_mode=pika.DeliveryMode.Persistent,
            message_id=event["id"],
            type=event["type"],
        ),
    )


def main() -> None:
    """Report two good entries and a bad one, then show why the bad one was refused."""
    connection = pika.BlockingConnection(pika.URLParameters(BROKER_URL))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare(REJECTED_QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_bind(REJECTED_QUEUE, "hourbridge.intake.rejected", routing_key=SOURCE)

    publish(channel, time_entry("pika-1", "2026-03-02T17:00:00Z", 5400))
    publish(channel, time_entry("pika-2", "2026-03-02T17:05:00Z", 1800))
    bad = time_entry("pika-3", "2026-03-02T17:10:00Z", 0)
    bad["data"]["work_date"] = "2026-02-30"
    publish(channel, bad)
    print("confirmed: 3")

    for method, _properties, body in channel.consume(REJECTED_QUEUE, inactivity_timeout=30):
        if method is None:
            raise SystemExit("no answer about the bad entry: does the ingestor run?")
        refusal = json.loads(body)["data"]
        for reason in refusal["reasons"]:
            print(f"refused: {refusal['event_id']} {reason['field']}: {reason['detail']}")
        channel.basic_ack(method.delivery_tag)
        break
    connection.close()


if __name__ == "__main__":
    main()
