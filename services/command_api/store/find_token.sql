-- Find the person that an opaque token stands for, and until when.
SELECT t.tenant, t.expires_at, p.owner, p.name, p.aliases
  FROM person_token AS t
  JOIN person AS p ON (p.tenant, p.owner) = (t.tenant, t.owner)
 WHERE t.token_sha256 = $1;
