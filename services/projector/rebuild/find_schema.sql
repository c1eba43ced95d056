-- The comment on a schema; no row when the schema is not there.
SELECT coalesce(obj_description(oid, 'pg_namespace'), '') AS comment FROM pg_namespace WHERE nspname = $1::text;
