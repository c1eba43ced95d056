-- What roles may do in one schema ($1), as statements that allow the same in another ($2).
SELECT format('GRANT %s ON SCHEMA %I TO %s', g.privilege_type, $2::text,
              CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END) AS statement
  FROM pg_namespace n
 CROSS JOIN LATERAL aclexplode(n.nspacl) g
 WHERE n.nspname = $1::text
 UNION ALL
SELECT format('GRANT %s ON %I.%I TO %s', g.privilege_type, $2::text, c.relname,
              CASE WHEN g.grantee = 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END)
  FROM pg_class c
 CROSS JOIN LATERAL aclexplode(c.relacl) g
 WHERE c.relnamespace = $1::text::regnamespace AND c.relkind = 'r';
