-- Return whether there is a tenant of this name.
SELECT EXISTS (SELECT FROM tenant WHERE name = $1)
