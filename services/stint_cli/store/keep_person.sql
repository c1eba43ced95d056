-- Make a person, or give an existing one another name and other aliases.
INSERT INTO person (tenant, owner, name, aliases) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant, owner) DO UPDATE SET name = EXCLUDED.name, aliases = EXCLUDED.aliases;
