#!/bin/bash
# Behaves as the original: POSTGRES_* or POSTGRES_*_FILE, a first start that makes the cluster and runs
# /docker-entrypoint-initdb.d, and never root.
set -euo pipefail

for name in POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB POSTGRES_INITDB_ARGS; do
    file=${name}_FILE
    [ -z "${!file:-}" ] || export "$name=$(< "${!file}")"
    unset "$file"
done
export POSTGRES_USER=${POSTGRES_USER:-postgres}
export POSTGRES_DB=${POSTGRES_DB:-$POSTGRES_USER}
[ "${1:0:1}" != - ] || set -- postgres "$@"
[ "$1" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
    install --directory --owner postgres --group postgres --mode 700 "$PGDATA"
    find "$PGDATA" \! -user postgres -exec chown postgres {} +
    exec setpriv --reuid postgres --regid postgres --init-groups "$0" "$@"
fi

first_start() {
    [ -n "${POSTGRES_PASSWORD:-}" ] || { echo 'Error: POSTGRES_PASSWORD is not given.' >&2; exit 1; }
    install --directory --mode 700 "$PGDATA"
    # shellcheck disable=SC2086 # several arguments in one variable
    initdb --username "$POSTGRES_USER" --pwfile <(printf '%s' "$POSTGRES_PASSWORD") ${POSTGRES_INITDB_ARGS:-}
    printf '\nhost all all all scram-sha-256\n' >> "$PGDATA/pg_hba.conf"
    PGUSER=$POSTGRES_USER pg_ctl -w start -o "-c listen_addresses=''"
    local ask=(psql --set ON_ERROR_STOP=1 --no-psqlrc --no-password --username "$POSTGRES_USER") file
    [ "$POSTGRES_DB" = postgres ] || "${ask[@]}" --dbname postgres --set db="$POSTGRES_DB" <<< 'CREATE DATABASE :"db";'
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
            *.sql) "${ask[@]}" --dbname "$POSTGRES_DB" --file "$file" ;;
        esac
    done
    pg_ctl -w --mode fast stop
    printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

[ -s "$PGDATA/PG_VERSION" ] || first_start
exec "$@"
