#!/usr/bin/env bash
# Reports a time entry over AMQP with a C client: amqp-publish of Debian's amqp-tools.
#
#   BROKER_URL   your own user on the broker   (default amqp://timesheets:timesheets@127.0.0.1/)
#   BOOK         the book to report for        (default demo)
#
# amqp-publish does not wait for the broker's confirm. Where a lost report would matter, use a client
# that does (as publish_pika.py) or report again: an entry reported twice counts once.
set -euo pipefail

broker_url="${BROKER_URL:-amqp://timesheets:timesheets@127.0.0.1/}"
book="${BOOK:-demo}"

body=$(cat <<JSON
{
  "specversion": "1.0",
  "id": "tools-1@2026-03-02T17:00:00Z",
  "source": "timesheets",
  "type": "hourbridge.time_entry.reported.v1",
  "book": "$book",
  "data": {
    "external_id": "tools-1",
    "source_updated_at": "2026-03-02T17:00:00Z",
    "staff_id": "kim",
    "client_name": "Acme",
    "project_name": "Website",
    "task_name": "Development",
    "work_date": "2026-03-02",
    "input": {"seconds": 3600},
    "billable_state": "billable",
    "approval": {"state": "approved"}
  }
}
JSON
)

amqp-publish --url "$broker_url" \
  --exchange hourbridge.intake \
  --routing-key time_entry.reported.v1 \
  --content-type application/cloudevents+json \
  --persistent \
  --body "$body"
