-- The hash of the secret of one client of a tenant, and whether the client was revoked.
SELECT secret_hash, revoked_at IS NOT NULL AS revoked FROM client WHERE id = $1 AND tenant = $2;
