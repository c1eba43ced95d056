-- The hash of the secret of one client of a tenant; no row when the client is revoked.
SELECT secret_hash FROM client WHERE id = $1 AND tenant = $2 AND revoked_at IS NULL;
