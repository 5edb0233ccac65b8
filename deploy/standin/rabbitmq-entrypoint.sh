#!/bin/bash
# As the official image: the default user from the environment, logs to the console.
set -euo pipefail
mkdir -p /etc/rabbitmq/conf.d /var/lib/rabbitmq
cat >/etc/rabbitmq/conf.d/10-standin.conf <<CONF
default_user = ${RABBITMQ_DEFAULT_USER:-guest}
default_pass = ${RABBITMQ_DEFAULT_PASS:-guest}
default_vhost = ${RABBITMQ_DEFAULT_VHOST:-/}
management.tcp.port = ${RABBITMQ_MGMT_PORT:-15672}
prometheus.tcp.port = ${RABBITMQ_PROM_PORT:-15692}
log.console = true
log.file = false
CONF
cookie=/var/lib/rabbitmq/.erlang.cookie
[ -s "$cookie" ] || head -c 24 /dev/urandom | base64 | tr -dc 'A-Za-z0-9' >"$cookie"
chmod 400 "$cookie"
chown -R rabbitmq:rabbitmq /var/lib/rabbitmq /etc/rabbitmq
export RABBITMQ_LOGS=-
exec setpriv --reuid rabbitmq --regid rabbitmq --init-groups rabbitmq-server
