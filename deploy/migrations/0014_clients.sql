-- Clients with a name, that only read, whose old secret works a while longer, and that end.
ALTER TABLE client
    ADD COLUMN name             text NOT NULL DEFAULT '',
    ADD COLUMN old_secret_hash  text,
    ADD COLUMN old_secret_until timestamptz,
    -- A row stays when its client is revoked, because it is what ends the signed tokens of that client.
    ADD COLUMN revoked_at       timestamptz,
    DROP CONSTRAINT client_role_check,
    ADD CONSTRAINT client_role_check CHECK (role IN ('machine', 'reader', 'admin'));
