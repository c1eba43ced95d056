-- Revoke a client, once. No row comes back when there is no such client.
UPDATE client AS now_revoked
   SET revoked_at = coalesce(now_revoked.revoked_at, now()), old_secret_hash = NULL, old_secret_until = NULL
  FROM client AS before
 WHERE now_revoked.id = $1 AND before.id = $1
RETURNING now_revoked.tenant, now_revoked.revoked_at, before.revoked_at IS NOT NULL AS was_revoked;
