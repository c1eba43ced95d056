-- The constraints of some types ($2, as in pg_constraint) in one schema, as they are written after ADD CONSTRAINT.
SELECT c.relname AS table_name, k.conname AS name, pg_get_constraintdef(k.oid) AS definition
  FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
 WHERE c.relnamespace = $1::text::regnamespace AND k.contype::text = ANY ($2::text[])
 ORDER BY c.relname, k.conname;
