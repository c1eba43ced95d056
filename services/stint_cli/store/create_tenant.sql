-- Make a tenant. One that exists stays as it is.
INSERT INTO tenant (name) VALUES ($1) ON CONFLICT DO NOTHING;
