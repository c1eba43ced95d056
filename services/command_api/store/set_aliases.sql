-- Give a person other aliases. No row comes back when there is no such person.
UPDATE person SET aliases = $3::text[]
 WHERE tenant = $1 AND owner = $2
RETURNING owner;
