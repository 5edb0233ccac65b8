#!/bin/bash
# As the official image: initialises an empty data directory, then runs the server.
set -euo pipefail
user=${POSTGRES_USER:-postgres} database=${POSTGRES_DB:-${POSTGRES_USER:-postgres}} port=${PGPORT:-5432}
as=(setpriv --reuid postgres --regid postgres --init-groups)

install -d -o postgres -g postgres -m 700 "$PGDATA"
install -d -o postgres -g postgres -m 2775 /var/run/postgresql
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    password=$(mktemp)
    printf '%s' "${POSTGRES_PASSWORD:?must be set}" >"$password"
    chown postgres "$password"
    "${as[@]}" initdb --username="$user" --pwfile="$password" --auth-local=trust --auth-host=scram-sha-256 -D "$PGDATA" >/dev/null
    rm -f "$password"
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    "${as[@]}" pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -p $port" -w start >/dev/null
    [ "$database" = postgres ] || "${as[@]}" createdb -p "$port" -U "$user" "$database"
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sql) "${as[@]}" psql -v ON_ERROR_STOP=1 -p "$port" -U "$user" -d "$database" -f "$file" ;;
            *.sh) "${as[@]}" bash "$file" ;;
        esac
    done
    "${as[@]}" pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null
fi
[ "${1:-}" = postgres ] && shift
exec "${as[@]}" postgres -D "$PGDATA" -c listen_addresses="${PGLISTEN:-*}" -p "$port" "$@"
