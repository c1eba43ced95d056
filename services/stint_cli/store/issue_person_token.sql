-- Keep a person's opaque token as its SHA-256.
INSERT INTO person_token (token_sha256, tenant, owner, expires_at) VALUES ($1, $2, $3, $4);
