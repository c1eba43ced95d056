-- The clients of one tenant, or of all of them.
SELECT id, tenant, role, name, revoked_at,
       CASE WHEN old_secret_until > now() THEN old_secret_until END AS old_secret_until
  FROM client
 WHERE $1::text IS NULL OR tenant = $1
 ORDER BY tenant, id;
