-- Make a client.
INSERT INTO client (id, tenant, secret_hash, role, name) VALUES ($1, $2, $3, $4, $5);
