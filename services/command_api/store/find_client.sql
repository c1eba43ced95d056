-- Find a machine client by its id.
SELECT tenant, role, secret_hash
  FROM client
 WHERE id = $1;
