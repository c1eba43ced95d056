-- Whether a client was revoked. No row comes back for a client that this table does not have.
SELECT revoked_at IS NOT NULL
  FROM client
 WHERE id = $1;
