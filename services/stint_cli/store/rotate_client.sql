-- Give a client another secret; the old one works for $3 seconds more. No row comes back for one that is not in use.
UPDATE client
   SET old_secret_hash  = CASE WHEN $3::integer > 0 THEN secret_hash END,
       old_secret_until = CASE WHEN $3 > 0 THEN now() + make_interval(secs => $3) END,
       secret_hash      = $2
 WHERE id = $1 AND revoked_at IS NULL
RETURNING tenant, old_secret_until;
