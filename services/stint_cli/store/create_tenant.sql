-- Make a tenant. An existing one is not changed, and then no row comes back.
INSERT INTO tenant (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING name;
