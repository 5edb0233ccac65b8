"""Is the broker well? From RabbitMQ's own metrics."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from tools.dashboards.panels import Panel, board, graph, number, with_rows


def broker() -> Dashboard:
    """Return the dashboard."""
    return with_rows(
        board("hourbridge-broker", "Hourbridge: broker"),
        ("Is the broker well?", _figures()),
        ("Queues", _graphs()),
    )


def _figures() -> list[Panel]:
    return [
        number(
            "Alarms",
            "sum(rabbitmq_alarms_memory_used_watermark)"
            " + sum(rabbitmq_alarms_free_disk_space_watermark)",
            "Memory or disk short: publishers are blocked.",
            bad_from=1,
        ),
        number(
            "Ready messages",
            "sum(rabbitmq_detailed_queue_messages_ready)",
            "What waits in all queues.",
        ),
        number(
            "Unrouted",
            'sum(rabbitmq_detailed_queue_messages_ready{queue="hourbridge.unrouted.v1"})'
            " or vector(0)",
            "Messages of upstream systems that nobody reads.",
            bad_from=1,
        ),
        number(
            "In dead queues",
            'sum(rabbitmq_detailed_queue_messages_ready{queue=~".+[.]dead[.]v1"})',
            "Dead letters that the archiver has not taken yet.",
            bad_from=100,
        ),
    ]


def _graphs() -> list[Panel]:
    return [
        graph(
            "Ready by queue",
            "Messages that wait.",
            ("sum by (queue) (rabbitmq_detailed_queue_messages_ready)", "{{queue}}"),
        ),
        graph(
            "Unacknowledged by queue",
            "Messages in the hands of consumers.",
            ("sum by (queue) (rabbitmq_detailed_queue_messages_unacked)", "{{queue}}"),
        ),
        graph(
            "Consumers",
            "Per queue.",
            ("sum by (queue) (rabbitmq_detailed_queue_consumers)", "{{queue}}"),
        ),
        graph(
            "Dead-lettered by the broker",
            "By reason; delivery_limit means that holders keep dying.",
            (
                "sum(rate(rabbitmq_global_messages_dead_lettered_delivery_limit_total"
                "[$__rate_interval]))",
                "delivery limit",
            ),
            (
                "sum(rate(rabbitmq_global_messages_dead_lettered_expired_total[$__rate_interval]))",
                "expired (delay rungs)",
            ),
            unit="ops",
        ),
    ]
