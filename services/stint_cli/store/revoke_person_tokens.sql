-- Delete every token of one person, and count those that were still good.
WITH gone AS (DELETE FROM person_token WHERE tenant = $1 AND owner = $2 RETURNING expires_at)
SELECT count(*) FROM gone WHERE expires_at > now();
