#!/bin/bash
# Run once by the postgres image, on an empty volume: makes the role `stint` and the database that it owns.
# It is no superuser. The services' own roles come after it, by `deploy/roles.sql`.
psql --set ON_ERROR_STOP=1 --no-psqlrc --quiet --username "$POSTGRES_USER" --dbname postgres \
    --set password="$(< /run/secrets/postgres_password)" << 'SQL'
CREATE ROLE stint LOGIN PASSWORD :'password';
CREATE DATABASE stint OWNER stint;
SQL
