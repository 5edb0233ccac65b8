"""Can we post? The connections to accounting systems."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from tools.dashboards.panels import Panel, board, graph, number, with_rows


def ledgers() -> Dashboard:
    """Return the dashboard."""
    return with_rows(
        board("hourbridge-ledgers", "Hourbridge: ledgers"),
        ("Can we post?", _figures()),
        ("Calls", _graphs()),
    )


def _figures() -> list[Panel]:
    return [
        number(
            "Ledgers stopped",
            "sum(hourbridge_poster_lanes_stopped) or vector(0)",
            "Ledgers that can't be posted to now.",
            bad_from=1,
        ),
        number(
            "Oldest waiting write",
            "max(hourbridge_poster_oldest_pending_seconds)",
            "Age of the oldest document that is due and not sent.",
            unit="s",
            bad_from=3600,
        ),
        number(
            "Corrections due",
            "sum(hourbridge_poster_corrections_waiting)",
            "Posted documents whose charges changed since.",
        ),
        number(
            "Writes unknown",
            'sum(hourbridge_poster_operations{state="unknown"}) or vector(0)',
            "Writes whose answer was lost: searched for before they are sent again.",
            bad_from=1,
        ),
    ]


def _graphs() -> list[Panel]:
    return [
        graph(
            "Writes by outcome",
            "Attempts to write to ledgers, per second.",
            (
                "sum by (operation, outcome) "
                "(rate(hourbridge_ledger_requests_total[$__rate_interval]))",
                "{{operation}} {{outcome}}",
            ),
            unit="ops",
        ),
        graph(
            "Operations that are not done",
            "Intents by state.",
            ("sum by (state) (hourbridge_poster_operations)", "{{state}}"),
        ),
        graph(
            "Ledgers stopped, by state",
            "Paused lanes probe by themselves; parked ones need a person.",
            ("sum by (state) (hourbridge_poster_lanes_stopped)", "{{state}}"),
        ),
        graph(
            "Reconciliation",
            "How long reconciling a book takes.",
            (
                "histogram_quantile(0.9, sum by (le, book) "
                "(rate(hourbridge_reconciliation_duration_seconds_bucket[6h])))",
                "{{book}} p90",
            ),
            unit="s",
        ),
    ]
