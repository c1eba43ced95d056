-- Return whether a tenant has this person.
SELECT EXISTS (SELECT FROM person WHERE tenant = $1 AND owner = $2)
