-- Make a person, or give an existing one what is said: a name, aliases. What is null stays as it was.
INSERT INTO person AS p (tenant, owner, name, aliases) VALUES ($1, $2, coalesce($3, $2), coalesce($4::text[], '{}'))
ON CONFLICT (tenant, owner) DO UPDATE SET name = coalesce($3, p.name), aliases = coalesce($4::text[], p.aliases)
RETURNING name, aliases;
