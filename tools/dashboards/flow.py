"""Does it flow? Every service, its lanes and what fails."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from tools.dashboards.panels import Panel, board, graph, number, with_rows

_SERVICE = 'service=~"$service"'


def flow() -> Dashboard:
    """Return the dashboard."""
    return with_rows(
        board(
            "hourbridge-flow", "Hourbridge: flow", ("service", "hourbridge_messages_handled_total")
        ),
        ("Does it flow?", _figures()),
        ("Intake and handling", _graphs()),
    )


def _figures() -> list[Panel]:
    return [
        number(
            "Services up",
            'sum(up{job="hourbridge"})',
            "Processes that answer Prometheus.",
        ),
        number(
            "Lanes paused",
            f"sum(hourbridge_lane_paused{{{_SERVICE}}})",
            "Lanes that wait for a dependency, probing.",
            bad_from=1,
        ),
        number(
            "Dead, 24 h",
            f"sum(increase(hourbridge_messages_dead_total{{{_SERVICE}}}[24h])) or vector(0)",
            "Messages given up, kept until somebody decides.",
            bad_from=1,
        ),
        number(
            "Oldest announcement",
            "max(hourbridge_outbox_oldest_age_seconds)",
            "Age of the oldest outbox row that is not published.",
            unit="s",
            bad_from=60,
        ),
    ]


def _graphs() -> list[Panel]:
    return [
        graph(
            "Intake by outcome",
            "Stated things per second, by what became of them.",
            (
                "sum by (outcome) (rate(hourbridge_intake_events_total[$__rate_interval]))",
                "{{outcome}}",
            ),
            unit="ops",
        ),
        graph(
            "Handled",
            "Messages settled per second.",
            (
                "sum by (service, outcome) (rate(hourbridge_messages_handled_total"
                f"{{{_SERVICE}}}[$__rate_interval]))",
                "{{service}} {{outcome}}",
            ),
            unit="ops",
        ),
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
        ),
        graph(
            "Retries by attempt",
            "Messages put on a delay rung; high attempts mean that something is stuck.",
            (
                "sum by (service, attempt) "
                f"(increase(hourbridge_message_retries_total{{{_SERVICE}}}[10m]))",
                "{{service}} #{{attempt}}",
            ),
        ),
        *_failures(),
    ]


def _failures() -> list[Panel]:
    return [
        graph(
            "Dead by cause",
            "Messages given up.",
            (
                "sum by (service, cause) "
                f"(increase(hourbridge_messages_dead_total{{{_SERVICE}}}[1h]))",
                "{{service}} {{cause}}",
            ),
        ),
        graph(
            "Backlog between intake and documents",
            "As the flood gate sees it.",
            ("sum by (lane) (hourbridge_intake_backlog_messages)", "{{lane}}"),
        ),
        graph(
            "Tasks that failed",
            "Runs of periodic tasks that ended in an error.",
            (
                'sum by (service, task) (increase(hourbridge_task_runs_total{outcome="failed"}'
                "[10m]))",
                "{{service}} {{task}}",
            ),
        ),
        graph(
            "Mapped by outcome",
            "Records mapped per second.",
            (
                "sum by (outcome) (rate(hourbridge_mapper_records_total[$__rate_interval]))",
                "{{outcome}}",
            ),
            unit="ops",
        ),
    ]
