-- Find one person of a tenant's directory.
SELECT owner, name, aliases
  FROM person
 WHERE tenant = $1 AND owner = $2;
