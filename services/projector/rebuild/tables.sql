-- The tables of one schema, with their storage parameters. The checkpoint comes first: commits lock it first.
SELECT c.relname AS name, array_to_string(c.reloptions, ', ') AS options
  FROM pg_class c
 WHERE c.relnamespace = $1::text::regnamespace AND c.relkind = 'r'
 ORDER BY c.relname <> 'checkpoint', c.relname;
