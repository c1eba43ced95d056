-- Owners of some tenants with a running timer, of the slots of one partition: a page, after the owner that is given.
-- A range of states with one state in it, sorted by state: so only the index of open timers will do (`read_touched`).
SELECT s.slot, page.tenant, page.owner
  FROM (SELECT slot FROM unnest($1::integer[]) AS asked (slot) WHERE slot >= $3 ORDER BY slot) s
 CROSS JOIN LATERAL (
       SELECT DISTINCT tenant, owner
         FROM (
               SELECT t.tenant, t.owner
                 FROM timer t
                WHERE t.slot = s.slot
                  AND t.tenant = ANY ($2::text[])
                  AND t.state BETWEEN 'RUNNING' AND 'RUNNING'
                  AND (s.slot > $3 OR (t.tenant, t.owner) > ($4, $5))
                ORDER BY t.tenant, t.owner, t.state
               OFFSET 0
              ) runs
        ORDER BY tenant, owner
        LIMIT $6
       ) page
 ORDER BY s.slot, page.tenant, page.owner
 LIMIT $6;
