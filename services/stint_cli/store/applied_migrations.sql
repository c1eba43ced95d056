-- Every migration that this database has seen, in order.
SELECT version, name, sha256 FROM schema_migration ORDER BY version;
