#!/usr/bin/env bash
# Reports three time entries over HTTP: one CloudEvent, then a batch of two.
#
#   HOURBRIDGE_URL   where the ingestor listens     (default http://127.0.0.1:8081)
#   HOURBRIDGE_KEY   the source's API key           (required; POST /v1/books/BOOK/sources/SOURCE/keys)
#
# The answer is 202 with one status per event: accepted, unchanged, duplicate, older, conflict, or
# rejected with the reasons field by field. Sending the same again changes nothing.
set -euo pipefail

url="${HOURBRIDGE_URL:-http://127.0.0.1:8081}/v1/events"
key="${HOURBRIDGE_KEY:?set HOURBRIDGE_KEY to the API key of your source}"

# $1: the entry's id in your system, $2: when it was last changed there, $3: seconds worked
event() {
  cat <<JSON
{
  "specversion": "1.0",
  "id": "$1@$2",
  "source": "timesheets",
  "type": "hourbridge.time_entry.reported.v1",
  "data": {
    "external_id": "$1",
    "source_updated_at": "$2",
    "staff_id": "kim",
    "client_name": "Acme",
    "project_name": "Website",
    "task_name": "Development",
    "work_date": "2026-03-02",
    "input": {"seconds": $3},
    "billable_state": "billable",
    "approval": {"state": "approved"}
  }
}
JSON
}

post() {
  curl --silent --show-error --fail-with-body --max-time 30 \
    --header "X-Api-Key: $key" --header "Content-Type: $1" --data-binary @- "$url"
  echo
}

event curl-1 2026-03-02T17:00:00Z 5400 | post application/cloudevents+json

{
  echo '['
  event curl-2 2026-03-02T17:05:00Z 1800
  echo ','
  event curl-3 2026-03-02T17:10:00Z 7200
  echo ']'
} | post application/cloudevents-batch+json
