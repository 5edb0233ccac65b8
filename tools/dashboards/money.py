"""Is money flowing? The dashboard of the business."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from tools.dashboards.panels import Panel, board, graph, number, with_rows

_BOOK = 'book=~"$book"'


def money() -> Dashboard:
    """Return the dashboard."""
    return with_rows(
        board("hourbridge-money", "Hourbridge: money", ("book", "hourbridge_unbilled_hours")),
        ("Is money flowing?", _figures()),
        ("What is open", _graphs()),
    )


def _figures() -> list[Panel]:
    return [
        number(
            "Documents posted, 24 h",
            'sum(increase(hourbridge_documents_total{status="posted"}[24h]))',
            "Invoices, bills and entries that reached their ledger.",
        ),
        number(
            "Documents parked, 24 h",
            'sum(increase(hourbridge_documents_total{status="parked"}[24h])) or vector(0)',
            "Documents that a ledger refused and that wait for a person.",
            bad_from=1,
        ),
        number(
            "Open discrepancies",
            f"sum(hourbridge_discrepancies_open{{{_BOOK}}}) or vector(0)",
            "Differences between source, charges, documents and ledger that nobody resolved.",
            bad_from=1,
        ),
        number(
            "Time to invoice, 90 %",
            "histogram_quantile(0.9, sum by (le) "
            f"(rate(hourbridge_time_to_invoice_seconds_bucket{{{_BOOK}}}[24h])))",
            "From acceptance or billing cut-off, whichever is later, to the ledger.",
            unit="s",
            bad_from=86_400,
        ),
    ]


def _graphs() -> list[Panel]:
    return [
        graph(
            "Unbilled hours by age",
            "Charged hours that no document bills.",
            (f"sum by (age) (hourbridge_unbilled_hours{{{_BOOK}}})", "{{age}}"),
            unit="h",
        ),
        graph(
            "Unbilled money by currency",
            "What the unbilled work would bring, before rounding.",
            (f"sum by (currency) (hourbridge_unbilled_amount{{{_BOOK}}})", "{{currency}}"),
        ),
        graph(
            "Documents by status",
            "Documents that reached a status, per hour.",
            ("sum by (status) (increase(hourbridge_documents_total[1h]))", "{{status}}"),
        ),
        graph(
            "Discrepancies by cause",
            "Open differences, by what caused them.",
            (f"sum by (cause) (hourbridge_discrepancies_open{{{_BOOK}}})", "{{cause}}"),
        ),
        graph(
            "Records parked by reason",
            "Records that wait for a rule or a decision.",
            ("sum by (code) (hourbridge_mapper_parked_records)", "{{code}}"),
        ),
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
        ),
    ]
