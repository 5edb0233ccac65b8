#!/bin/bash
# Makes stand-in base images from Debian packages, for machines that reach no container registry.
set -euo pipefail
cd "$(dirname "$0")"

LEAN=(--dpkgopt="path-exclude=/usr/share/doc/*" --dpkgopt="path-exclude=/usr/share/man/*"
    --dpkgopt="path-exclude=/usr/share/locale/*")
SUITE=bookworm

# Builds the root file system first: mmdebstrap ends its caller when a pipe behind it breaks.
root_file_system() { # file, then mmdebstrap's options
    local file=$1
    shift
    setsid mmdebstrap --quiet --variant=minbase "${LEAN[@]}" "$@" "$SUITE" "$file"
}

import() { # tag, file, then changes
    local tag=$1 file=$2 options=() change
    shift 2
    for change in "$@"; do options+=(--change "$change"); done
    docker import "${options[@]}" "$file" "$tag" >/dev/null
    rm -f "$file"
    echo "made $tag"
}

make_python() {
    local file=$work/python.tar
    # shellcheck disable=SC2016 # mmdebstrap's own shell expands $1
    root_file_system "$file" --include=python3,python3-venv,python3-pip,ca-certificates,netbase,tzdata \
        --customize-hook='for n in python python3 python3.11; do ln -sf /usr/bin/python3.11 "$1/usr/local/bin/$n"; done' \
        --customize-hook='rm -f "$1/usr/lib/python3.11/EXTERNALLY-MANAGED"' \
        --customize-hook='copy-in /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/'
    import "$1" "$file" 'CMD ["python3"]' \
        'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 PIP_CERT=/etc/ssl/certs/ca-certificates.crt SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt'
}

make_postgres() {
    local file=$work/postgres.tar
    # shellcheck disable=SC2016
    root_file_system "$file" --include=postgresql-15,util-linux \
        --essential-hook='mkdir -p "$1/etc/postgresql-common"; echo "create_main_cluster = false" > "$1/etc/postgresql-common/createcluster.conf"' \
        --customize-hook='copy-in postgres-entrypoint.sh /usr/local/bin/' \
        --customize-hook='chmod 755 "$1/usr/local/bin/postgres-entrypoint.sh"'
    import "$1" "$file" 'ENTRYPOINT ["postgres-entrypoint.sh"]' 'EXPOSE 5432' \
        'ENV PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:/usr/lib/postgresql/15/bin PGDATA=/var/lib/postgresql/data LANG=C.UTF-8'
}

make_rabbitmq() {
    local file=$work/rabbitmq.tar
    # shellcheck disable=SC2016
    root_file_system "$file" --include=rabbitmq-server,util-linux \
        --customize-hook='echo "[rabbitmq_management,rabbitmq_prometheus]." > "$1/etc/rabbitmq/enabled_plugins"' \
        --customize-hook='rm -rf "$1/var/lib/rabbitmq/.erlang.cookie" "$1/var/lib/rabbitmq/mnesia"' \
        --customize-hook='copy-in rabbitmq-entrypoint.sh /usr/local/bin/' \
        --customize-hook='chmod 755 "$1/usr/local/bin/rabbitmq-entrypoint.sh"'
    import "$1" "$file" 'ENTRYPOINT ["rabbitmq-entrypoint.sh"]' 'EXPOSE 5672' 'EXPOSE 15672' 'EXPOSE 15692' \
        'ENV PATH=/usr/lib/rabbitmq/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/var/lib/rabbitmq LANG=C.UTF-8'
}

make_prometheus() {
    local file=$work/prometheus.tar
    root_file_system "$file" --include=prometheus,ca-certificates
    import "$1" "$file" 'ENTRYPOINT ["/usr/bin/prometheus"]' 'USER nobody' 'EXPOSE 9090' 'WORKDIR /tmp' \
        'CMD ["--config.file=/etc/prometheus/prometheus.yml","--storage.tsdb.path=/tmp/data"]'
}

make_alertmanager() {
    local file=$work/alertmanager.tar
    root_file_system "$file" --include=prometheus-alertmanager,ca-certificates
    import "$1" "$file" 'ENTRYPOINT ["/usr/bin/prometheus-alertmanager"]' 'USER nobody' 'EXPOSE 9093' 'WORKDIR /tmp' \
        'CMD ["--config.file=/etc/alertmanager/alertmanager.yml","--storage.path=/tmp/data","--cluster.listen-address="]'
}

declare -A TAGS=(
    [python]=python:3.11-slim-bookworm
    [postgres]=postgres:15
    [rabbitmq]=rabbitmq:3-management
    [prometheus]=prom/prometheus:v2.53.5
    [alertmanager]=prom/alertmanager:v0.27.0
)

[ $# -gt 0 ] || { echo "usage: $0 all | ${!TAGS[*]}" >&2; exit 2; }
[ "$1" != all ] || set -- "${!TAGS[@]}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in "$@"; do
    tag=${TAGS[$name]:?no such stand-in: $name}
    if docker image inspect "$tag" >/dev/null 2>&1; then
        echo "kept $tag, which is there already"
    else
        "make_$name" "$tag"
    fi
done
