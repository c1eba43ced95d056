#!/bin/bash
# Run by the postgres image once, on an empty volume: the role that the services are, and the database that is its own.
# It is no superuser: those pass by every policy of a table.
psql --set ON_ERROR_STOP=1 --no-psqlrc --quiet --username "$POSTGRES_USER" --dbname postgres \
    --set password="$(< /run/secrets/postgres_password)" << 'SQL'
CREATE ROLE stint LOGIN PASSWORD :'password';
CREATE DATABASE stint OWNER stint;
SQL
