-- Record that a migration was applied, in the transaction that applies it.
INSERT INTO schema_migration (version, name, sha256) VALUES ($1, $2, $3);
