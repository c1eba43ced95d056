-- The hash of the secret of one client of a tenant.
SELECT secret_hash FROM client WHERE id = $1 AND tenant = $2;
