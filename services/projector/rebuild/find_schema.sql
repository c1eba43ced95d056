-- What stands written about a schema; no row when it is not there.
SELECT coalesce(obj_description(oid, 'pg_namespace'), '') AS said FROM pg_namespace WHERE nspname = $1::text;
