-- Who may press: tenants, their machine clients, their people. Not from the log.
CREATE TABLE tenant (
    name text PRIMARY KEY CHECK (name ~ '^[^/]{1,64}$')
);

CREATE TABLE client (
    id          text PRIMARY KEY,
    tenant      text NOT NULL REFERENCES tenant (name),
    secret_hash text NOT NULL,
    role        text NOT NULL DEFAULT 'machine' CHECK (role IN ('machine', 'admin'))
);

CREATE TABLE person (
    tenant  text NOT NULL REFERENCES tenant (name),
    owner   text NOT NULL,
    name    text NOT NULL,
    aliases text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant, owner)
);

-- Opaque tokens are kept as their SHA-256: whoever reads this table cannot press for anybody.
CREATE TABLE person_token (
    token_sha256 text PRIMARY KEY,
    tenant       text NOT NULL,
    owner        text NOT NULL,
    expires_at   timestamptz NOT NULL,
    FOREIGN KEY (tenant, owner) REFERENCES person (tenant, owner)
);
