-- Give a client another secret, and keep one older secret for $3 seconds: the one from before, or the one before that.
-- A secret that is kept already stays the one that is kept, because the secret of the last rotation may never have reached the client.
-- With 0 seconds every older secret ends. No row comes back for a client that is not in use.
WITH before AS (
    SELECT id, $3::integer > 0 AND old_secret_until > now() IS TRUE AS keeps_older
      FROM client
     WHERE id = $1 AND revoked_at IS NULL
       FOR UPDATE
)
UPDATE client
   SET old_secret_hash  = CASE WHEN keeps_older THEN old_secret_hash WHEN $3 > 0 THEN secret_hash END,
       old_secret_until = CASE WHEN keeps_older THEN greatest(old_secret_until, now() + make_interval(secs => $3))
                               WHEN $3 > 0 THEN now() + make_interval(secs => $3) END,
       secret_hash      = $2
  FROM before
 WHERE client.id = before.id
RETURNING client.tenant, client.old_secret_until, before.keeps_older;
