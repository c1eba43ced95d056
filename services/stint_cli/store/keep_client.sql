-- Make a client of a tenant, or give an existing one of that tenant another secret and role.
-- Returns no row when the id belongs to another tenant's client, or to one that was revoked: its tokens must stay ended.
INSERT INTO client AS c (id, tenant, secret_hash, role) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO UPDATE SET secret_hash = EXCLUDED.secret_hash, role = EXCLUDED.role,
       old_secret_hash = NULL, old_secret_until = NULL
 WHERE c.tenant = EXCLUDED.tenant AND c.revoked_at IS NULL
RETURNING id;
