-- The persons of a tenant, with how many good tokens each has and how long the longest is good.
SELECT p.owner, p.name, p.aliases, count(t.expires_at) AS tokens, max(t.expires_at) AS expires_at
  FROM person AS p
  LEFT JOIN person_token AS t ON (t.tenant, t.owner) = (p.tenant, p.owner) AND t.expires_at > now()
 WHERE p.tenant = $1
 GROUP BY p.tenant, p.owner
 ORDER BY p.owner;
