"""`tenants`, `clients` and `persons`: who may press and read, by hand. Not from the log, so back these tables up.

    tenants    a tenant, and its first policy
    clients    machines: an id, a secret, a role
    persons    people: a name, aliases, and opaque tokens

Safe to change: what a command prints for people. With care: `--json`, which programs read.
Never: a secret or token that is stored, or printed a second time. Postgres has their hashes alone.
"""
