-- List an owner's open timers by id, from an offset on. Texts are read for the page alone.
-- By id there are only those of the whole tenant in order. So all of the owner's are read, sorted by state as their index
-- is, and sorted by id then.
SELECT t.id, t.account_id, t.started_at, x.comment
  FROM (
        SELECT *
          FROM (
                SELECT *
                  FROM timer
                 WHERE slot = $4
                   AND tenant = $1
                   AND owner = $5
                   AND state <> 'STOPPED'
                 ORDER BY state
                OFFSET 0
               ) AS open
         ORDER BY id
         LIMIT $2 OFFSET $3
       ) AS t
  LEFT JOIN timer_text AS x ON (x.slot, x.timer_id, x.event_id) = (t.slot, t.id, t.started_by)
 ORDER BY t.id;
