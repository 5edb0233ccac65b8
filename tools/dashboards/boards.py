"""The dashboards: is money flowing, is the flow healthy, can ledgers be posted to, the broker."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from tools.dashboards.panels import board, graph, number

_BOOK = 'book=~"$book"'
_SERVICE = 'service=~"$service"'


def money() -> Dashboard:
    """Return the dashboard of the business: is money flowing?"""
    return (
        board("hourbridge-money", "Hourbridge: money", ("book", "hourbridge_unbilled_hours"))
        .with_row(Row("Is money flowing?"))
        .with_panel(
            number(
                "Documents posted, 24 h",
                'sum(increase(hourbridge_documents_total{status="posted"}[24h]))',
                "Invoices, bills and entries that reached their ledger.",
            )
        )
        .with_panel(
            number(
                "Documents parked, 24 h",
                'sum(increase(hourbridge_documents_total{status="parked"}[24h])) or vector(0)',
                "Documents that a ledger refused and that wait for a person.",
                bad_from=1,
            )
        )
        .with_panel(
            number(
                "Open discrepancies",
                f"sum(hourbridge_discrepancies_open{{{_BOOK}}}) or vector(0)",
                "Differences between source, charges, documents and ledger that nobody resolved.",
                bad_from=1,
            )
        )
        .with_panel(
            number(
                "Time to invoice, 90 %",
                "histogram_quantile(0.9, sum by (le) "
                f"(rate(hourbridge_time_to_invoice_seconds_bucket{{{_BOOK}}}[24h])))",
                "From acceptance or billing cut-off, whichever is later, to the ledger.",
                unit="s",
                bad_from=86_400,
            )
        )
        .with_row(Row("What is open"))
        .with_panel(
            graph(
                "Unbilled hours by age",
                "Charged hours that no document bills.",
                (f"sum by (age) (hourbridge_unbilled_hours{{{_BOOK}}})", "{{age}}"),
                unit="h",
            )
        )
        .with_panel(
            graph(
                "Unbilled money by currency",
                "What the unbilled work would bring, before rounding.",
                (f"sum by (currency) (hourbridge_unbilled_amount{{{_BOOK}}})", "{{currency}}"),
            )
        )
        .with_panel(
            graph(
                "Documents by status",
                "Documents that reached a status, per hour.",
                ("sum by (status) (increase(hourbridge_documents_total[1h]))", "{{status}}"),
            )
        )
        .with_panel(
            graph(
                "Discrepancies by cause",
                "Open differences, by what caused them.",
                (f"sum by (cause) (hourbridge_discrepancies_open{{{_BOOK}}})", "{{cause}}"),
            )
        )
        .with_panel(
            graph(
                "Records parked by reason",
                "Records that wait for a rule or a decision.",
                ("sum by (code) (hourbridge_mapper_parked_records)", "{{code}}"),
            )
        )
        .with_panel(
            graph(
                "Time to invoice",
                "Median, nine of ten, ninety-nine of a hundred.",
                *(
                    (
                        f"histogram_quantile({part}, sum by (le) "
                        f"(rate(hourbridge_time_to_invoice_seconds_bucket{{{_BOOK}}}[1h])))",
                        f"p{name}",
                    )
                    for part, name in (("0.5", 50), ("0.9", 90), ("0.99", 99))
                ),
                unit="s",
            )
        )
    )


def flow() -> Dashboard:
    """Return the dashboard of the flow: every service, its lanes and what fails."""
    return (
        board(
            "hourbridge-flow", "Hourbridge: flow", ("service", "hourbridge_messages_handled_total")
        )
        .with_row(Row("Does it flow?"))
        .with_panel(
            number(
                "Services up",
                'sum(up{job="hourbridge"})',
                "Processes that answer Prometheus.",
            )
        )
        .with_panel(
            number(
                "Lanes paused",
                f"sum(hourbridge_lane_paused{{{_SERVICE}}})",
                "Lanes that wait for a dependency, probing.",
                bad_from=1,
            )
        )
        .with_panel(
            number(
                "Dead, 24 h",
                f"sum(increase(hourbridge_messages_dead_total{{{_SERVICE}}}[24h])) or vector(0)",
                "Messages given up, kept until somebody decides.",
                bad_from=1,
            )
        )
        .with_panel(
            number(
                "Oldest announcement",
                "max(hourbridge_outbox_oldest_age_seconds)",
                "Age of the oldest outbox row that is not published.",
                unit="s",
                bad_from=60,
            )
        )
        .with_row(Row("Intake and handling"))
        .with_panel(
            graph(
                "Intake by outcome",
                "Stated things per second, by what became of them.",
                (
                    "sum by (outcome) (rate(hourbridge_intake_events_total[$__rate_interval]))",
                    "{{outcome}}",
                ),
                unit="ops",
            )
        )
        .with_panel(
            graph(
                "Handled",
                "Messages settled per second.",
                (
                    "sum by (service, outcome) (rate(hourbridge_messages_handled_total"
                    f"{{{_SERVICE}}}[$__rate_interval]))",
                    "{{service}} {{outcome}}",
                ),
                unit="ops",
            )
        )
        .with_panel(
            graph(
                "Batch duration, 99 %",
                "Time from a batch's fetch to its acknowledgement, by phase.",
                (
                    "histogram_quantile(0.99, sum by (le, service, phase) "
                    f"(rate(hourbridge_batch_duration_seconds_bucket{{{_SERVICE}}}"
                    "[$__rate_interval])))",
                    "{{service}} {{phase}}",
                ),
                unit="s",
            )
        )
        .with_panel(
            graph(
                "Retries by attempt",
                "Messages put on a delay rung; high attempts mean that something is stuck.",
                (
                    "sum by (service, attempt) "
                    f"(increase(hourbridge_message_retries_total{{{_SERVICE}}}[10m]))",
                    "{{service}} #{{attempt}}",
                ),
            )
        )
        .with_panel(
            graph(
                "Dead by cause",
                "Messages given up.",
                (
                    "sum by (service, cause) "
                    f"(increase(hourbridge_messages_dead_total{{{_SERVICE}}}[1h]))",
                    "{{service}} {{cause}}",
                ),
            )
        )
        .with_panel(
            graph(
                "Backlog between intake and documents",
                "As the flood gate sees it.",
                ("sum by (lane) (hourbridge_intake_backlog_messages)", "{{lane}}"),
            )
        )
        .with_panel(
            graph(
                "Tasks that failed",
                "Runs of periodic tasks that ended in an error.",
                (
                    'sum by (service, task) (increase(hourbridge_task_runs_total{outcome="failed"}'
                    "[10m]))",
                    "{{service}} {{task}}",
                ),
            )
        )
        .with_panel(
            graph(
                "Mapped by outcome",
                "Records mapped per second.",
                (
                    "sum by (outcome) (rate(hourbridge_mapper_records_total[$__rate_interval]))",
                    "{{outcome}}",
                ),
                unit="ops",
            )
        )
    )


def ledgers() -> Dashboard:
    """Return the dashboard of the connections to accounting systems."""
    return (
        board("hourbridge-ledgers", "Hourbridge: ledgers")
        .with_row(Row("Can we post?"))
        .with_panel(
            number(
                "Ledgers stopped",
                "sum(hourbridge_poster_lanes_stopped) or vector(0)",
                "Ledgers that can't be posted to now.",
                bad_from=1,
            )
        )
        .with_panel(
            number(
                "Oldest waiting write",
                "max(hourbridge_poster_oldest_pending_seconds)",
                "Age of the oldest document that is due and not sent.",
                unit="s",
                bad_from=3600,
            )
        )
        .with_panel(
            number(
                "Corrections due",
                "sum(hourbridge_poster_corrections_waiting)",
                "Posted documents whose charges changed since.",
            )
        )
        .with_panel(
            number(
                "Writes unknown",
                'sum(hourbridge_poster_operations{state="unknown"}) or vector(0)',
                "Writes whose answer was lost: searched for before they are sent again.",
                bad_from=1,
            )
        )
        .with_row(Row("Calls"))
        .with_panel(
            graph(
                "Writes by outcome",
                "Attempts to write to ledgers, per second.",
                (
                    "sum by (operation, outcome) "
                    "(rate(hourbridge_ledger_requests_total[$__rate_interval]))",
                    "{{operation}} {{outcome}}",
                ),
                unit="ops",
            )
        )
        .with_panel(
            graph(
                "Operations that are not done",
                "Intents by state.",
                ("sum by (state) (hourbridge_poster_operations)", "{{state}}"),
            )
        )
        .with_panel(
            graph(
                "Ledgers stopped, by state",
                "Paused lanes probe by themselves; parked ones need a person.",
                ("sum by (state) (hourbridge_poster_lanes_stopped)", "{{state}}"),
            )
        )
        .with_panel(
            graph(
                "Reconciliation",
                "How long reconciling a book takes.",
                (
                    "histogram_quantile(0.9, sum by (le, book) "
                    "(rate(hourbridge_reconciliation_duration_seconds_bucket[6h])))",
                    "{{book}} p90",
                ),
                unit="s",
            )
        )
    )


def broker() -> Dashboard:
    """Return the dashboard of the broker, from RabbitMQ's own metrics."""
    return (
        board("hourbridge-broker", "Hourbridge: broker")
        .with_row(Row("Is the broker well?"))
        .with_panel(
            number(
                "Alarms",
                "sum(rabbitmq_alarms_memory_used_watermark)"
                " + sum(rabbitmq_alarms_free_disk_space_watermark)",
                "Memory or disk short: publishers are blocked.",
                bad_from=1,
            )
        )
        .with_panel(
            number(
                "Ready messages",
                "sum(rabbitmq_detailed_queue_messages_ready)",
                "What waits in all queues.",
            )
        )
        .with_panel(
            number(
                "Unrouted",
                'sum(rabbitmq_detailed_queue_messages_ready{queue="hourbridge.unrouted.v1"})'
                " or vector(0)",
                "Messages of upstream systems that nobody reads.",
                bad_from=1,
            )
        )
        .with_panel(
            number(
                "In dead queues",
                'sum(rabbitmq_detailed_queue_messages_ready{queue=~".+[.]dead[.]v1"})',
                "Dead letters that the archiver has not taken yet.",
                bad_from=100,
            )
        )
        .with_row(Row("Queues"))
        .with_panel(
            graph(
                "Ready by queue",
                "Messages that wait.",
                ("sum by (queue) (rabbitmq_detailed_queue_messages_ready)", "{{queue}}"),
            )
        )
        .with_panel(
            graph(
                "Unacknowledged by queue",
                "Messages in the hands of consumers.",
                ("sum by (queue) (rabbitmq_detailed_queue_messages_unacked)", "{{queue}}"),
            )
        )
        .with_panel(
            graph(
                "Consumers",
                "Per queue.",
                ("sum by (queue) (rabbitmq_detailed_queue_consumers)", "{{queue}}"),
            )
        )
        .with_panel(
            graph(
                "Dead-lettered by the broker",
                "By reason; delivery_limit means that holders keep dying.",
                (
                    "sum(rate(rabbitmq_global_messages_dead_lettered_delivery_limit_total"
                    "[$__rate_interval]))",
                    "delivery limit",
                ),
                (
                    "sum(rate(rabbitmq_global_messages_dead_lettered_expired_total"
                    "[$__rate_interval]))",
                    "expired (delay rungs)",
                ),
                unit="ops",
            )
        )
    )


BOARDS = {"money": money, "flow": flow, "ledgers": ledgers, "broker": broker}
