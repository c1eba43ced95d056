-- Find all that is known of an owner: the facts on the log, the person's aliases, and the position of both.
SELECT (SELECT json_agg(json_build_object('kind', f.kind, 'about', f.about, 'body', f.body) ORDER BY f.kind, f.about)
          FROM owner_fact AS f
         WHERE f.slot = $1 AND f.tenant = $2 AND f.owner = $3) AS facts,
       (SELECT p.aliases FROM person AS p WHERE p.tenant = $2 AND p.owner = $3) AS aliases,
       (SELECT c.kpart || ':' || c.next_offset - 1
          FROM deployment AS d
          JOIN checkpoint AS c ON c.kpart = $1 % d.partitions
         WHERE c.next_offset > 0) AS position;
