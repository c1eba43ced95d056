#!/bin/bash
# Run once by the postgres image, on an empty volume: makes the services' role and the database that the role owns.
# The role is no superuser, because row policies do not bind superusers.
psql --set ON_ERROR_STOP=1 --no-psqlrc --quiet --username "$POSTGRES_USER" --dbname postgres \
    --set password="$(< /run/secrets/postgres_password)" << 'SQL'
CREATE ROLE stint LOGIN PASSWORD :'password';
CREATE DATABASE stint OWNER stint;
SQL
