-- Make a tenant. An existing one is not changed.
INSERT INTO tenant (name) VALUES ($1) ON CONFLICT DO NOTHING;
