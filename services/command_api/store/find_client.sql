-- Find a machine client by its id, unless it was revoked. Its old secret is there for as long as it still works.
SELECT tenant, role, secret_hash,
       CASE WHEN old_secret_until > now() THEN old_secret_hash END AS old_secret_hash
  FROM client
 WHERE id = $1 AND revoked_at IS NULL;
