-- The views that read tables of one schema, wherever they are, with the text of each. Nothing is in the search path but
-- the catalog, so the text names each table with its schema.
SELECT DISTINCT v.oid::regclass::text AS name, pg_get_viewdef(v.oid) AS definition
  FROM pg_class t
  JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid AND d.classid = 'pg_rewrite'::regclass
  JOIN pg_rewrite r ON r.oid = d.objid
  JOIN pg_class v ON v.oid = r.ev_class AND v.relkind = 'v'
 WHERE t.relnamespace = $1::text::regnamespace
 ORDER BY name;
