-- Find a person of a tenant, with the aliases, by the owner's id.
SELECT owner, name, aliases
  FROM person
 WHERE tenant = $1
   AND owner = $2;
